/**
 * Tables keyed by 32-byte hashes: inserting, finding what is there, finding what is not, and the memory of an entry.
 *
 *   node --conditions=@satwire/source --expose-gc packages/primitives/bench/hashTables.bench.ts [entries…]
 *
 * Keys are read out of flat memory at an offset, as they come out of a message; a value is a small number.
 */
import process from "node:process"
import { toHex } from "@satwire/bytes"
import { ChaChaRandom, sipHash24, sipKey } from "@satwire/crypto"
import { contestClock } from "@satwire/testkit"
import { HashIndex } from "../src/index.ts"

interface Table {
  add(bytes: Uint8Array, offset: number): void
  has(bytes: Uint8Array, offset: number): boolean
}

const mapOf = <Key>(keyOf: (bytes: Uint8Array, offset: number) => Key): Table => {
  const map = new Map<Key, number>()
  return {
    add: (bytes, offset) => void map.set(keyOf(bytes, offset), map.size),
    has: (bytes, offset) => map.has(keyOf(bytes, offset))
  }
}

const indexOf = (index: HashIndex): Table => ({
  add: (bytes, offset) => void index.add(bytes, offset),
  has: (bytes, offset) => index.find(bytes, offset) >= 0
})

const hex = (bytes: Uint8Array, offset: number): string => toHex(bytes.subarray(offset, offset + 32))

const nativeHex = (bytes: Uint8Array, offset: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + offset, 32).toString("hex")

const latin1 = (bytes: Uint8Array, offset: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + offset, 32).toString("latin1")

const bigint = (bytes: Uint8Array, offset: number): bigint => {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 32)
  return (
    (view.getBigUint64(0) << 192n) |
    (view.getBigUint64(8) << 128n) |
    (view.getBigUint64(16) << 64n) |
    view.getBigUint64(24)
  )
}

/** A `Map` by the first word, of arrays of hashes that share it. */
const byFirstWord = (): Table => {
  const map = new Map<number, Array<Uint8Array>>()
  const word = (bytes: Uint8Array, at: number): number =>
    ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)) ^ ((bytes[at + 3] ?? 0) << 24)
  const same = (hash: Uint8Array, bytes: Uint8Array, offset: number): boolean => {
    for (let i = 0; i < 32; i++) if (hash[i] !== bytes[offset + i]) return false
    return true
  }
  return {
    add(bytes, offset) {
      const key = word(bytes, offset)
      const hash = bytes.slice(offset, offset + 32)
      const list = map.get(key)
      if (list === undefined) map.set(key, [hash])
      else list.push(hash)
    },
    has: (bytes, offset) => map.get(word(bytes, offset))?.some((hash) => same(hash, bytes, offset)) ?? false
  }
}

/** A `Map` of a keyed 53-bit number: what a table without flat memory would do against chosen keys. */
const bySipHash = (): Table => {
  const key = sipKey(ChaChaRandom.fromNumber(2).bytes(16))
  const out = new Uint32Array(2)
  return mapOf((bytes, offset) => {
    sipHash24(key, bytes, offset, offset + 32, out)
    return (out[0] ?? 0) + ((out[1] ?? 0) & 0x1fffff) * 0x1_0000_0000
  })
}

const candidates: ReadonlyArray<readonly [string, () => Table]> = [
  ["Map by hex string (ours)", () => mapOf(hex)],
  ["Map by hex string (Buffer)", () => mapOf(nativeHex)],
  ["Map by latin1 string (Buffer)", () => mapOf(latin1)],
  ["Map by bigint", () => mapOf(bigint)],
  ["Map by first word, then lists", byFirstWord],
  ["Map by SipHash number (no compare)", bySipHash],
  ["HashIndex, computed (salted mix)", () => indexOf(new HashIndex(ChaChaRandom.fromNumber(3)))],
  ["HashIndex, chosen (SipHash-2-4)", () => indexOf(new HashIndex(ChaChaRandom.fromNumber(3), "chosen"))]
]

const clock = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1e6
}

const collect = (globalThis as { gc?: () => void }).gc

const memory = (): number => {
  // Twice: what the memory of a typed array was is known when the sweep of the first is over.
  collect?.()
  collect?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

interface Round {
  insert: number
  hit: number
  miss: number
  bytes: number
}

const round = (make: () => Table, keys: Uint8Array, others: Uint8Array, entries: number): Round => {
  const before = memory()
  const table = make()
  const timed = (work: (i: number) => void): number => {
    const start = clock()
    for (let i = 0; i < entries; i++) work(i)
    return entries / (clock() - start)
  }
  const insert = timed((i) => table.add(keys, 32 * i))
  let found = 0
  // Not in the order of insertion: 7919 is prime to every number of entries here.
  const hit = timed((i) => void (found += table.has(keys, 32 * ((i * 7919) % entries)) ? 1 : 0))
  const miss = timed((i) => void (found += table.has(others, 32 * i) ? 1 : 0))
  if (found !== entries) throw new Error(`found ${found} of ${entries}`)
  const bytes = (memory() - before) / entries
  return { insert, hit, miss, bytes: table.has(keys, 0) ? bytes : 0 }
}

const median = (numbers: ReadonlyArray<number>): number => numbers.toSorted((a, b) => a - b)[numbers.length >>> 1] ?? 0

const measure = (entries: number): void => {
  const random = ChaChaRandom.fromNumber(1)
  const keys = random.bytes(32 * entries)
  const others = random.bytes(32 * entries)
  const rounds = candidates.map((): Array<Round> => [])
  for (let i = 0; i < 6; i++) {
    candidates.forEach(([, make], at) => {
      const result = round(make, keys, others, entries)
      if (i > 0) rounds[at]?.push(result)
    })
  }
  console.log(`\n${entries} entries: millions a second of ${contestClock}; bytes an entry`)
  console.log("".padEnd(36) + ["insert", "find hit", "find miss", "bytes"].map((head) => head.padStart(11)).join(""))
  candidates.forEach(([name], at) => {
    const of = (field: keyof Round): number => median((rounds[at] ?? []).map((result) => result[field]))
    const speeds = (["insert", "hit", "miss"] as const).map((field) => (of(field) / 1e6).toFixed(2).padStart(11))
    console.log(name.padEnd(36) + speeds.join("") + of("bytes").toFixed(0).padStart(11))
  })
}

if (collect === undefined) console.log("run with --expose-gc, or the memory is a guess")
const sizes = process.argv.slice(2).map(Number)
for (const entries of sizes.length > 0 ? sizes : [100_000, 1_000_000]) measure(entries)
