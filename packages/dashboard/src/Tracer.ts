/**
 * The messages of all connections, for who looks on at the page. A node's messages are copied while somebody asks for them, and a few seconds
 * longer; else it costs nothing.
 *
 * Specification: the last so many messages, in so many bytes, whoever looks on and however often; what that is too little for is told as a
 * number. A page asks twice a second, and the payload of a message is decoded when somebody opens it. Rationale: a peer can send faster
 * than anybody reads, and a page that is left open must not cost the node what a reader of all that would.
 */
import { toHex } from "@satwire/bytes"
import { platformSha256 } from "@satwire/crypto/node"
import { payloadJson } from "@satwire/events/client"
import type { MessageSeen, MessagesLost, NodeShape } from "@satwire/node"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { MessageDetail, MessageRow, MessagesAnswer } from "@satwire/dashboard-page"

/**
 * @limit messages that a dashboard's tracer keeps
 */
export const MESSAGES_KEPT = 5000
/**
 * @limit bytes of payloads that a dashboard's tracer keeps
 */
export const PAYLOAD_BYTES_KEPT = 8_000_000
/**
 * @limit messages in one answer of a dashboard's tracer
 */
export const MESSAGES_TOLD = 300
/**
 * @limit bytes of a payload that a dashboard shows in hexadecimal
 */
export const HEX_BYTES_SHOWN = 1024
/** After the last question, in milliseconds. */
const LOOKED_ON_MS = 5000

export interface MessageFilter {
  readonly after: number
  readonly peer: number | undefined
  readonly commands: ReadonlySet<string> | undefined
  readonly side: string | undefined
}

interface Kept extends MessageRow {
  readonly payload: Uint8Array | undefined
}

export class Tracer {
  readonly #node: NodeShape
  readonly #scope: Scope.Scope
  #kept: Array<Kept> = []
  #bytes = 0
  #n = 0
  #askedMs = Number.NEGATIVE_INFINITY
  #isOn = false
  /** Lost before they came here, by the number of the message after which. */
  #lost: Array<{ readonly after: number; readonly count: number }> = []

  private constructor(node: NodeShape, scope: Scope.Scope) {
    this.#node = node
    this.#scope = scope
  }

  static readonly make = (node: NodeShape): Effect.Effect<Tracer, never, Scope.Scope> =>
    Effect.map(Effect.scope, (scope) => new Tracer(node, scope))

  /** What came since, as far as it passes the filter; from now on messages are looked on at. */
  messages(filter: MessageFilter): Effect.Effect<MessagesAnswer> {
    return Effect.andThen(
      this.#lookOn,
      Effect.sync(() => this.#answer(filter))
    )
  }

  message(n: number): MessageDetail | undefined {
    const found = this.#kept.find((each) => each.n === n)
    if (found === undefined) return undefined
    const { payload, ...row } = found
    if (payload === undefined) return { ...row, decoded: null, hex: "", payloadBytes: 0 }
    return {
      ...row,
      decoded: payloadJson(row.command, payload, platformSha256) ?? null,
      hex: toHex(payload.subarray(0, HEX_BYTES_SHOWN)),
      payloadBytes: payload.length
    }
  }

  get isOn(): boolean {
    return this.#isOn
  }

  get #lookOn(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      this.#askedMs = yield* Clock.currentTimeMillis
      if (this.#isOn) return
      this.#isOn = true
      const looking = Stream.runForEachArray(this.#node.messages, (seen) => Effect.sync(() => this.#take(seen)))
      yield* Effect.raceFirst(looking, this.#unasked).pipe(
        Effect.ensuring(Effect.sync(() => this.#forget())),
        Effect.forkIn(this.#scope, { startImmediately: true })
      )
    })
  }

  /** Done when nobody has asked for a while. */
  get #unasked(): Effect.Effect<void> {
    return Clock.currentTimeMillis.pipe(
      Effect.map((ms) => LOOKED_ON_MS - (ms - this.#askedMs)),
      Effect.tap((left) => Effect.sleep(Math.max(0, left))),
      Effect.repeat({ until: (left) => left <= 0 }),
      Effect.asVoid
    )
  }

  #forget(): void {
    this.#isOn = false
    this.#kept = []
    this.#bytes = 0
    this.#lost = []
  }

  #take(items: ReadonlyArray<MessageSeen | MessagesLost>): void {
    for (const item of items) {
      if (item._tag === "Lost") this.#lost.push({ after: this.#n, count: item.count })
      else {
        const { address, command, payload, peer, side, sizeBytes, unixMs } = item
        this.#kept.push({ n: ++this.#n, unixMs, peer, address, side, command, sizeBytes, payload })
        this.#bytes += payload?.length ?? 0
      }
    }
    this.#makeRoom()
  }

  #makeRoom(): void {
    let gone = Math.max(0, this.#kept.length - MESSAGES_KEPT)
    for (let i = 0; i < gone; i++) this.#bytes -= this.#kept[i]?.payload?.length ?? 0
    while (this.#bytes > PAYLOAD_BYTES_KEPT && gone < this.#kept.length) {
      this.#bytes -= this.#kept[gone++]?.payload?.length ?? 0
    }
    if (gone > 0) this.#kept.splice(0, gone)
    const first = this.#kept[0]?.n ?? this.#n
    this.#lost = this.#lost.filter(({ after }) => after >= first - 1)
  }

  #answer({ after, commands, peer, side }: MessageFilter): MessagesAnswer {
    // Who asks for the first time, or was with another run, has lost nothing.
    const isNew = after === 0 || after > this.#n
    const since = isNew ? 0 : after
    const first = (this.#kept[0]?.n ?? this.#n + 1) - 1
    let lost = Math.max(0, first - since)
    for (const each of this.#lost) if (each.after >= since) lost += each.count
    const rows: Array<MessageRow> = []
    for (let i = this.#kept.length - 1; i >= 0; i--) {
      const { payload: _, ...row } = this.#kept[i] as Kept
      if (row.n <= since) break
      if (peer !== undefined && row.peer !== peer) continue
      if (commands !== undefined && !commands.has(row.command)) continue
      if (side !== undefined && row.side !== side) continue
      if (rows.length < MESSAGES_TOLD) rows.push(row)
      else lost++
    }
    return { rows, last: this.#n, lost: isNew ? 0 : lost }
  }
}
