/** Each byte as a piece of its own, as any peer may send them. */
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Uint8ArrayList } from "uint8arraylist"
import { makeLibp2pNode } from "../src/index.ts"

const PIECES = "/pieces/1"
const RAW = "/raw/1"
const BYTES = 20_000

it.live("pieces of one byte are read as few, from lists that are bounded", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const security = ["noise"] as const
      const there = yield* makeLibp2pNode({ listen: ["/ip4/127.0.0.1/tcp/0"], security })
      const here = yield* makeLibp2pNode({ security })
      const read = yield* Deferred.make<ReadonlyArray<Uint8Array>, unknown>()
      yield* there.handle(PIECES, (stream) => Deferred.into(Stream.runCollect(stream.bytes), read))
      const kinds = yield* Deferred.make<unknown>()
      yield* Effect.promise(() =>
        there.engine.handle(RAW, (stream) =>
          stream.addEventListener("message", ({ data }) => Deferred.doneUnsafe(kinds, Effect.succeed(data.constructor)))
        )
      )
      yield* here.connect(there.addresses()[0] ?? "")
      const [connection] = here.engine.getConnections()
      if (connection === undefined) return yield* Effect.die("no connection")
      const stream = yield* Effect.promise(() => connection.newStream(PIECES))
      const sent = Uint8Array.from({ length: BYTES }, (_, at) => at & 255)
      for (let at = 0; at < BYTES; at++) stream.send(sent.subarray(at, at + 1))
      yield* Effect.promise(() => stream.close())
      const pieces = yield* Deferred.await(read)
      assert.deepStrictEqual(new Uint8Array(Buffer.concat(pieces)), sent)
      assert.isBelow(pieces.length, BYTES / 100)
      // A second copy of the package would not be bounded by what bounds the first.
      const raw = yield* Effect.promise(() => connection.newStream(RAW))
      raw.send(sent)
      assert.strictEqual(yield* Deferred.await(kinds), Uint8ArrayList)
    })
  )
)
