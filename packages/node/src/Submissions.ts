/** Those that wait to hear what became of transactions and blocks that they submitted. */
import { toHex } from "@satwire/primitives"
import type { DiskFull } from "@satwire/store"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/** Why a transaction or block is not taken, as Bitcoin Core names it; `undefined` where it is. */
export type SubmitRule = string | undefined

class Waiting<Fault = never> {
  readonly #waiting: Map<string, Deferred.Deferred<SubmitRule, Fault>> = new Map()
  #fault: Fault | undefined

  /** Submits what has this hash, and waits for what comes of it. Who submits the same meanwhile hears the same. */
  submit(hash: Uint8Array, hand: () => void): Effect.Effect<SubmitRule, Fault> {
    return Effect.suspend(() => {
      if (this.#fault !== undefined) return Effect.fail(this.#fault)
      const key = toHex(hash)
      const known = this.#waiting.get(key)
      if (known !== undefined) return Deferred.await(known)
      const heard = Deferred.makeUnsafe<SubmitRule, Fault>()
      this.#waiting.set(key, heard)
      hand()
      return Deferred.await(heard)
    })
  }

  /** For this nothing is taken, until it is called without; who waits is told now. */
  fails(fault?: Fault): void {
    this.#fault = fault
    if (fault === undefined) return
    for (const waiting of this.#waiting.values()) Deferred.doneUnsafe(waiting, Effect.fail(fault))
    this.#waiting.clear()
  }

  /** Not within a turn: it wakes fibers. */
  heard(hash: Uint8Array, rule: SubmitRule): void {
    const key = toHex(hash)
    const waiting = this.#waiting.get(key)
    this.#waiting.delete(key)
    if (waiting !== undefined) Deferred.doneUnsafe(waiting, Effect.succeed(rule))
  }
}

export class Submissions {
  readonly transactions: Waiting = new Waiting()
  /** While the disk is full none is taken. */
  readonly blocks: Waiting<DiskFull> = new Waiting()
}
