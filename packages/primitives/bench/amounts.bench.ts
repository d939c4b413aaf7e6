/**
 * What it costs to read amounts as `bigint`, as `number` and as halves, among the other fields of an output and alone:
 *
 *   node --conditions=@satwire/source --expose-gc packages/primitives/bench/amounts.bench.ts
 */
import process from "node:process"
import { Reader, Writer } from "@satwire/bytes"
import { ChaChaRandom } from "@satwire/crypto"
import { type Contender, contest, contestClock } from "@satwire/testkit"

const OUTPUTS = 4000
const SCRIPT = 25

const random = ChaChaRandom.fromNumber(1)
const raw = new Uint8Array(OUTPUTS * (8 + 1 + SCRIPT))
const writer = new Writer(raw)
for (let i = 0; i < OUTPUTS; i++) {
  // Most outputs are below 2^32 satoshis, 43 coins; some are above.
  writer.i64(BigInt(random.below(i % 8 === 0 ? 2 ** 32 : 2 ** 28)) * (i % 8 === 0 ? 1000n : 1n))
  writer.varBytes(random.bytes(SCRIPT))
}

/** Exact up to 2^53: a decoder that takes this must refuse or round what lies beyond. */
const asNumber = (r: Reader): number => r.u32() + r.i32() * 0x1_0000_0000

class Halves {
  readonly low: number
  readonly high: number
  constructor(low: number, high: number) {
    this.low = low
    this.high = high
  }
}

const reads: ReadonlyArray<readonly [string, (r: Reader) => unknown]> = [
  ["bigint", (r) => r.i64()],
  ["number, inexact above 2^53", asNumber],
  [
    "number, bigint above 2^53",
    (r) => {
      const amount = asNumber(r)
      return Number.isSafeInteger(amount) ? amount : BigInt(amount)
    }
  ],
  ["halves in an object", (r) => new Halves(r.u32(), r.i32())]
]

const outputs = (name: string, read: (r: Reader) => unknown): Contender => ({
  name,
  run: () => {
    const r = new Reader(raw)
    const decoded = new Array<{ amount: unknown; scriptPubKey: Uint8Array }>(OUTPUTS)
    for (let i = 0; i < OUTPUTS; i++) decoded[i] = { amount: read(r), scriptPubKey: r.varBytes(100, "script") }
    return decoded.length
  }
})

const alone = (name: string, read: (r: Reader) => unknown): Contender => ({
  name,
  run: () => {
    const r = new Reader(raw)
    let last: unknown
    for (let i = 0; i < OUTPUTS; i++) {
      last = read(r)
      r.offset += 1 + SCRIPT
    }
    return last === undefined ? 0 : OUTPUTS
  }
})

const total = (name: string, values: ReadonlyArray<number> | ReadonlyArray<bigint>): Contender => ({
  name,
  run: () => {
    if (typeof values[0] === "bigint") {
      let sum = 0n
      for (const value of values) sum += value as bigint
      return sum > 0n ? values.length : 0
    }
    let sum = 0
    for (const value of values) sum += value as number
    return sum > 0 ? values.length : 0
  }
})

const show = (what: string, contenders: ReadonlyArray<Contender>): void => {
  console.log(`\n${what}: millions a second of ${contestClock} (ratio to bigint)`)
  for (const { name, perSecond, ratio } of contest(contenders, { rounds: 9, roundMs: 60 })) {
    console.log(`${name.padEnd(32)}${(perSecond / 1e6).toFixed(2).padStart(8)}  (${ratio.toFixed(2)})`)
  }
}

const collect = (globalThis as { gc?: () => void }).gc

const bytesEach = (read: (r: Reader) => unknown): number => {
  const keep: Array<unknown> = new Array<unknown>(OUTPUTS * 25)
  collect?.()
  const before = process.memoryUsage().heapUsed
  for (let round = 0; round < 25; round++) {
    const r = new Reader(raw)
    for (let i = 0; i < OUTPUTS; i++) {
      keep[round * OUTPUTS + i] = read(r)
      r.offset += 1 + SCRIPT
    }
  }
  collect?.()
  const bytes = (process.memoryUsage().heapUsed - before) / keep.length
  return keep.length > 0 ? bytes : 0
}

show(
  "outputs decoded to objects",
  reads.map(([name, read]) => outputs(name, read))
)
show(
  "amounts alone",
  reads.map(([name, read]) => alone(name, read))
)
const bigints = Array.from({ length: OUTPUTS }, (_, i) => new DataView(raw.buffer).getBigInt64(i * (9 + SCRIPT), true))
show("amounts summed", [total("bigint", bigints), total("number", bigints.map(Number))])
console.log("\nbytes of heap an amount, beside its place in an array of any values")
for (const [name, read] of reads) console.log(`${name.padEnd(32)}${bytesEach(read).toFixed(1).padStart(8)}`)
