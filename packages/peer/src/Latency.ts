/**
 * The pings of one connection: when the next is due, which one is out, how long they take (BIP-0031).
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`MaybeSendPing`, `NetMsgType::PONG`).
 */
import { type Instant, type Now, type Random, after } from "@satwire/machine"
import { TIMEOUT_INTERVAL_MS } from "./Timeouts.ts"

export class Latency {
  /** The nonce of the ping that waits for its pong; 0 for none. */
  #nonce = 0n
  #sentAt: Instant | undefined = undefined
  #lastMs: number | undefined = undefined
  #leastMs: number | undefined = undefined

  /** Notes a ping that leaves now and gives its nonce, which is never 0. */
  ping(random: Random, now: Now): bigint {
    do this.#nonce = random.u64()
    while (this.#nonce === 0n)
    this.#sentAt = now.instant
    return this.#nonce
  }

  /**
   * Takes an answer in and gives the round trip in milliseconds where it was the one that is waited for. Another nonce is ignored, as pings
   * may overlap, except 0, by which a peer gives the ping up.
   */
  pong(nonce: bigint, now: Now): number | undefined {
    if (this.isIdle || this.#sentAt === undefined) return undefined
    if (nonce !== this.#nonce) {
      if (nonce === 0n) this.giveUp()
      return undefined
    }
    const ms = now.instant - this.#sentAt
    this.#lastMs = ms
    this.#leastMs = this.#leastMs === undefined ? ms : Math.min(this.#leastMs, ms)
    this.#nonce = 0n
    return ms
  }

  /** No answer to the ping that is out counts any more, and the peer is not blamed for it. */
  giveUp(): void {
    this.#nonce = 0n
  }

  /** Whether no ping waits for its pong. */
  get isIdle(): boolean {
    return this.#nonce === 0n
  }

  /** When the next ping is due: so long after the last, once that one is answered. */
  nextDue(intervalMs: number): Instant | undefined {
    return this.#nonce === 0n && this.#sentAt !== undefined ? after(this.#sentAt, intervalMs) : undefined
  }

  /** From when on a ping waits for longer than a peer may take. */
  get overdueAt(): Instant | undefined {
    return this.#nonce !== 0n && this.#sentAt !== undefined ? after(this.#sentAt, TIMEOUT_INTERVAL_MS) : undefined
  }

  snapshot(): {
    readonly pingMs: number | undefined
    readonly minPingMs: number | undefined
    readonly pingSince: Instant | undefined
  } {
    return { pingMs: this.#lastMs, minPingMs: this.#leastMs, pingSince: this.isIdle ? undefined : this.#sentAt }
  }
}
