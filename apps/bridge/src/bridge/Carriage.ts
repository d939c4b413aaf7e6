/**
 * One page and one node, joined: what one says is written to the other. Neither is read while the other is behind in taking it, or while
 * more has been carried than the limits allow, so what lies here in between is bounded.
 *
 * ```
 *            ┌─ first bytes ─┐
 *   page ────┤ v1? closed    ├──▶ lane ──▶ node      a lane is held while its far end is behind,
 *     ▲      └───────────────┘                       and while its buckets are empty
 *     └──────────────── lane ◀──────────────┘
 * ```
 */
import type { TokenBucket } from "@satwire/machine"
import { type CloseReason, type Connection, describeClose } from "@satwire/transport"
import { BRIDGE_CLOSES, type WebSocketEnd } from "@satwire/transport-websocket"
import type { Summary } from "./BridgeEvent.ts"
import { FirstBytes } from "./FirstBytes.ts"

/**
 * One read of either side may come on top.
 *
 * @limit bytes that wait for one end of a bridged connection before the other is read no further
 */
export const MAX_UNTAKEN_BYTES: number = 256 * 1024

export interface CarriageRules {
  /** How long nothing may be said. */
  readonly idleMs: number
  /** How long the page may take for its first bytes. */
  readonly firstBytesMs: number
  /** Bytes in all, both ways together. */
  readonly maxBytes: number
  /** Whether a page may speak v1, which the bridge could read. */
  readonly allowUnencrypted: boolean
}

export interface CarriageOptions {
  readonly page: WebSocketEnd
  readonly node: Connection
  readonly rules: CarriageRules
  /** What is carried is taken from each of them. */
  readonly buckets: ReadonlyArray<TokenBucket>
  readonly nowMs: () => number
  /** Both ends are closed. Called once. */
  readonly onClosed: (summary: Summary) => void
}

export class Carriage {
  readonly #options: CarriageOptions
  readonly #toNode: Lane
  readonly #toPage: Lane
  /** Until it is known what the page speaks. */
  #firstBytes: FirstBytes | undefined
  readonly #since: number
  #heardAt: number
  #open = 2
  #why: string | undefined = undefined

  constructor(options: CarriageOptions) {
    this.#options = options
    const { page, node, rules } = options
    this.#toNode = new Lane(page, node)
    this.#toPage = new Lane(node, page)
    this.#firstBytes = rules.allowUnencrypted ? undefined : new FirstBytes()
    this.#since = options.nowMs()
    this.#heardAt = this.#since
  }

  /** Begins to carry. */
  start(): void {
    const { page, node } = this.#options
    page.start({
      onBytes: (bytes) => this.#fromPage(bytes),
      onDrain: () => this.#toPage.release("behind"),
      onClose: (reason) => this.#closed(node, reason, "the page")
    })
    node.start({
      onBytes: (bytes) => this.#carry(this.#toPage, bytes),
      onDrain: () => this.#toNode.release("behind"),
      onClose: (reason) => this.#closed(page, reason, "the node")
    })
  }

  /** To be called every now and then: who is silent for too long goes, and who waited for a bucket goes on. */
  tick(): void {
    const { rules, buckets, nowMs } = this.#options
    const now = nowMs()
    if (this.#toNode.carried === 0 && now - this.#since >= rules.firstBytesMs) {
      return this.end(BRIDGE_CLOSES.Idle, "nothing came from the page in time")
    }
    if (now - this.#heardAt >= rules.idleMs) return this.end(BRIDGE_CLOSES.Idle, "nothing was said for too long")
    if (buckets.some((bucket) => bucket.tokens(now) < 0)) return
    this.#toNode.release("over the rate")
    this.#toPage.release("over the rate")
  }

  /** Ends both, and tells the page why. */
  end(code: number, why: string): void {
    this.#why ??= why
    this.#options.page.endWith(code, why)
    this.#options.node.end()
  }

  /** Closes both now. */
  destroy(): void {
    this.#options.page.destroy()
    this.#options.node.destroy()
  }

  #fromPage(bytes: Uint8Array): void {
    if (this.#firstBytes === undefined) return this.#carry(this.#toNode, bytes)
    const beginning = this.#firstBytes.push(bytes)
    if (beginning._tag === "Undecided") return
    this.#firstBytes = undefined
    if (beginning._tag === "Other") return this.#carry(this.#toNode, beginning.bytes)
    this.end(BRIDGE_CLOSES.Unencrypted, "this bridge carries no v1: it could read along")
  }

  #carry(lane: Lane, bytes: Uint8Array): void {
    if (this.#why !== undefined) return
    const { buckets, rules, nowMs } = this.#options
    const now = nowMs()
    this.#heardAt = now
    lane.carry(bytes)
    if (this.#toNode.carried + this.#toPage.carried > rules.maxBytes) {
      return this.end(BRIDGE_CLOSES.Exhausted, "this bridge carries no more bytes for one connection")
    }
    for (const bucket of buckets) {
      if (bucket.spend(bytes.length, now) < 0) lane.hold("over the rate")
    }
  }

  /** One end is closed; the other is to follow in the same way. */
  #closed(other: Connection, reason: CloseReason, who: string): void {
    this.#why ??= `${who}: ${describeClose(reason)}`
    if (reason._tag === "Ended") other.end()
    else other.destroy()
    if (--this.#open > 0) return
    const { nowMs, onClosed } = this.#options
    onClosed({
      why: this.#why,
      toNodeBytes: this.#toNode.carried,
      toPageBytes: this.#toPage.carried,
      seconds: (nowMs() - this.#since) / 1000
    })
  }
}

type Hold = "behind" | "over the rate"

/** One direction. */
class Lane {
  readonly #from: Connection
  readonly #to: Connection
  readonly #holds: Set<Hold> = new Set()
  carried = 0

  constructor(from: Connection, to: Connection) {
    this.#from = from
    this.#to = to
  }

  carry(bytes: Uint8Array): void {
    this.carried += bytes.length
    // Copied, since the read buffer is used again.
    this.#to.write(new Uint8Array(bytes))
    if (this.#to.bufferedBytes > MAX_UNTAKEN_BYTES) this.hold("behind")
  }

  hold(hold: Hold): void {
    this.#holds.add(hold)
    this.#from.pause()
  }

  release(hold: Hold): void {
    if (this.#holds.delete(hold) && this.#holds.size === 0) this.#from.resume()
  }
}
