/**
 * One peer's chain, taken in twice, so that nothing is kept of a chain of little work: first every header is looked at and forgotten but for a
 * bit now and then, until the work is enough; then the same chain is fetched again, held against those bits, and handed out.
 *
 * ```
 *   PRESYNC ── the chain ends, or makes too many ──▶ over, nothing kept
 *      │ enough work
 *      ▼
 *   REDOWNLOAD ── a bit is another ──▶ over
 *      │ a header is handed out when so many more stand behind it that their bits agreed
 *      ▼
 *   over, all handed out
 * ```
 *
 * Specification: one bit of each `commitmentPeriod` headers, salted and from a secret offset; as many as a chain can have since it began,
 * at six blocks a second; `redownloadBufferSize` headers held back. Rationale: whoever gives another chain the second time has to guess a
 * coin for each period, and the buffer is long enough to make that dearer than the work itself. With the first chain he gives nothing
 * but that work.
 *
 * It knows proof of work and targets alone. That the header before the first is in the tree, and that each has done its work and names the one
 * before, is its caller's to check.
 *
 * Source: Bitcoin Core 31.99 `headerssync.cpp` (`HeadersSyncState`).
 */
import { type ProofOfWork, permittedDifficultyTransition } from "@satwire/consensus"
import { type SipKey, sipHash24, sipKey } from "@satwire/crypto"
import type { Random } from "@satwire/machine"
import { type BlockHash, type ChainParams, HEADER_BITS, HEADER_PREVIOUS, HEADER_SIZE } from "@satwire/primitives"
import { MAX_HEADERS_RESULTS } from "@satwire/wire"
import { BitQueue } from "@satwire/bytes"

/** Blocks a second, the most that a chain can have for long: each is a second later than the median of eleven before it. */
const MOST_BLOCKS_A_SECOND = 6
/** Core's `MAX_FUTURE_BLOCK_TIME`. */
const MAX_FUTURE_BLOCK_TIME_S = 7200

/** The header in the tree from which the peer's chain leads on. */
export interface ChainStart {
  readonly hash: BlockHash
  readonly height: number
  readonly bits: number
  readonly chainWork: bigint
  /** Median time past, in seconds since 1970. */
  readonly medianTime: number
}

export interface HeadersPresyncOptions {
  readonly params: ChainParams
  readonly proof: ProofOfWork
  readonly start: ChainStart
  /** How much work the peer's chain has to have. */
  readonly minimumWork: bigint
  readonly random: Random
  /** Our clock, in seconds since 1970. */
  readonly unix: number
}

export type PresyncOutcome =
  /** It did not come to an end that is of use, which is no fault: the headers are as if they were the first of the peer. */
  | { readonly _tag: "Failed" }
  /** The peer's chain is at its end, and has too little work. */
  | { readonly _tag: "LowWork" }
  /** Ask for more, from `next` on. */
  | { readonly _tag: "More"; readonly ready: ReadonlyArray<Uint8Array> }
  /** All of it is handed out. */
  | { readonly _tag: "Done"; readonly ready: ReadonlyArray<Uint8Array> }

export class HeadersPresync {
  readonly #params: ChainParams
  readonly #proof: ProofOfWork
  readonly #start: ChainStart
  readonly #minimumWork: bigint
  readonly #key: SipKey
  readonly #offset: number
  readonly #mostCommitments: number
  readonly #commitments: BitQueue = new BitQueue()
  readonly #halves: Uint32Array = new Uint32Array(2)
  #phase: "presync" | "redownload" = "presync"
  #work: bigint
  #height: number
  #bits: number
  /** The hash of the last header. */
  #last: Uint8Array
  /** Enough work is behind us: the rest needs no bits to agree. */
  #takesAll = false
  /** Raw headers that wait, a ring; made when it is needed. */
  #buffer: Uint8Array = new Uint8Array(0)
  #first = 0
  #held = 0

  constructor({ minimumWork, params, proof, random, start, unix }: HeadersPresyncOptions) {
    this.#params = params
    this.#proof = proof
    this.#start = start
    this.#minimumWork = minimumWork
    this.#key = sipKey(random.bytes(16))
    const { commitmentPeriod } = params.headersSync
    this.#offset = random.below(commitmentPeriod)
    const seconds = Math.max(0, unix - start.medianTime) + MAX_FUTURE_BLOCK_TIME_S
    this.#mostCommitments = Math.floor((MOST_BLOCKS_A_SECOND * seconds) / commitmentPeriod)
    this.#work = start.chainWork
    this.#height = start.height
    this.#bits = start.bits
    this.#last = start.hash
  }

  get phase(): "presync" | "redownload" {
    return this.#phase
  }

  /** Of the last header that was looked at. */
  get height(): number {
    return this.#height
  }

  /** After which header to ask for more. */
  get next(): BlockHash {
    return this.#last as BlockHash
  }

  /** What it holds, in bytes. */
  get heldBytes(): number {
    return this.#buffer.length + this.#commitments.capacityBytes
  }

  /**
   * Looks at what the peer sent.
   *
   * @param headers `count` raw headers, each the child of the one before and with its work done
   * @param hashes theirs, 32 bytes each
   * @param isFull whether the message was as long as one may be, so that more may follow
   */
  take(headers: Uint8Array, count: number, hashes: Uint8Array, isFull: boolean): PresyncOutcome {
    return this.#phase === "presync"
      ? this.#presync(headers, count, hashes, isFull)
      : this.#redownload(headers, count, hashes, isFull)
  }

  #presync(headers: Uint8Array, count: number, hashes: Uint8Array, isFull: boolean): PresyncOutcome {
    if (!this.#continues(headers)) return FAILED
    const view = new DataView(headers.buffer, headers.byteOffset, count * HEADER_SIZE)
    for (let i = 0; i < count; i++) {
      if (!this.#advance(view.getUint32(i * HEADER_SIZE + HEADER_BITS, true))) return FAILED
      if (!this.#isCommitted) continue
      if (this.#commitments.length >= this.#mostCommitments) return FAILED
      this.#commitments.push(this.#bitOf(hashes, i))
    }
    this.#last = hashes.slice(32 * (count - 1), 32 * count)
    if (this.#work < this.#minimumWork) return isFull ? MORE : LOW_WORK
    this.#phase = "redownload"
    this.#work = this.#start.chainWork
    this.#height = this.#start.height
    this.#bits = this.#start.bits
    this.#last = this.#start.hash
    this.#buffer = new Uint8Array(HEADER_SIZE * (this.#params.headersSync.redownloadBufferSize + MAX_HEADERS_RESULTS))
    return MORE
  }

  #redownload(headers: Uint8Array, count: number, hashes: Uint8Array, isFull: boolean): PresyncOutcome {
    if (!this.#continues(headers)) return FAILED
    const view = new DataView(headers.buffer, headers.byteOffset, count * HEADER_SIZE)
    for (let i = 0; i < count; i++) {
      if (!this.#advance(view.getUint32(i * HEADER_SIZE + HEADER_BITS, true))) return FAILED
      if (this.#work >= this.#minimumWork) this.#takesAll = true
      if (this.#takesAll || !this.#isCommitted) continue
      if (this.#commitments.length === 0 || this.#commitments.shift() !== this.#bitOf(hashes, i)) return FAILED
    }
    this.#last = hashes.slice(32 * (count - 1), 32 * count)
    this.#hold(headers, count)
    const keeps = this.#takesAll ? 0 : this.#params.headersSync.redownloadBufferSize
    const ready = this.#release(this.#held - keeps)
    if (this.#takesAll) return { _tag: "Done", ready }
    // It gave less than the first time.
    return isFull ? { _tag: "More", ready } : FAILED
  }

  #continues(headers: Uint8Array): boolean {
    for (let i = 0; i < 32; i++) if (headers[HEADER_PREVIOUS + i] !== this.#last[i]) return false
    return true
  }

  /** Takes the next header's target into account; `false` where no chain can have it there. */
  #advance(bits: number): boolean {
    const height = this.#height + 1
    // Of two that are equal nothing is to be asked: a target may always stay as it is.
    if (bits !== this.#bits && !permittedDifficultyTransition(this.#params, height, this.#bits, bits)) return false
    this.#height = height
    this.#bits = bits
    this.#work += this.#proof.difficulty(bits).work
    return true
  }

  get #isCommitted(): boolean {
    return this.#height % this.#params.headersSync.commitmentPeriod === this.#offset
  }

  #bitOf(hashes: Uint8Array, i: number): boolean {
    sipHash24(this.#key, hashes, 32 * i, 32 * i + 32, this.#halves)
    return ((this.#halves[0] as number) & 1) === 1
  }

  #hold(headers: Uint8Array, count: number): void {
    const room = this.#buffer.length / HEADER_SIZE
    for (let i = 0; i < count; i++) {
      const at = ((this.#first + this.#held) % room) * HEADER_SIZE
      this.#buffer.set(headers.subarray(i * HEADER_SIZE, (i + 1) * HEADER_SIZE), at)
      this.#held += 1
    }
  }

  /** The first so many that wait, in one or more runs of memory of their own. */
  #release(count: number): ReadonlyArray<Uint8Array> {
    const room = this.#buffer.length / HEADER_SIZE
    const runs: Array<Uint8Array> = []
    for (let left = count; left > 0;) {
      const run = Math.min(left, room - this.#first, MAX_HEADERS_RESULTS)
      runs.push(this.#buffer.slice(this.#first * HEADER_SIZE, (this.#first + run) * HEADER_SIZE))
      this.#first = (this.#first + run) % room
      this.#held -= run
      left -= run
    }
    return runs
  }
}

const FAILED: PresyncOutcome = { _tag: "Failed" }
const LOW_WORK: PresyncOutcome = { _tag: "LowWork" }
const MORE: PresyncOutcome = { _tag: "More", ready: [] }
