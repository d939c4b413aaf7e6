/** Those that wait to hear what became of transactions that they submitted. */
import type { Wtxid } from "@satwire/primitives"
import { toHex } from "@satwire/primitives"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/** Why a transaction is not taken, as Bitcoin Core names it; `undefined` where it is. */
export type SubmitRule = string | undefined

export class Submissions {
  readonly #waiting: Map<string, Deferred.Deferred<SubmitRule>> = new Map()

  /** Submits, and waits for what comes of it. Who submits the same meanwhile hears the same. */
  submit(wtxid: Wtxid, hand: () => void): Effect.Effect<SubmitRule> {
    return Effect.suspend(() => {
      const key = toHex(wtxid)
      const known = this.#waiting.get(key)
      if (known !== undefined) return Deferred.await(known)
      const heard = Deferred.makeUnsafe<SubmitRule>()
      this.#waiting.set(key, heard)
      hand()
      return Deferred.await(heard)
    })
  }

  /** Not within a turn: it wakes fibers. */
  heard(wtxid: Wtxid, rule: SubmitRule): void {
    const key = toHex(wtxid)
    const waiting = this.#waiting.get(key)
    this.#waiting.delete(key)
    if (waiting !== undefined) Deferred.doneUnsafe(waiting, Effect.succeed(rule))
  }
}
