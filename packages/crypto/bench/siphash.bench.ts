/**
 * SipHash-2-4 of a 32-byte id in halves of 32 bits and in `bigint` words:
 *
 *   node --conditions=@satwire/source packages/crypto/bench/siphash.bench.ts
 */
import { contest, contestClock } from "@satwire/testkit"
import { sipHash24, sipKey } from "../src/index.ts"
import { naiveSipHash24 } from "../test/NaiveSipHash.ts"

const keyBytes = Uint8Array.from({ length: 16 }, (_, i) => i)
const key = sipKey(keyBytes)
const id = new Uint8Array(32).fill(7)
const out = new Uint32Array(2)

const scores = contest([
  {
    name: "bigint",
    run: () => {
      for (let i = 0; i < 500; i++) naiveSipHash24(keyBytes, id)
      return 500
    }
  },
  {
    name: "32-bit halves",
    run: () => {
      for (let i = 0; i < 20_000; i++) sipHash24(key, id, 0, 32, out)
      return 20_000
    }
  }
])
for (const { name, perSecond, ratio } of scores) {
  console.log(
    `${name.padEnd(14)} ${(perSecond / 1e6).toFixed(2)} M/s of ${contestClock}, ${ratio.toFixed(1)} times bigint`
  )
}
