/**
 * Payloads by their ids, between two peers: one stream, one request after the other. A stream stays for further requests, since opening one takes a
 * journey there and back.
 *
 * ```
 *   request    id 32
 *   reply      size 4 (little-endian, 0: it is not here)   bytes
 * ```
 */
import type { ByteStream, Libp2pNodeShape } from "@satwire/transport-libp2p"
import type { ListenError } from "@satwire/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { ByteReader } from "./ByteReader.ts"
import { TokenBucket } from "./TokenBucket.ts"

const ID_BYTES = 32
/**
 * @limit streams on which one peer may fetch payloads of a topic at once
 */
export const MAX_FETCH_STREAMS = 4
/**
 * @limit bytes of payloads in a second that are handed over on one stream, after the first 64 MiB
 */
export const SERVED_BYTES_PER_SECOND: number = 16 * 1024 * 1024
const SERVED_AT_ONCE = 64 * 1024 * 1024

/** Why a peer did not hand a payload over. */
export type Undelivered = "Absent" | "Unreachable" | "WrongSize"

interface Line {
  readonly stream: ByteStream
  readonly reader: ByteReader
  readonly scope: Scope.Closeable
}

export class Fetching {
  readonly #node: Libp2pNodeShape
  readonly #protocol: string
  readonly #scope: Scope.Scope
  readonly #idle: Map<string, Array<Line>> = new Map()

  constructor(node: Libp2pNodeShape, protocol: string, scope: Scope.Scope) {
    this.#node = node
    this.#protocol = protocol
    this.#scope = scope
  }

  /** Of that size and no other. It has no deadline of its own. */
  fetch(peer: string, id: Uint8Array, sizeBytes: number): Effect.Effect<Uint8Array, Undelivered> {
    const idle = this.#idle.get(peer)?.pop()
    const fresh = Effect.flatMap(this.#open(peer), (line) => this.#ask(peer, line, id, sizeBytes))
    if (idle === undefined) return fresh
    // One that waited may have ended meanwhile.
    return Effect.catchIf(
      this.#ask(peer, idle, id, sizeBytes),
      (why) => why === "Unreachable",
      () => fresh
    )
  }

  /** Peers that are gone have no idle streams. */
  forget(isThere: (peer: string) => boolean): void {
    for (const peer of this.#idle.keys()) if (!isThere(peer)) this.#idle.delete(peer)
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

  #ask(peer: string, line: Line, id: Uint8Array, sizeBytes: number): Effect.Effect<Uint8Array, Undelivered> {
    return Effect.gen(function* () {
      yield* line.stream.write(id.slice())
      const head = yield* line.reader.exact(4)
      const size = new DataView(head.buffer).getUint32(0, true)
      if (size !== sizeBytes) return yield* Effect.fail<Undelivered>(size === 0 ? "Absent" : "WrongSize")
      return yield* line.reader.exact(size)
    }).pipe(
      Effect.mapError((error): Undelivered => (typeof error === "string" ? error : "Unreachable")),
      Effect.onExit((exit) => {
        if (Exit.isFailure(exit)) return Scope.close(line.scope, exit)
        return this.#keep(peer, line)
      })
    )
  }

  #keep(peer: string, line: Line): Effect.Effect<void> {
    const idle = this.#idle.get(peer) ?? []
    if (idle.length >= MAX_FETCH_STREAMS) return Scope.close(line.scope, Exit.void)
    idle.push(line)
    this.#idle.set(peer, idle)
    return Effect.void
  }
}

export interface Serving {
  readonly node: Libp2pNodeShape
  readonly protocol: string
  readonly find: (id: Uint8Array) => Effect.Effect<Uint8Array | undefined>
  readonly nowMs: () => number
}

/** Hands payloads over to whoever asks, as long as the scope. */
export const serve = ({ node, protocol, find, nowMs }: Serving): Effect.Effect<void, ListenError, Scope.Scope> =>
  node.handle(
    protocol,
    (stream) => {
      const reader = new ByteReader(stream)
      const bucket = new TokenBucket({ perSecond: SERVED_BYTES_PER_SECOND, burst: SERVED_AT_ONCE }, nowMs())
      const one = Effect.gen(function* () {
        const bytes = (yield* find(yield* reader.exact(ID_BYTES))) ?? new Uint8Array(0)
        while (!bucket.take(Math.min(bytes.length, SERVED_AT_ONCE), nowMs())) yield* Effect.sleep(50)
        const head = new Uint8Array(4)
        new DataView(head.buffer).setUint32(0, bytes.length, true)
        yield* stream.write(head)
        // The stream owns what it is given, and these bytes are handed over more than once.
        if (bytes.length > 0) yield* stream.write(bytes.slice())
      })
      return Effect.forever(one).pipe(Effect.catchTag("Done", () => Effect.void))
    },
    { maxPerConnection: MAX_FETCH_STREAMS }
  )
