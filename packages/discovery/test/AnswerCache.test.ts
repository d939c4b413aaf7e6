import { ChaChaRandom } from "@satwire/crypto"
import { Instant } from "@satwire/machine"
import { describe, expect, it } from "vitest"
import { ANSWER_KEPT_MORE_MS, ANSWER_KEPT_MS, AnswerCache, MAX_CACHED_ANSWERS } from "../src/AnswerCache.ts"
import { known, nth } from "./Known.ts"

/** Whether an answer was made anew. */
const isMade = (cache: AnswerCache, asked: string, atMs: number): boolean => {
  let made = false
  cache.answer(asked, Instant(atMs), () => {
    made = true
    return [known(nth(1))]
  })
  return made
}

describe("answers to getaddr", () => {
  it("are kept for a time of chance between 21 and 27 hours (ATTACKS 20)", () => {
    const kept = Array.from({ length: 200 }, (_, seed) => {
      const cache = new AnswerCache(ChaChaRandom.fromNumber(seed))
      isMade(cache, "ipv4", 0)
      expect(isMade(cache, "ipv4", ANSWER_KEPT_MS - 1)).toBe(false)
      const isHalfKept = !isMade(cache, "ipv4", ANSWER_KEPT_MS + ANSWER_KEPT_MORE_MS / 2)
      expect(isMade(cache, "other", ANSWER_KEPT_MS)).toBe(true)
      return isHalfKept
    })
    const share = kept.filter(Boolean).length / kept.length
    expect(share).toBeGreaterThan(0.4)
    expect(share).toBeLessThan(0.6)
  })

  it("are 64 at most, of which the oldest is forgotten", () => {
    const cache = new AnswerCache(ChaChaRandom.fromNumber(1))
    for (let i = 0; i <= MAX_CACHED_ANSWERS; i++) expect(isMade(cache, `socket ${i}`, i)).toBe(true)
    for (let i = 1; i <= MAX_CACHED_ANSWERS; i++) expect(isMade(cache, `socket ${i}`, 100)).toBe(false)
    expect(isMade(cache, "socket 0", 100)).toBe(true)
  })
})
