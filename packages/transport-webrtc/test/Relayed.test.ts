import { networkInterfaces } from "node:os"
import { assert, it } from "@effect/vitest"
import { type Libp2pNodeOptions, makeLibp2pNode } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { webRtc } from "../src/index.ts"

const ECHO = "/echo/1"
const node = (options: Libp2pNodeOptions) => makeLibp2pNode({ limits: { maxPerHostASecond: 1000 }, ...options })

const isSkipped =
  "Deno" in globalThis || Object.values(networkInterfaces()).every((some) => some?.every(({ internal }) => internal))

// On Deno 2.9 the native addon loads, and a connection never opens. ICE offers no address of loopback.
it.live.skipIf(isSkipped)("two that nobody can dial meet at a relay, and speak past it from then on", () =>
  Effect.scoped(
    Effect.gen(function* () {
      // It carries too little for what they are going to say.
      const relay = yield* node({ listen: ["/ip4/127.0.0.1/tcp/0"], reachability: { relay: { maxBytes: 30_000n } } })
      const [relayAddress = ""] = relay.addresses()
      const hidden = yield* node({
        listen: ["/webrtc"],
        transports: ["tcp", webRtc()],
        reachability: { relayed: { at: [relayAddress] } }
      })
      yield* hidden.handle(ECHO, (stream) => Stream.runForEach(stream.bytes, stream.write))
      const here = yield* node({ transports: ["tcp", webRtc()], reachability: { relayed: {} } })
      const address = yield* Effect.sync(() => hidden.addresses().find((text) => text.includes("/webrtc/"))).pipe(
        Effect.repeat({ until: (text) => text !== undefined, schedule: Schedule.spaced(20) })
      )
      assert.include(address, `${relay.peerId}/p2p-circuit/webrtc/p2p/${hidden.peerId}`)

      const stream = yield* here.openStream(address as string, ECHO)
      const part = new Uint8Array(10_000).fill(7)
      let returned = 0
      for (let i = 0; i < 20; i++) yield* stream.write(part)
      while (returned < 20 * part.length) returned += (yield* stream.read).length
      const direct = here.connections().filter(({ peerId, isLimited }) => peerId === hidden.peerId && !isLimited)
      assert.strictEqual(direct.length, 1)
      assert.include(direct[0]?.address, "/webrtc")
    })
  )
)
