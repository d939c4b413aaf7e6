/**
 * SipHash-2-4 of a 32-byte id in halves of 32 bits and in `bigint` words, and of many ids in one call of WebAssembly:
 *
 *   node --conditions=@satwire/source packages/crypto/bench/siphash.bench.ts
 */
import { contest, contestClock } from "@satwire/testkit"
import { ChaChaRandom, makeScalarSipHashMany, makeSimdSipHashMany, sipHash24, sipKey } from "../src/index.ts"
import { naiveSipHash24 } from "../test/NaiveSipHash.ts"

const IDS = 20_000
const random = ChaChaRandom.fromNumber(1)
const keyBytes = random.bytes(16)
const key = sipKey(keyBytes)
/** Many, because a processor learns the branches of one by heart. */
const ids = random.bytes(32 * IDS)
const out = new Uint32Array(2)
const hashes = new Uint32Array(2 * IDS)
const [oneLane, fourLanes] = [makeScalarSipHashMany(), makeSimdSipHashMany()]

const scores = contest([
  {
    name: "bigint",
    run: () => {
      for (let i = 0; i < 500; i++) naiveSipHash24(keyBytes, ids.subarray(32 * i, 32 * i + 32))
      return 500
    }
  },
  {
    name: "32-bit halves",
    run: () => {
      for (let i = 0; i < IDS; i++) sipHash24(key, ids, 32 * i, 32 * i + 32, out)
      return IDS
    }
  },
  {
    name: "WebAssembly, one lane",
    run: () => {
      oneLane?.(key, ids, 0, IDS, hashes)
      return IDS
    }
  },
  {
    name: "WebAssembly, four lanes",
    run: () => {
      fourLanes?.(key, ids, 0, IDS, hashes)
      return IDS
    }
  }
])
for (const { name, perSecond, ratio } of scores) {
  console.log(
    `${name.padEnd(24)} ${(perSecond / 1e6).toFixed(2)} M/s of ${contestClock}, ${ratio.toFixed(1)} times bigint`
  )
}
