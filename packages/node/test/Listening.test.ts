import { assert, describe, it } from "@effect/vitest"
import { HeaderStore } from "@satwire/store"
import { MemoryNetwork } from "@satwire/transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { startOn } from "./TestNode.ts"

const HERE = { host: "50.1.0.1", port: 8333 }
const settle = Effect.repeat(Effect.yieldNow, { times: 50 })

describe("a listening socket that the system takes away", () => {
  it.effect("is told of and opened again with growing pauses, and who is connected stays", () =>
    Effect.gen(function* () {
      const network = yield* MemoryNetwork
      const edgesOf = (host: string) =>
        Layer.fresh(
          Layer.merge(
            Layer.provide(MemoryNetwork.host(host), Layer.succeed(MemoryNetwork, network)),
            HeaderStore.layerMemory
          )
        )
      const node = yield* startOn(edgesOf(HERE.host), { listen: HERE })
      const peer = yield* startOn(edgesOf("51.1.0.1"), { listen: undefined, connect: [HERE] })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(node.all("PeerReady").length, 1)

      network.loseListeners()
      yield* settle
      const [lost] = node.all("ListeningLost")
      assert.deepStrictEqual([lost?.endpoint, lost?.retryInMs], [HERE, 1000])
      assert.include(lost?.error.message, "50.1.0.1:8333")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(node.all("Listening").length, 2)
      assert.deepStrictEqual([node.all("PeerDisconnecting"), peer.all("PeerDisconnecting")], [[], []])

      // Somebody else was faster.
      network.loseListeners()
      const usurper = yield* Effect.scoped(
        Effect.gen(function* () {
          const other = yield* startOn(edgesOf(HERE.host), { listen: HERE })
          yield* TestClock.adjust("10 seconds")
          return other.all("Listening").length
        })
      )
      assert.strictEqual(usurper, 1)
      const pauses = node.all("ListeningLost").map(({ retryInMs }) => retryInMs)
      assert.deepStrictEqual(pauses, [1000, 1000, 2000, 4000, 8000])
      assert.strictEqual(node.all("ListeningLost").at(-1)?.error.reason, "AddressInUse")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(node.all("Listening").length, 3)
    }).pipe(Effect.scoped, Effect.provide(Layer.fresh(MemoryNetwork.layer({ latencyMs: 1 }))))
  )
})

describe("a node that listens in several places", () => {
  it.effect("is reached at each of them", () =>
    Effect.gen(function* () {
      const network = yield* MemoryNetwork
      const edgesOf = (host: string) =>
        Layer.fresh(
          Layer.merge(
            Layer.provide(MemoryNetwork.host(host), Layer.succeed(MemoryNetwork, network)),
            HeaderStore.layerMemory
          )
        )
      const there = { ...HERE, port: 8334 }
      const node = yield* startOn(edgesOf(HERE.host), { listen: HERE, alsoListen: [there] })
      assert.deepStrictEqual(
        node.all("Listening").map(({ endpoint }) => endpoint),
        [HERE, there]
      )
      yield* startOn(edgesOf("51.1.0.1"), { listen: undefined, connect: [there] })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(node.all("PeerReady").length, 1)
    }).pipe(Effect.scoped, Effect.provide(Layer.fresh(MemoryNetwork.layer({ latencyMs: 1 }))))
  )
})
