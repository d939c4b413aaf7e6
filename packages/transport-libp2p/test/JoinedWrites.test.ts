/** What goes out of a node over TCP with Noise: how many writes it takes. */
import { assert, describe, it } from "@effect/vitest"
import type { MultiaddrConnection, Upgrader } from "@libp2p/interface"
import { tcp } from "@libp2p/tcp"
import { pattern } from "@satwire/transport/compliance"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Libp2pNodeOptions, makeLibp2pNode } from "../src/index.ts"

type Carriage = NonNullable<Libp2pNodeOptions["transports"]>[number]

const SINK = "/sink/1"
const SMALL = 200
const MESSAGES = 100

/** TCP that tells of each write of a dialled connection how long it is. */
const counted =
  (writes: Array<number>): Carriage =>
  (components) => {
    const inner = tcp()(components)
    const dial = inner.dial.bind(inner)
    const count = (connection: MultiaddrConnection): MultiaddrConnection => {
      const send = connection.send.bind(connection)
      connection.send = (bytes) => {
        for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) writes.push(piece.length)
        return send(bytes)
      }
      return connection
    }
    inner.dial = (address, options) => {
      const upgradeOutbound: Upgrader["upgradeOutbound"] = (connection, how) =>
        options.upgrader.upgradeOutbound(count(connection), how)
      return dial(address, { ...options, upgrader: { ...options.upgrader, upgradeOutbound } })
    }
    return inner
  }

const joined = Effect.gen(function* () {
  const writes: Array<number> = []
  const security = ["noise"] as const
  const there = yield* makeLibp2pNode({ listen: ["/ip4/127.0.0.1/tcp/0"], security })
  const here = yield* makeLibp2pNode({ transports: [counted(writes)], security })
  const taken = yield* Deferred.make<Uint8Array, unknown>()
  yield* there.handle(SINK, (stream) =>
    Deferred.into(
      Effect.map(Stream.runCollect(stream.bytes), (parts) => new Uint8Array(Buffer.concat(parts))),
      taken
    )
  )
  yield* here.connect(there.addresses()[0] ?? "")
  const [connection] = here.engine.getConnections()
  if (connection === undefined) return yield* Effect.die("no connection")
  const stream = yield* Effect.promise(() => connection.newStream(SINK))
  yield* here.ping(there.peerId)
  const sent = pattern(MESSAGES * SMALL, 1)
  writes.length = 0
  for (let at = 0; at < sent.length; at += SMALL) stream.send(sent.subarray(at, at + SMALL))
  return { connection, sent, stream, taken, writes }
})

describe("writes of a connection", () => {
  it.live("are one for what is sent in one turn", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { sent, stream, taken, writes } = yield* joined
        yield* Effect.promise(() => new Promise<void>((resolve) => process.nextTick(resolve)))
        assert.strictEqual(writes.length, 1)
        assert.isAbove(writes[0] ?? 0, sent.length)
        yield* Effect.promise(() => stream.close())
        assert.deepStrictEqual(yield* Deferred.await(taken), sent)
      })
    )
  )

  it.live("are all made before a connection closes in the same turn", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { connection, sent, taken } = yield* joined
        yield* Effect.promise(() => connection.close())
        assert.deepStrictEqual(yield* Deferred.await(taken), sent)
      })
    )
  )
})
