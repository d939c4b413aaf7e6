/**
 * What can be said of a transaction without the coins that it spends: whether its form is sane, how many signatures it may ask for, and
 * from when on a block may hold it. One walk over its bytes finds all of it, and makes no objects.
 *
 * Source: Bitcoin Core 28.1 `consensus/tx_check.cpp` (`CheckTransaction`), `consensus/tx_verify.cpp` (`IsFinalTx`), BIP-0113.
 */
import { compactSizeAt, compactSizeLengthAt } from "@satwire/bytes"
import { OUTPOINT_SIZE, type TransactionView, WITNESS_SCALE_FACTOR } from "@satwire/primitives"
import { Outpoints } from "./Outpoints.ts"
import { legacySigOps } from "./SigOps.ts"

/**
 * Bitcoin Core's `MAX_BLOCK_WEIGHT` (consensus/consensus.h).
 *
 * @limit weight of a block, and four times the size of one, or of a transaction, without witnesses
 */
export const MAX_BLOCK_WEIGHT = 4_000_000
/**
 * Bitcoin Core's `MAX_MONEY` (consensus/amount.h), 21 million coins.
 *
 * @limit satoshis in an output, and in all outputs of a transaction
 */
export const MAX_MONEY = 2_100_000_000_000_000
/** Below it a lock time is a height, from it on a time (Core `script/script.h`). */
export const LOCKTIME_THRESHOLD = 500_000_000

export type TransactionRule =
  | "bad-txns-vin-empty"
  | "bad-txns-vout-empty"
  /** Too large for any block. */
  | "bad-txns-oversize"
  | "bad-txns-vout-negative"
  | "bad-txns-vout-toolarge"
  | "bad-txns-txouttotal-toolarge"
  /** It spends one output twice (CVE-2018-17144). */
  | "bad-txns-inputs-duplicate"
  /** A coinbase's script has fewer than 2 bytes or more than 100. */
  | "bad-cb-length"
  /** It is no coinbase, but spends what only a coinbase names. */
  | "bad-txns-prevout-null"

const MIN_COINBASE_SCRIPT_SIZE = 2
const MAX_COINBASE_SCRIPT_SIZE = 100
/** Version and lock time, which stand outside of inputs and outputs. */
const AROUND_BODY = 8
const TWO_TO_32 = 0x1_0000_0000

/** What one walk over a transaction finds. */
export interface TransactionFindings {
  /** The first rule that it breaks. */
  readonly rule: TransactionRule | undefined
  readonly isCoinbase: boolean
  /** Signature operations of its own scripts, counted as {@link legacySigOps} does. */
  readonly sigOps: number
  /** Whether every input has the last sequence number, so that no lock time counts. */
  readonly isFinalised: boolean
}

/** Walks over transactions, one after another, and says of the last one what it found. The bytes must be ones that were scanned. */
export class TransactionWalk implements TransactionFindings {
  rule: TransactionRule | undefined = undefined
  isCoinbase = false
  sigOps = 0
  isFinalised = false
  readonly #outpoints: Outpoints = new Outpoints()
  #rule: TransactionRule | undefined = undefined
  /** Of one that is, nobody looks for twins among the inputs. */
  #isOversize = false

  /** Walks over what lies at `[body, end)`: inputs and outputs, from the count of inputs on. */
  walk(b: Uint8Array, body: number, end: number): void {
    this.#rule = undefined
    this.#isOversize = (AROUND_BODY + end - body) * WITNESS_SCALE_FACTOR > MAX_BLOCK_WEIGHT
    const inputs = compactSizeAt(b, body)
    const at = this.#inputs(b, body + compactSizeLengthAt(b, body), inputs)
    const outputs = compactSizeAt(b, at)
    const ofInputs = this.#rule
    this.#rule = undefined
    this.#outputs(b, at + compactSizeLengthAt(b, at), outputs)
    if (inputs === 0) this.rule = "bad-txns-vin-empty"
    else if (outputs === 0) this.rule = "bad-txns-vout-empty"
    else this.rule = this.#isOversize ? "bad-txns-oversize" : (this.#rule ?? ofInputs)
  }

  #inputs(b: Uint8Array, from: number, count: number): number {
    let at = from
    let hasNull = false
    let isFinalised = true
    let sigOps = 0
    let length = 0
    const hasOthers = count > 1 && !this.#isOversize
    if (hasOthers) this.#outpoints.begin(count)
    for (let i = 0; i < count; i++) {
      if (hasOthers) this.#outpoints.add(b, at)
      if (isNullOutpoint(b, at)) hasNull = true
      at += OUTPOINT_SIZE
      // Lengths under 253 are their own byte: nearly all are.
      length = b[at++] as number
      if (length >= 0xfd) {
        length = compactSizeAt(b, at - 1)
        at += compactSizeLengthAt(b, at - 1) - 1
      }
      sigOps += legacySigOps(b, at, at + length)
      at += length
      const allBits = (b[at] as number) & (b[at + 1] as number) & (b[at + 2] as number) & (b[at + 3] as number)
      if (allBits !== 0xff) isFinalised = false
      at += 4
    }
    this.sigOps = sigOps
    this.isFinalised = isFinalised
    this.isCoinbase = count === 1 && hasNull
    if (this.isCoinbase) {
      if (length < MIN_COINBASE_SCRIPT_SIZE || length > MAX_COINBASE_SCRIPT_SIZE) this.#rule = "bad-cb-length"
    } else if (hasOthers && this.#outpoints.hasTwins(b)) this.#rule = "bad-txns-inputs-duplicate"
    else if (hasNull) this.#rule = "bad-txns-prevout-null"
    return at
  }

  #outputs(b: Uint8Array, from: number, count: number): void {
    let at = from
    let total = 0
    let sigOps = 0
    for (let i = 0; i < count; i++) {
      // Of 64 signed bits. Above 2^53 it is not exact, and too large all the same.
      const high = wordAt(b, at + 4)
      const amount = high * TWO_TO_32 + (wordAt(b, at) >>> 0)
      total += amount
      if (high < 0) this.#rule ??= "bad-txns-vout-negative"
      else if (amount > MAX_MONEY) this.#rule ??= "bad-txns-vout-toolarge"
      else if (total > MAX_MONEY) this.#rule ??= "bad-txns-txouttotal-toolarge"
      at += 8
      let length = b[at++] as number
      if (length >= 0xfd) {
        length = compactSizeAt(b, at - 1)
        at += compactSizeLengthAt(b, at - 1) - 1
      }
      sigOps += legacySigOps(b, at, at + length)
      at += length
    }
    this.sigOps += sigOps
  }
}

/** Whether a coinbase begins with the inputs at `body`: one input, which spends nothing. */
export const isCoinbaseAt = (b: Uint8Array, body: number): boolean => b[body] === 1 && isNullOutpoint(b, body + 1)

const isNullOutpoint = (b: Uint8Array, at: number): boolean => {
  for (let i = OUTPOINT_SIZE - 1; i >= 0; i--) if (b[at + i] !== (i < 32 ? 0 : 0xff)) return false
  return true
}

const wordAt = (b: Uint8Array, at: number): number =>
  (b[at] as number) | ((b[at + 1] as number) << 8) | ((b[at + 2] as number) << 16) | ((b[at + 3] as number) << 24)

/**
 * Whether a lock time has passed in a block at `height` (Core `IsFinalTx`, sequence numbers aside).
 *
 * @param cutoff what lock times that are times are held against; where that is not known they count as passed
 */
export const hasPassed = (lockTime: number, height: number, cutoff: number | undefined): boolean =>
  lockTime < LOCKTIME_THRESHOLD ? lockTime === 0 || lockTime < height : cutoff === undefined || lockTime < cutoff

/** Reused: walking calls nothing of its caller's. */
const walk = new TransactionWalk()

const walkOver = (tx: TransactionView): TransactionWalk => {
  const body = tx.hasWitness ? 6 : 4
  walk.walk(tx.bytes, body, body + tx.strippedSize - AROUND_BODY)
  return walk
}

/** All that one walk finds of a transaction. It is the same object each time: to be read before anything else is asked here. */
export const transactionFindings = (tx: TransactionView): TransactionFindings => walkOver(tx)

/** The first rule that a transaction breaks by itself, or `undefined` (Core `CheckTransaction`). */
export const transactionFault = (tx: TransactionView): TransactionRule | undefined => walkOver(tx).rule

/**
 * Whether a block at `height` may hold the transaction (Core `IsFinalTx`). Its `cutoff` is the median time past of its parent, and before
 * BIP-0113 its own time; where it is not known, times count as passed.
 */
export const isFinalTransaction = (tx: TransactionView, height: number, cutoff: number | undefined): boolean =>
  hasPassed(tx.lockTime, height, cutoff) || walkOver(tx).isFinalised
