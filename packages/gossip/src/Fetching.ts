/**
 * Payloads by their ids, between two peers: a large one in parts over several streams side by side, since each stream starts with a window of
 * 256 KiB and would wait a journey for the next. A stream stays for further requests, and one that is likely to be needed is opened before,
 * since opening one takes a journey there and back.
 *
 * ```
 *   request    id 32   from 4   to 4 (little-endian)
 *   reply      size of the whole 4 (0: it is not here)   bytes from "from" up to "to"
 * ```
 */
import { concat } from "@satwire/bytes"
import { TokenBucket, keepLast } from "@satwire/machine"
import type { ByteStream, Libp2pNodeShape } from "@satwire/transport-libp2p"
import type { ListenError } from "@satwire/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { ByteReader } from "./ByteReader.ts"

const ID_BYTES = 32
const REQUEST_BYTES = 40
/** With the reply's head it fits into the first window of a stream (yamux). */
const PART_BYTES = 256 * 1024 - 4
/**
 * @limit streams on which one peer may fetch payloads of a topic at once
 */
export const MAX_FETCH_STREAMS = 4
/**
 * @limit bytes of payloads in a second that are handed over to one peer, after the first 256 MiB; a part counts as the whole
 */
export const SERVED_BYTES_PER_SECOND: number = 64 * 1024 * 1024
const SERVED_AT_ONCE = 256 * 1024 * 1024
/** What a request counts for, whether its payload is there or not: so many are answered as a peer may announce. */
export const REQUEST_COSTS: number = 16 * 1024
/**
 * @limit peers whose requests for payloads of a topic are counted; of more the one is forgotten that opened no stream for longest
 */
export const MAX_SERVED = 1024

/** Why a peer did not hand a payload over. `Forgotten`: it has it not, and was asked when it need not have it any more. */
export type Undelivered = "Absent" | "Forgotten" | "Late" | "Unreachable" | "WrongSize"

interface Line {
  readonly stream: ByteStream
  readonly reader: ByteReader
  readonly scope: Scope.Closeable
}

/** A peer's streams: so many at most, whoever needs one more waits. */
interface Lines {
  readonly permits: Semaphore.Semaphore
  /** Those that nobody uses, opened or not. */
  readonly free: Array<Line | undefined>
  /** Who uses one, or waits for one. */
  users: number
}

interface Wanted {
  readonly peer: string
  readonly id: Uint8Array
  readonly sizeBytes: number
  /** How long a peer has for a part, once it was asked. */
  readonly timeoutMs: number
  /** Whether it must have it still; looked at as it is asked. */
  readonly isDue: () => boolean
}

export class Fetching {
  readonly #node: Pick<Libp2pNodeShape, "openStream">
  readonly #protocol: string
  readonly #scope: Scope.Scope
  readonly #lines: Map<string, Lines> = new Map()

  constructor(node: Pick<Libp2pNodeShape, "openStream">, protocol: string, scope: Scope.Scope) {
    this.#node = node
    this.#protocol = protocol
    this.#scope = scope
  }

  /** Of that size and no other. */
  fetch(wanted: Wanted): Effect.Effect<Uint8Array, Undelivered> {
    const { sizeBytes } = wanted
    const count = Math.min(MAX_FETCH_STREAMS, Math.ceil(sizeBytes / PART_BYTES))
    if (count === 1) return this.#part(wanted, 0, sizeBytes)
    const cut = (part: number): number => Math.floor((part * sizeBytes) / count)
    const parts = Array.from({ length: count }, (_, i) => this.#part(wanted, cut(i), cut(i + 1)))
    return Effect.map(Effect.all(parts, { concurrency: "unbounded" }), concat)
  }

  /** Opens its streams before they are needed. */
  prepare(peer: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      const missing = this.#linesOf(peer).free.filter((line) => line === undefined).length
      const one = this.#borrow(peer, "closed", () => Effect.map(this.#open(peer), (line) => ({ line })))
      return Effect.ignore(Effect.replicateEffect(one, missing, { concurrency: "unbounded", discard: true }))
    })
  }

  /** A peer that is gone has no streams; what is in use ends by itself. */
  forget(peer: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      const lines = this.#lines.get(peer)
      this.#lines.delete(peer)
      return lines === undefined || lines.users > 0 ? Effect.void : closeAll(lines)
    })
  }

  /** After the last one who used them: nothing is kept of a peer that has no open stream, or was forgotten meanwhile. */
  #left(peer: string, lines: Lines): Effect.Effect<void> {
    lines.users -= 1
    const isKnown = this.#lines.get(peer) === lines
    if (lines.users > 0 || (isKnown && lines.free.some((line) => line !== undefined))) return Effect.void
    if (isKnown) this.#lines.delete(peer)
    return closeAll(lines)
  }

  #linesOf(peer: string): Lines {
    const known = this.#lines.get(peer)
    if (known !== undefined) return known
    const free = Array.from({ length: MAX_FETCH_STREAMS }, () => undefined)
    const lines: Lines = { permits: Semaphore.makeUnsafe(MAX_FETCH_STREAMS), free, users: 0 }
    this.#lines.set(peer, lines)
    return lines
  }

  /** One of its streams for as long as it is used, best one that is open or is not; what fails with it has closed it. */
  #borrow<A extends { readonly line: Line }>(
    peer: string,
    best: "open" | "closed",
    use: (line: Line | undefined) => Effect.Effect<A, Undelivered>
  ): Effect.Effect<A, Undelivered> {
    return Effect.suspend(() => {
      const lines = this.#linesOf(peer)
      const { free, permits } = lines
      lines.users += 1
      const used = Effect.suspend(() => {
        const at = free.findIndex((line) => (line === undefined) === (best === "closed"))
        const [line] = free.splice(Math.max(at, 0), 1)
        return Effect.onExit(use(line), (exit) =>
          Effect.sync(() => void free.push(Exit.isSuccess(exit) ? exit.value.line : undefined))
        )
      })
      return Effect.ensuring(
        permits.withPermit(used),
        Effect.suspend(() => this.#left(peer, lines))
      )
    })
  }

  #part(wanted: Wanted, from: number, to: number): Effect.Effect<Uint8Array, Undelivered> {
    const { peer, timeoutMs } = wanted
    const within = <A>(effect: Effect.Effect<A, Undelivered>, late: Undelivered) =>
      Effect.timeoutOrElse(effect, { duration: timeoutMs, orElse: () => Effect.fail(late) })
    const ask = (line: Line) =>
      within(
        Effect.map(this.#ask(line, wanted, from, to), (bytes) => ({ bytes, line })),
        "Late"
      )
    const fresh = Effect.flatMap(within(this.#open(peer), "Unreachable"), ask)
    const part = this.#borrow(peer, "open", (line) => {
      // One that waited may have ended meanwhile.
      return line === undefined ? fresh : Effect.catchIf(ask(line), isUnreachable, () => fresh)
    })
    return Effect.flatMap(part, ({ bytes }) => (typeof bytes === "string" ? Effect.fail(bytes) : Effect.succeed(bytes)))
  }

  #open(peer: string): Effect.Effect<Line, Undelivered> {
    return Effect.gen({ self: this }, function* () {
      const scope = yield* Scope.fork(this.#scope)
      const stream = yield* this.#node.openStream(peer, this.#protocol).pipe(
        Scope.provide(scope),
        Effect.onExit((exit) => (Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void)),
        Effect.mapError((): Undelivered => "Unreachable")
      )
      return { stream, scope, reader: new ByteReader(stream) }
    })
  }

  /** A stream on which it said that it has it not is as good as before. */
  #ask(
    line: Line,
    { id, isDue, sizeBytes }: Wanted,
    from: number,
    to: number
  ): Effect.Effect<Uint8Array | "Absent" | "Forgotten", Undelivered> {
    return Effect.gen(function* () {
      const absent = isDue() ? "Absent" : "Forgotten"
      yield* line.stream.write(encodeRequest(id, from, to))
      const head = yield* line.reader.exact(4)
      const size = new DataView(head.buffer).getUint32(0, true)
      if (size === 0) return absent
      if (size !== sizeBytes) return yield* Effect.fail<Undelivered>("WrongSize")
      return yield* line.reader.exact(to - from)
    }).pipe(
      Effect.mapError((error): Undelivered => (typeof error === "string" ? error : "Unreachable")),
      Effect.onExit((exit) => (Exit.isFailure(exit) ? Scope.close(line.scope, exit) : Effect.void))
    )
  }
}

const closeAll = ({ free }: Lines): Effect.Effect<void> =>
  Effect.forEach(free, (line) => (line === undefined ? Effect.void : Scope.close(line.scope, Exit.void)), {
    discard: true
  })

const isUnreachable = (why: Undelivered): why is "Unreachable" => why === "Unreachable"

const encodeRequest = (id: Uint8Array, from: number, to: number): Uint8Array => {
  const bytes = new Uint8Array(REQUEST_BYTES)
  bytes.set(id)
  const view = new DataView(bytes.buffer)
  view.setUint32(ID_BYTES, from, true)
  view.setUint32(ID_BYTES + 4, to, true)
  return bytes
}

export interface Serving {
  readonly node: Pick<Libp2pNodeShape, "handle">
  readonly protocol: string
  readonly find: (id: Uint8Array) => Effect.Effect<Uint8Array | undefined>
  readonly nowMs: () => number
}

/** How much each peer was handed over, whichever stream it asked on. */
class Served {
  readonly #buckets: Map<string, TokenBucket> = new Map()

  of(peer: string, nowMs: number): TokenBucket {
    const rate = { perSecond: SERVED_BYTES_PER_SECOND, burst: SERVED_AT_ONCE }
    const bucket = this.#buckets.get(peer) ?? new TokenBucket(rate, nowMs)
    keepLast(this.#buckets, peer, bucket, MAX_SERVED)
    return bucket
  }
}

/**
 * Hands payloads over to whoever asks, as long as the scope.
 *
 * Specification: a part counts as the whole, a part that no payload of that size has as none; a request counts for something before it is looked
 * up. Rationale: the whole may have to be read for it, or a store be asked for what is not there.
 */
export const serve = ({ node, protocol, find, nowMs }: Serving): Effect.Effect<void, ListenError, Scope.Scope> =>
  Effect.suspend(() => {
    const served = new Served()
    return node.handle(
      protocol,
      (stream) => {
        const reader = new ByteReader(stream)
        const bucket = served.of(stream.peerId, nowMs())
        const take = (bytes: number) =>
          Effect.gen(function* () {
            while (!bucket.take(bytes, nowMs())) yield* Effect.sleep(50)
          })
        const one = Effect.gen(function* () {
          const request = yield* reader.exact(REQUEST_BYTES)
          const view = new DataView(request.buffer)
          const [from, to] = [view.getUint32(ID_BYTES, true), view.getUint32(ID_BYTES + 4, true)]
          yield* take(REQUEST_COSTS)
          const bytes = (yield* find(request.subarray(0, ID_BYTES))) ?? new Uint8Array(0)
          yield* take(Math.max(0, Math.min(bytes.length, SERVED_AT_ONCE) - REQUEST_COSTS))
          const head = new Uint8Array(4)
          new DataView(head.buffer).setUint32(0, bytes.length, true)
          yield* stream.write(head)
          // The stream owns what it is given, and these bytes are handed over more than once.
          const part = bytes.slice(from, to)
          if (part.length > 0) yield* stream.write(part)
        })
        return Effect.forever(one).pipe(Effect.catchTag("Done", () => Effect.void))
      },
      { maxPerConnection: MAX_FETCH_STREAMS }
    )
  })
