/** What is in a block lately, while blocks come and leave. */
import { assert, describe, it } from "@effect/vitest"
import { ChaChaRandom } from "@satwire/crypto"
import { RECENT_CONFIRMED_BLOCKS, RecentlyConfirmed } from "../src/RecentlyConfirmed.ts"

const named = (number: number): Uint8Array => {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

describe("what is in a block lately", () => {
  it("is known until its block leaves, and of few blocks one by one", () => {
    const known = new RecentlyConfirmed(ChaChaRandom.fromNumber(1))
    const count = RECENT_CONFIRMED_BLOCKS + 10
    for (let i = 0; i < count; i++) known.connected({ hash: named(i), ids: named(1000 + i) })
    const has = (block: number): boolean => known.contains(named(1000 + block))
    assert.deepStrictEqual([has(0), has(10), has(count - 1)], [true, true, true])
    known.disconnected(named(count - 1))
    assert.deepStrictEqual([has(9), has(10), has(count - 2), has(count - 1)], [false, true, true, false])
    // Of one that nobody remembers nothing is changed.
    known.disconnected(named(3))
    assert.isTrue(has(10))
  })
})
