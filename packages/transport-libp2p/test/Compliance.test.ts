import { transportCompliance } from "@satwire/transport/compliance"
import * as Effect from "effect/Effect"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { Dialer, Listener } from "@satwire/transport"
import { describe, it } from "vitest"
import { LIBP2P_HOST, type Libp2pNodeOptions, libp2pTransport, makeLibp2pNode } from "../src/index.ts"

const limits = { maxPerHostASecond: 1000, maxPending: 1000 }
const over = (asked: () => Libp2pNodeOptions) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const options = asked()
      const there = yield* makeLibp2pNode({ limits, ...options })
      const here = yield* makeLibp2pNode({ limits, ...options, listen: [] })
      yield* here.learn(there.addresses())
      const streams = { maxPerConnection: 1000 }
      const { listener } = yield* libp2pTransport(there, streams)
      const { dialer } = yield* libp2pTransport(here, streams)
      return Context.make(Dialer, dialer).pipe(Context.add(Listener, listener))
    })
  )

const localEndpoint = "libp2p does not tell"
const ports = "a peer has protocols"
/** Of a stream at most 4 MiB lie between two ends. */
const bulkMiB = 6

const suite = (name: string, options: () => Libp2pNodeOptions): void =>
  transportCompliance(
    { describe, it },
    {
      name: `libp2p over ${name}`,
      layer: over(options),
      host: LIBP2P_HOST,
      bulkMiB,
      lacks: { localEndpoint, ports }
    }
  )

let memories = 0
suite("TCP", () => ({ listen: ["/ip4/127.0.0.1/tcp/0"] }))
suite("QUIC", () => ({ listen: ["/ip4/127.0.0.1/udp/0/quic-v1"], transports: ["quic"] }))

// The rest has a command of its own, since it takes as long again for each.
if (process.env["SATWIRE_LIBP2P"] === "all") {
  suite("memory", () => ({ listen: [`/memory/${++memories}`], transports: ["memory"] }))
  suite("WebSocket", () => ({ listen: ["/ip4/127.0.0.1/tcp/0/ws"], transports: ["websocket"] }))
  if (!("Deno" in globalThis)) {
    suite("TCP with TLS", () => ({ listen: ["/ip4/127.0.0.1/tcp/0"], security: ["tls"] }))
  }
}
