/** An honest writer, and a reader who stops: what was sent and is not read is bounded, and the stream lasts. */
import { assert, describe, it } from "@effect/vitest"
import type { Stream as EngineStream } from "@libp2p/interface"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { MAX_UNSENT_BYTES, MAX_WINDOW_BYTES, makeLibp2pNode } from "../src/index.ts"
import { StreamConnection } from "../src/StreamConnection.ts"

const SLOW = "/slow/1"
const PIECE = 60_000
/** So often is read, each time a moment after the one before, and then no more. */
const READS = 20
/** Of what the reader was not handed: what his stream holds, and what the writer has not sent. */
const MOST = 2 * MAX_WINDOW_BYTES + 2 * MAX_UNSENT_BYTES
/** Who may not write for so long is held back. */
const HELD_MS = 150

const CARRIAGES = { tcp: "/ip4/127.0.0.1/tcp/0", quic: "/ip4/127.0.0.1/udp/0/quic-v1" } as const
type Carriage = keyof typeof CARRIAGES

const pair = Effect.fnUntraced(function* (carriage: Carriage) {
  const options = { security: ["noise"], transports: [carriage] } as const
  const there = yield* makeLibp2pNode({ ...options, listen: [CARRIAGES[carriage]] })
  const here = yield* makeLibp2pNode(options)
  /** How much more can be written into a stream than its reader takes, who stops at some time. */
  const written = Effect.fnUntraced(function* (reader: { readonly reads: number; readonly bytes: number }) {
    const stream = yield* here.openStream(there.addresses()[0] ?? "", SLOW)
    let sent = 0
    const one = Effect.timeoutOption(stream.write(new Uint8Array(PIECE)), HELD_MS)
    const more = () => sent - reader.bytes
    for (let isHeld = false; more() < 2 * MOST && !isHeld; sent += PIECE) {
      isHeld = Option.isNone(yield* one) && reader.reads === READS
    }
    return { more: more(), stream }
  })
  return { there, written }
})

const moment = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 1)))

describe.each(["tcp", "quic"] as const)("who reads no more holds the other end back over %s", (carriage) => {
  it.live("on a stream", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { there, written } = yield* pair(carriage)
        const reader = { reads: 0, bytes: 0 }
        yield* there.handle(SLOW, (stream) => {
          const one = Effect.tap(Effect.tap(stream.read, moment), ({ length }) =>
            Effect.sync(() => {
              reader.reads++
              reader.bytes += length
            })
          )
          return Effect.andThen(Effect.ignore(Effect.replicateEffect(one, READS, { discard: true })), Effect.never)
        })
        const { more, stream } = yield* written(reader)
        assert.isBelow(more, MOST)
        assert.strictEqual(reader.reads, READS)
        yield* stream.reset
      })
    )
  )

  it.live("on a connection, whose handler pauses at what it is given", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { there, written } = yield* pair(carriage)
        const reader = { reads: 0, bytes: 0 }
        let end: string | undefined
        const endpoint = { host: "x", port: 0 }
        const take = (raw: EngineStream): void => {
          const ends = { remote: endpoint, local: endpoint, direction: "inbound" } as const
          const connection = new StreamConnection(raw, ends, () => undefined)
          connection.start({
            onBytes: ({ length }) => {
              connection.pause()
              reader.bytes += length
              if (++reader.reads < READS) setTimeout(() => connection.resume(), 1)
            },
            onDrain: () => undefined,
            onClose: ({ _tag }) => (end = _tag)
          })
        }
        yield* Effect.promise(() => there.engine.handle(SLOW, take))
        const { more, stream } = yield* written(reader)
        assert.isBelow(more, MOST)
        assert.deepStrictEqual([reader.reads, end], [READS, undefined])
        yield* stream.reset
      })
    )
  )
})
