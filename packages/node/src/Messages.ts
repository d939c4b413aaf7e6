/**
 * Every message of every connection, for who asks to see them: a trace, a capture. Nothing is copied while nobody does.
 *
 * Specification: a reader that is behind loses what comes, and is told how much. Rationale: a peer can send faster than any screen or disk
 * takes it, and neither may hold the node up or fill its memory.
 */
import type { NodeCoreWatch } from "@satwire/node-core"
import type { PeerId } from "@satwire/machine"
import type { TrafficLabel, WatchedMessage } from "@satwire/peer"
import { encodePayload } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"

/**
 * How many bytes of messages wait for one reader.
 *
 * @limit bytes of messages that wait for one who looks on
 */
export const WATCHED_BYTES_WAITING = 16_000_000
/**
 * How many messages wait for one reader.
 *
 * @limit messages that wait for one who looks on
 */
export const WATCHED_MESSAGES_WAITING = 16_384

/** A message that was received or is to be sent. */
export interface MessageSeen {
  readonly _tag: "Message"
  /** Milliseconds since 1970. */
  readonly unixMs: number
  readonly peer: PeerId
  readonly address: string
  readonly side: WatchedMessage["side"]
  /** The command, or `*other*`, `*dropped*`, `*decoy*` for what is no message of the table. */
  readonly command: TrafficLabel
  /** `undefined` for what is no message, or did not decode. */
  readonly payload: Uint8Array | undefined
  readonly sizeBytes: number
}

/** So many were not seen, because the reader was behind. */
export interface MessagesLost {
  readonly _tag: "Lost"
  readonly count: number
}

export type WatchedStream = Stream.Stream<MessageSeen | MessagesLost>

/** What one who looks on costs, beside its payload. */
const SEEN_BYTES = 200

class Reader {
  readonly queue: Queue.Queue<MessageSeen | MessagesLost> = Effect.runSync(
    Queue.unbounded<MessageSeen | MessagesLost>()
  )
  #bytes = 0
  #count = 0
  #lost = 0

  offer(seen: MessageSeen): void {
    const bytes = costOf(seen)
    if (this.#count >= WATCHED_MESSAGES_WAITING || this.#bytes + bytes > WATCHED_BYTES_WAITING) {
      this.#lost += 1
      return
    }
    if (this.#lost > 0) Queue.offerUnsafe(this.queue, { _tag: "Lost", count: this.#lost })
    this.#lost = 0
    this.#bytes += bytes
    this.#count += 1
    Queue.offerUnsafe(this.queue, seen)
  }

  taken(item: MessageSeen | MessagesLost): void {
    if (item._tag === "Lost") return
    this.#bytes -= costOf(item)
    this.#count -= 1
  }
}

const costOf = ({ payload }: MessageSeen): number => SEEN_BYTES + (payload?.length ?? 0)

export class Messages implements NodeCoreWatch {
  readonly #between: (action: () => void) => void
  readonly #unixMs: () => number
  readonly #readers: Set<Reader> = new Set()

  /** @param between what wakes fibers happens between turns */
  constructor(between: (action: () => void) => void, unixMs: () => number) {
    this.#between = between
    this.#unixMs = unixMs
  }

  get isOn(): boolean {
    return this.#readers.size > 0
  }

  seen(peer: PeerId, address: string, { label, message, side, sizeBytes }: WatchedMessage): void {
    const payload = message === undefined ? undefined : encodePayload(message)
    const unixMs = this.#unixMs()
    const seen: MessageSeen = { _tag: "Message", unixMs, peer, address, side, command: label, payload, sizeBytes }
    this.#between(() => {
      for (const reader of this.#readers) reader.offer(seen)
    })
  }

  /** What comes and goes from when it is read on. */
  get stream(): WatchedStream {
    return Stream.unwrap(
      Effect.acquireRelease(
        Effect.sync(() => {
          const reader = new Reader()
          this.#readers.add(reader)
          return reader
        }),
        (reader) => Effect.sync(() => this.#readers.delete(reader))
      ).pipe(
        Effect.map((reader) =>
          Stream.fromQueue(reader.queue).pipe(
            Stream.map((item) => {
              reader.taken(item)
              return item
            })
          )
        )
      )
    )
  }
}
