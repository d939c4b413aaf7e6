/**
 * What `getaddr` was answered, kept for a day. Whoever asks again and again, or over many connections, hears the same: otherwise he would learn
 * all that we know in an hour, and from what changes in it whom we are connected to.
 *
 * Specification: one answer for each network over which peers come and each socket of ours at which they do, for 21 to 27 hours. Rationale: an
 * answer that were the same on two networks would show that both are one node.
 *
 * Source: Bitcoin Core 31.99 `net.cpp` (`CConnman::GetAddresses`).
 */
import { type Instant, type Random, after, keepLast } from "@satwire/machine"
import type { KnownAddress } from "./AddressBook.ts"

const HOUR_MS = 60 * 60 * 1000
/** How long an answer is given at least, and how much longer at most. */
export const ANSWER_KEPT_MS: number = 21 * HOUR_MS
export const ANSWER_KEPT_MORE_MS: number = 6 * HOUR_MS
/**
 * There are as many as sockets that we listen on, times networks; of more the oldest is forgotten.
 *
 * @limit answers to `getaddr` that are kept
 */
export const MAX_CACHED_ANSWERS = 64

interface CachedAnswer {
  readonly addresses: ReadonlyArray<KnownAddress>
  readonly until: Instant
}

export class AnswerCache {
  readonly #random: Random
  readonly #answers: Map<string, CachedAnswer> = new Map()

  constructor(random: Random) {
    this.#random = random
  }

  /** @param asked names network and socket */
  answer(asked: string, now: Instant, make: () => ReadonlyArray<KnownAddress>): ReadonlyArray<KnownAddress> {
    const cached = this.#answers.get(asked)
    if (cached !== undefined && cached.until > now) return cached.addresses
    const addresses = make()
    const until = after(now, ANSWER_KEPT_MS + this.#random.below(ANSWER_KEPT_MORE_MS))
    keepLast(this.#answers, asked, { addresses, until }, MAX_CACHED_ANSWERS)
    return addresses
  }
}
