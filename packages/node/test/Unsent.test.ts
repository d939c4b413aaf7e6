/** What waits to be taken by all peers together. */
import type { NodeCoreInput } from "@satwire/node-core"
import { MAX_SEND_BUFFER_BYTES } from "@satwire/peer"
import { type Connection, Dialer, Listener, layerMemory } from "@satwire/transport"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Connections, UNSENT_BYTES_OF_ALL } from "../src/Connections.ts"

it.live("peers that take nothing are stopped one by one at a megabyte, and all of them once they are many", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const { listen } = yield* Listener
      const { dial } = yield* Dialer
      const deaf: Array<Connection> = []
      const { endpoint } = yield* listen({ host: "127.0.0.1", port: 0 }, (connection) => {
        connection.start({ onBytes: () => {}, onDrain: () => {}, onClose: () => {} })
        connection.pause()
        deaf.push(connection)
      })
      const blocked = new Set<number>()
      const connections = new Connections(
        (input: NodeCoreInput) => {
          if (input._tag !== "SendBlocked") return
          if (input.blocked) blocked.add(input.peer)
          else blocked.delete(input.peer)
        },
        () => {}
      )
      yield* Effect.addFinalizer(() => connections.closeAll)
      const each = MAX_SEND_BUFFER_BYTES - 1
      const many = Math.floor(UNSENT_BYTES_OF_ALL / each)
      const peers: Array<number> = []
      const write = (peer: number, bytes: number): void =>
        connections.perform({ _tag: "Write", peer: peer as never, bytes: new Uint8Array(bytes) })
      for (let i = 0; i < many + 3; i++) {
        connections.add(yield* dial(endpoint))
        peers.push(i + 1)
      }
      write(1, each)
      assert.deepStrictEqual([...blocked], [])
      write(1, 2)
      assert.deepStrictEqual([...blocked], [1])
      for (const peer of peers.slice(1, many)) write(peer, each)
      assert.deepStrictEqual([...blocked], [1])
      write(many + 1, each)
      write(many + 2, 10)
      assert.deepStrictEqual([...blocked], [1, many + 1, many + 2])
      for (const connection of deaf) connection.resume()
      yield* Effect.repeat(Effect.yieldNow, { until: () => blocked.size === 0 })
      write(many + 3, 10)
      assert.strictEqual(blocked.size, 0)
    })
  ).pipe(Effect.provide(layerMemory(), { local: true }))
)
