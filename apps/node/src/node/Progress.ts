/**
 * How the sync goes, in at most one line a second: the first change is told at once, what comes within the second after it in one line
 * at its end.
 */
import type { NodeFact } from "@satwire/node"
import type { PeerId } from "@satwire/machine"
import { toHex } from "@satwire/primitives"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { counted } from "../Numbers.ts"

const LINE_INTERVAL_MS = 1000
const NANOS_PER_MS = 1_000_000n

export class Progress {
  readonly #news: Latch.Latch = Latch.makeUnsafe(false)
  readonly #addresses: Map<PeerId, string> = new Map()
  /** The height that each peer named in its handshake, for telling how far it is. */
  readonly #claimed: Map<PeerId, number> = new Map()
  #tip: { readonly height: number; readonly hash: Uint8Array; readonly from: string } | undefined
  #headers = 0
  #removed = 0

  /** Takes a fact in. */
  observe(fact: NodeFact): void {
    switch (fact._tag) {
      case "PeerReady":
        this.#addresses.set(fact.peer, fact.address)
        this.#claimed.set(fact.peer, fact.info.startHeight)
        return
      case "PeerDisconnecting":
        this.#addresses.delete(fact.peer)
        this.#claimed.delete(fact.peer)
        return
      case "HeadersAccepted":
        this.#headers += fact.count
        return
      case "TipChanged":
        this.#tip = { height: fact.tip.height, hash: fact.tip.hash, from: this.#addressOf(fact.from) }
        this.#removed += fact.removed
        this.#news.openUnsafe()
        return
      default:
        return
    }
  }

  /** Writes lines until it is interrupted. */
  lines(write: (line: string) => Effect.Effect<void>): Effect.Effect<never> {
    return Effect.gen({ self: this }, function* () {
      let last = -Infinity
      for (;;) {
        yield* this.#news.await
        this.#news.closeUnsafe()
        const now = yield* nowMs
        const line = this.#line(now - last)
        last = now
        if (line !== undefined) yield* write(line)
        yield* Effect.sleep(LINE_INTERVAL_MS)
      }
    })
  }

  /** What is new; the rate where it was measured without a pause. */
  #line(elapsedMs: number): string | undefined {
    const tip = this.#tip
    if (tip === undefined) return undefined
    const isSteady = this.#headers > 1 && elapsedMs < 2 * LINE_INTERVAL_MS
    const rate = isSteady ? `, ${counted((this.#headers * 1000) / elapsedMs, "header")}/s` : ""
    const replaced = this.#removed > 0 ? `, ${counted(this.#removed, "header")} replaced by a chain with more work` : ""
    const line = `Headers: height ${counted(tip.height)}${this.#share(tip.height)}${rate}${tip.from}${replaced}, tip ${toHex(tip.hash)}.`
    this.#headers = 0
    this.#removed = 0
    return line
  }

  #addressOf(peer: PeerId | undefined): string {
    return peer === undefined ? "" : ` from ${this.#addresses.get(peer) ?? `peer ${peer}`}`
  }

  /** How much of the highest height that a connected peer has named. */
  #share(height: number): string {
    const claimed = Math.max(0, ...this.#claimed.values())
    return claimed > height ? ` of ${counted(claimed)} (${Math.floor((100 * height) / claimed)} %)` : ""
  }
}

const nowMs: Effect.Effect<number> = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / NANOS_PER_MS))
