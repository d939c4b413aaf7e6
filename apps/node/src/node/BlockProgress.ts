/**
 * How the blocks come, in at most one line a second: how far they are whole, how many and how much comes in a second, and how long the rest
 * takes at the pace of the last half minute. Blocks grow along the chain, so that what is left is reckoned in blocks and told roughly.
 */
import type { NodeFact } from "@satwire/node"
import { toHex } from "@satwire/primitives"
import type * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { counted } from "../Numbers.ts"
import { LINE_INTERVAL_MS, type Moment, everySecond } from "./EverySecond.ts"
import { Pace, leftOf } from "./Pace.ts"

export class BlockProgress {
  readonly #news: Latch.Latch = Latch.makeUnsafe(false)
  readonly #pace: Pace = new Pace()
  /** Of the best header, and of the chain of which all blocks are there. */
  #best = 0
  #height = 0
  #hash: Uint8Array = new Uint8Array(32)
  #isTold = true
  #added = 0
  #removed = 0
  #bytes = 0

  /** Takes a fact in. */
  observe(fact: NodeFact): void {
    switch (fact._tag) {
      case "HeadersLoaded":
        this.#best = fact.height
        return
      case "TipChanged":
        this.#best = fact.tip.height
        return
      case "BlocksStored":
        this.#bytes += fact.bytes
        return
      case "BlockTipChanged":
        this.#height = fact.tip.height
        this.#hash = fact.tip.hash
        this.#added += fact.added
        this.#removed += fact.removed
        this.#isTold = false
        this.#news.openUnsafe()
        return
      default:
        return
    }
  }

  /** Writes lines until it is interrupted. */
  lines(write: (line: string) => Effect.Effect<void>): Effect.Effect<never> {
    return everySecond(this.#news, (now, elapsedMs) => this.#line(now, elapsedMs), write)
  }

  #line(now: Moment, elapsedMs: number): string | undefined {
    if (this.#isTold) return undefined
    const best = Math.max(this.#best, this.#height)
    this.#pace.note(now.ms, this.#height)
    const of = best > this.#height ? ` of ${counted(best)} (${Math.floor((100 * this.#height) / best)} %)` : ""
    const left = best > this.#height ? leftOf(this.#pace.msFor(best - this.#height)) : ""
    const replaced = this.#removed > 0 ? `, ${counted(this.#removed, "block")} left for another chain` : ""
    const line = `Blocks: height ${counted(this.#height)}${of}${this.#rate(elapsedMs)}${left}${replaced}, tip ${toHex(this.#hash)}.`
    this.#isTold = true
    this.#added = 0
    this.#removed = 0
    this.#bytes = 0
    return line
  }

  /** Where it was measured without a pause. */
  #rate(elapsedMs: number): string {
    if (this.#added < 2 || elapsedMs >= 2 * LINE_INTERVAL_MS) return ""
    const megabytes = (this.#bytes / 1e6 / (elapsedMs / 1000)).toFixed(1)
    return `, ${counted((this.#added * 1000) / elapsedMs, "block")}/s, ${megabytes} MB/s`
  }
}
