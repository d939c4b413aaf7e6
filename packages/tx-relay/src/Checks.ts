/** Transactions that are being validated elsewhere: found by either of their hashes, so that nobody is asked for them meanwhile. */
import { equals } from "@satwire/bytes"
import type { PeerId, Random } from "@satwire/machine"
import { HashNumbers } from "@satwire/primitives"
import type { NamedTransaction } from "@satwire/tx-request"

/** A transaction under check. */
export interface Check extends NamedTransaction {
  /** Who sent it, or on whose account an orphan is looked at again; `undefined` for one of our own. */
  readonly from: PeerId | undefined
  readonly isOrphan: boolean
  /** The child that is validated with it. */
  readonly child: NamedTransaction | undefined
}

export class Checks {
  readonly #hashes: HashNumbers
  /** How many checks there are of a hash: a txid's witnesses may differ. */
  readonly #counts: Array<number> = []
  /** Few: one for each peer at most. */
  #checks: Array<Check> = []

  constructor(random: Random) {
    this.#hashes = new HashNumbers(random)
  }

  get size(): number {
    return this.#checks.length
  }

  /** Whether a transaction of this txid or wtxid is under check. */
  has(hash: Uint8Array): boolean {
    return this.#hashes.find(hash) >= 0
  }

  find(wtxid: Uint8Array): Check | undefined {
    return this.has(wtxid) ? this.#checks.find((check) => equals(check.wtxid, wtxid)) : undefined
  }

  /** Whether one is on this peer's account. */
  isOf(peer: PeerId): boolean {
    return this.#checks.some(({ from }) => from === peer)
  }

  /** Its wtxid must not be under check yet. */
  begin(check: Check): void {
    this.#checks.push(check)
    for (const hash of [check.txid, check.wtxid]) {
      const known = this.#hashes.find(hash)
      const number = known < 0 ? this.#hashes.add(hash) : known
      this.#counts[number] = known < 0 ? 1 : (this.#counts[number] as number) + 1
    }
  }

  /** The check of this wtxid, which is over. */
  end(wtxid: Uint8Array): Check | undefined {
    const check = this.find(wtxid)
    if (check === undefined) return undefined
    this.#checks = this.#checks.filter((each) => each !== check)
    for (const hash of [check.txid, check.wtxid]) {
      const number = this.#hashes.find(hash)
      const left = (this.#counts[number] as number) - 1
      this.#counts[number] = left
      if (left === 0) this.#hashes.remove(number)
    }
    return check
  }
}
