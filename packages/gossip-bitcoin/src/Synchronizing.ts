/**
 * What one peer has and the other has not, by request and reply on a stream of its own.
 *
 * ```
 *   0                          ▶   count 4, wtxids of 32 bytes each
 *   1  count 1, wtxids         ▶   for each: size 4 (0: it is not here), bytes
 * ```
 *
 * Numbers are little-endian. What a peer says that it has and does not give costs nothing: it may have been mined.
 */
import { ByteReader } from "@satwire/gossip"
import type { DialError, ListenError } from "@satwire/transport"
import { type Libp2pNodeShape, StreamError } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/**
 * @limit ids of transactions that are told to a peer which synchronizes, or heard of one
 */
export const MAX_SYNC_IDS = 50_000
/**
 * @limit transactions that are fetched of a peer in one synchronization
 */
export const MAX_SYNC_TRANSACTIONS = 5000
/**
 * @limit milliseconds that one synchronization may take
 */
export const SYNC_TIMEOUT_MS = 60_000
const AT_ONCE = 64
const MAX_BYTES = 400_000
const [LIST, GET] = [0, 1]

export interface Synchronized {
  /** How many the peer has. */
  readonly known: number
  readonly asked: number
  /** How many of them were good, and new. */
  readonly taken: number
}

export interface Source {
  readonly ids: () => Iterable<Uint8Array>
  readonly find: (wtxid: Uint8Array) => Uint8Array | undefined
}

export interface Sink {
  readonly has: (wtxid: Uint8Array) => boolean
  /** Whether it was taken. */
  readonly take: (bytes: Uint8Array) => Effect.Effect<boolean>
}

const sized = (size: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, size, true)
  return bytes
}

const sizeIn = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)

const joined = (ids: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(ids.length * 32)
  ids.forEach((id, i) => bytes.set(id, i * 32))
  return bytes
}

const firstOf = (ids: Iterable<Uint8Array>): ReadonlyArray<Uint8Array> => {
  const first: Array<Uint8Array> = []
  for (const id of ids) {
    if (first.length >= MAX_SYNC_IDS) break
    first.push(id)
  }
  return first
}

/** Answers whoever asks, as long as the scope. */
export const serveTransactions = (
  node: Libp2pNodeShape,
  protocol: string,
  source: Source
): Effect.Effect<void, ListenError, Scope.Scope> =>
  node.handle(
    protocol,
    (stream) => {
      const reader = new ByteReader(stream)
      const one = Effect.gen(function* () {
        const [kind] = yield* reader.exact(1)
        if (kind === LIST) {
          const ids = firstOf(source.ids())
          yield* stream.write(sized(ids.length))
          if (ids.length > 0) yield* stream.write(joined(ids))
          return
        }
        const [count = 0] = yield* reader.exact(1)
        if (kind !== GET || count > AT_ONCE) return yield* stream.reset
        const ids = yield* reader.exact(count * 32)
        for (let at = 0; at < ids.length; at += 32) {
          const found = source.find(ids.subarray(at, at + 32))
          yield* stream.write(sized(found?.length ?? 0))
          if (found !== undefined) yield* stream.write(found.slice())
        }
      })
      return Effect.forever(one).pipe(
        Effect.catchTag("Done", () => Effect.void),
        Effect.timeoutOrElse({ duration: SYNC_TIMEOUT_MS, orElse: () => stream.reset })
      )
    },
    { maxPerConnection: 2 }
  )

export const synchronize = (
  node: Libp2pNodeShape,
  protocol: string,
  peer: string,
  sink: Sink
): Effect.Effect<Synchronized, DialError | StreamError> => {
  const broken = (message: string): StreamError =>
    new StreamError({ reason: "Reset", protocol, peerId: peer, message: `${protocol} with ${peer}: ${message}` })
  return Effect.gen(function* () {
    const stream = yield* node.openStream(peer, protocol)
    const reader = new ByteReader(stream)
    const size = Effect.map(reader.exact(4), sizeIn)
    yield* stream.write(Uint8Array.of(LIST))
    const known = yield* size
    if (known > MAX_SYNC_IDS) return yield* Effect.fail(broken(`it has ${known} transactions, which is too many.`))
    const all = yield* reader.exact(known * 32)
    const wanted: Array<Uint8Array> = []
    for (let at = 0; at < all.length && wanted.length < MAX_SYNC_TRANSACTIONS; at += 32) {
      const id = all.subarray(at, at + 32)
      if (!sink.has(id)) wanted.push(id)
    }
    let taken = 0
    for (let from = 0; from < wanted.length; from += AT_ONCE) {
      const some = wanted.slice(from, from + AT_ONCE)
      yield* stream.write(Uint8Array.of(GET, some.length))
      yield* stream.write(joined(some))
      for (let i = 0; i < some.length; i++) {
        const length = yield* size
        if (length > MAX_BYTES) return yield* Effect.fail(broken(`a transaction of ${length} bytes.`))
        if (length > 0 && (yield* sink.take(yield* reader.exact(length)))) taken++
      }
    }
    return { known, asked: wanted.length, taken }
  }).pipe(
    Effect.scoped,
    Effect.catchTag("Done", () => Effect.fail(broken("it ended too early."))),
    Effect.timeoutOrElse({ duration: SYNC_TIMEOUT_MS, orElse: () => Effect.fail(broken("it took too long.")) })
  )
}
