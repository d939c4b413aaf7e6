/**
 * Header consensus a second time, as plainly as it can be said: objects that point at their parents, hexadecimal names, `bigint` for
 * every target, each rule by walking back. It shares no line with what it is compared to, but SHA-256 and the chain parameters.
 */
import { portableSha256, sha256d } from "@satwire/crypto"
import { type ChainParams, genesisHeader } from "@satwire/primitives"

export interface NaiveHeader {
  readonly raw: Uint8Array
  /** As explorers show it. */
  readonly hash: string
  readonly parent: NaiveHeader | undefined
  readonly height: number
  readonly work: bigint
  readonly version: number
  readonly time: number
  readonly bits: number
}

export interface NaiveOutcome {
  readonly connected: boolean
  readonly accepted: number
  readonly fault: { readonly index: number; readonly rule: string } | undefined
}

const reversedHex = (bytes: Uint8Array): string => Buffer.from(bytes.toReversed()).toString("hex")

export const naiveTarget = (bits: number): bigint => {
  const size = BigInt(bits >>> 24)
  const digits = BigInt(bits & 0xffffff)
  if (digits >= 0x800000n) return 0n
  return size >= 3n ? digits * 256n ** (size - 3n) : digits / 256n ** (3n - size)
}

export const naiveBits = (target: bigint): number => {
  let hex = target.toString(16)
  if (hex.length % 2 === 1) hex = `0${hex}`
  if (hex >= "8") hex = `00${hex}`
  return Number.parseInt((hex.length / 2).toString(16).padStart(2, "0") + hex.padEnd(6, "0").slice(0, 6), 16)
}

/** A header below `parent`, whether or not it obeys any rule. */
export const naiveHeader = (raw: Uint8Array, parent: NaiveHeader | undefined): NaiveHeader => {
  const view = new DataView(raw.buffer, raw.byteOffset)
  const bits = view.getUint32(72, true)
  const target = naiveTarget(bits)
  return {
    raw,
    hash: reversedHex(sha256d(portableSha256, raw)),
    parent,
    height: parent === undefined ? 0 : parent.height + 1,
    work: (parent?.work ?? 0n) + (target === 0n ? 0n : 2n ** 256n / (target + 1n)),
    version: view.getInt32(0, true),
    time: view.getUint32(68, true),
    bits
  }
}

const lastOnes = (header: NaiveHeader, count: number): ReadonlyArray<NaiveHeader> => {
  const ones: Array<NaiveHeader> = []
  for (let at: NaiveHeader | undefined = header; at !== undefined && ones.length < count; at = at.parent) ones.push(at)
  return ones
}

/** The bits due after `parent`. */
export const naiveDue = (params: ChainParams, parent: NaiveHeader, time: number): number => {
  const period = params.powTargetTimespan / params.powTargetSpacing
  const limitBits = naiveBits(params.powLimit)
  if ((parent.height + 1) % period > 0) {
    if (!params.powAllowMinDifficultyBlocks) return parent.bits
    if (time - parent.time > 2 * params.powTargetSpacing) return limitBits
    let at = parent
    while (at.parent !== undefined && at.height % period > 0 && at.bits === limitBits) at = at.parent
    return at.bits
  }
  if (params.powNoRetargeting) return parent.bits
  const first = lastOnes(parent, period).at(-1) as NaiveHeader
  let took = parent.time - first.time
  if (took < params.powTargetTimespan / 4) took = params.powTargetTimespan / 4
  if (took > params.powTargetTimespan * 4) took = params.powTargetTimespan * 4
  const before = naiveTarget(params.enforceBip94 ? first.bits : parent.bits)
  const after = (before * BigInt(took)) / BigInt(params.powTargetTimespan)
  return naiveBits(after > params.powLimit ? params.powLimit : after)
}

const ruleBroken = (
  params: ChainParams,
  parent: NaiveHeader,
  header: NaiveHeader,
  unix: number
): string | undefined => {
  const height = parent.height + 1
  if (header.bits !== naiveDue(params, parent, header.time)) return "bad-diffbits"
  const times = lastOnes(parent, 11).map(({ time }) => time)
  const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] as number
  if (header.time <= median) return "time-too-old"
  const beginsPeriod = height % (params.powTargetTimespan / params.powTargetSpacing) === 0
  if (params.enforceBip94 && beginsPeriod && parent.time - header.time > 600) return "time-timewarp-attack"
  if (header.time - unix > 7200) return "time-too-new"
  for (const [version, from] of [
    [2, params.bip34Height],
    [3, params.bip66Height],
    [4, params.bip65Height]
  ] as const) {
    if (header.version < version && height >= from) return "bad-version"
  }
  return undefined
}

export class NaiveTree {
  readonly params: ChainParams
  readonly #headers: Map<string, NaiveHeader> = new Map()
  readonly #invalid: Set<NaiveHeader> = new Set()
  best: NaiveHeader

  constructor(params: ChainParams) {
    this.params = params
    this.best = naiveHeader(genesisHeader(params), undefined)
    this.#headers.set(this.best.hash, this.best)
  }

  /** Every header in the order of acceptance. */
  get headers(): ReadonlyArray<NaiveHeader> {
    return [...this.#headers.values()]
  }

  isValid(header: NaiveHeader): boolean {
    for (let at: NaiveHeader | undefined = header; at !== undefined; at = at.parent)
      if (this.#invalid.has(at)) return false
    return true
  }

  invalidate(hash: string): void {
    this.#invalid.add(this.#headers.get(hash) as NaiveHeader)
    this.#choose()
  }

  reconsider(hash: string): void {
    const header = this.#headers.get(hash) as NaiveHeader
    const follows = (one: NaiveHeader, other: NaiveHeader): boolean =>
      one === other || (one.parent !== undefined && follows(one.parent, other))
    for (const one of [...this.#invalid]) if (follows(one, header) || follows(header, one)) this.#invalid.delete(one)
    this.#choose()
  }

  /** The tips, and whether each is valid. */
  get tips(): ReadonlyArray<readonly [string, boolean]> {
    const parents = new Set(this.headers.map(({ parent }) => parent))
    const ends = this.headers.filter((header) => header !== this.best && !parents.has(header))
    return [this.best, ...ends].map((header) => [header.hash, this.isValid(header)] as const)
  }

  #choose(): void {
    const valid = this.headers.filter((header) => this.isValid(header))
    this.best = valid.reduce((best, header) => (header.work > best.work ? header : best))
  }

  accept(run: ReadonlyArray<Uint8Array>, unix: number): NaiveOutcome {
    const hashes = run.map((raw) => naiveHeader(raw, undefined).hash)
    const parents = run.map((raw) => reversedHex(raw.slice(4, 36)))
    const outcome = (accepted: number, index: number, rule: string): NaiveOutcome => ({
      connected: true,
      accepted,
      fault: { index, rule }
    })
    for (const [i, hash] of hashes.entries()) {
      const target = naiveTarget(naiveHeader(run[i] as Uint8Array, undefined).bits)
      if (target === 0n || target > this.params.powLimit || BigInt(`0x${hash}`) > target) {
        return outcome(0, i, "high-hash")
      }
      if (i > 0 && parents[i] !== hashes[i - 1]) return outcome(0, i, "non-continuous")
    }
    if (!this.#headers.has(parents[0] as string)) return { connected: false, accepted: 0, fault: undefined }
    let accepted = 0
    for (const [i, raw] of run.entries()) {
      const known = this.#headers.get(hashes[i] as string)
      if (known !== undefined && !this.isValid(known)) return outcome(accepted, i, "duplicate-invalid")
      if (known !== undefined) continue
      if (!this.isValid(this.#headers.get(parents[i] as string) as NaiveHeader))
        return outcome(accepted, i, "bad-prevblk")
      const parent = this.#headers.get(parents[i] as string) as NaiveHeader
      const header = naiveHeader(raw, parent)
      const rule = ruleBroken(this.params, parent, header, unix)
      if (rule !== undefined) return outcome(accepted, i, rule)
      this.#headers.set(header.hash, header)
      if (header.work > this.best.work) this.best = header
      accepted += 1
    }
    return { connected: true, accepted, fault: undefined }
  }
}
