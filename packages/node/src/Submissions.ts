/** Those that wait to hear what became of transactions and blocks that they submitted. */
import { toHex } from "@satwire/primitives"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/** Why a transaction or block is not taken, as Bitcoin Core names it; `undefined` where it is. */
export type SubmitRule = string | undefined

export class Submissions {
  readonly #waiting: Map<string, Deferred.Deferred<SubmitRule>> = new Map()

  /** Submits what has this hash, and waits for what comes of it. Who submits the same meanwhile hears the same. */
  submit(hash: Uint8Array, hand: () => void): Effect.Effect<SubmitRule> {
    return Effect.suspend(() => {
      const key = toHex(hash)
      const known = this.#waiting.get(key)
      if (known !== undefined) return Deferred.await(known)
      const heard = Deferred.makeUnsafe<SubmitRule>()
      this.#waiting.set(key, heard)
      hand()
      return Deferred.await(heard)
    })
  }

  /** Not within a turn: it wakes fibers. */
  heard(hash: Uint8Array, rule: SubmitRule): void {
    const key = toHex(hash)
    const waiting = this.#waiting.get(key)
    this.#waiting.delete(key)
    if (waiting !== undefined) Deferred.doneUnsafe(waiting, Effect.succeed(rule))
  }
}
