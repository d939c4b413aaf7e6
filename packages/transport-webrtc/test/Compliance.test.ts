import { Dialer, Listener } from "@satwire/transport"
import { transportCompliance } from "@satwire/transport/compliance"
import { LIBP2P_HOST, libp2pTransport, makeLibp2pNode } from "@satwire/transport-libp2p"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, it } from "vitest"
import { webRtcDirect } from "../src/index.ts"

const limits = { maxPerHostASecond: 1000, maxPending: 1000 }
const transports = [webRtcDirect()]

const layer = Layer.effectContext(
  Effect.gen(function* () {
    const there = yield* makeLibp2pNode({ limits, transports, listen: ["/ip4/127.0.0.1/udp/0/webrtc-direct"] })
    const here = yield* makeLibp2pNode({ limits, transports })
    yield* here.learn(there.addresses())
    const streams = { maxPerConnection: 1000 }
    const { listener } = yield* libp2pTransport(there, streams)
    const { dialer } = yield* libp2pTransport(here, streams)
    return Context.make(Dialer, dialer).pipe(Context.add(Listener, listener))
  })
)

// On Deno 2.9 the native addon loads, and a connection never opens.
transportCompliance(
  { describe: describe.skipIf("Deno" in globalThis), it },
  {
    name: "libp2p over WebRTC",
    layer,
    host: LIBP2P_HOST,
    bulkMiB: 20,
    lacks: {
      localEndpoint: "libp2p does not tell",
      ports: "a peer has protocols",
      holdingBack: "a data channel has no window, and js-libp2p reads on"
    }
  }
)
