/**
 * A walk over the inputs and outputs of a transaction in its bytes, one after another, without making anything of them. The bytes must be
 * ones that were scanned (`TransactionView`, `BlockView`).
 */
import { compactSizeAt, compactSizeLengthAt } from "@satwire/bytes"

/** Bytes of a txid and an index, as an input begins with them. */
export const OUTPOINT_SIZE = 36
const TWO_TO_32 = 0x1_0000_0000

export class TransactionParts {
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  /** Inputs, and once the inputs are passed outputs, that are still to come; of outputs -1 while their number was not read. */
  #inputs = 0
  #outputs = -1
  /** Where the outpoint of the input lies: 32 bytes of a txid, then 4 of an index. */
  outpoint = 0
  /** The index of the input's outpoint. */
  outpointIndex = 0
  /** The amount of the output in satoshis. Not exact below zero and above 2^53, where it is no amount of money. */
  amount = 0
  /** Where the script of the output lies. */
  scriptStart = 0
  scriptEnd = 0

  /** Begins with the transaction at `start` of `bytes`. */
  begin(bytes: Uint8Array, start: number = 0): this {
    this.#bytes = bytes
    // In the extended form (BIP-0144) a marker and a flag come first; zero inputs that are no marker are followed by zero outputs.
    const at = start + (bytes[start + 4] === 0 && bytes[start + 5] === 1 ? 6 : 4)
    this.#inputs = compactSizeAt(bytes, at)
    this.#at = at + compactSizeLengthAt(bytes, at)
    this.#outputs = -1
    return this
  }

  /** The next input. False where there is none. */
  nextInput(): boolean {
    if (this.#inputs === 0) return false
    this.#inputs -= 1
    const b = this.#bytes
    const at = this.#at
    this.outpoint = at
    this.outpointIndex = wordAt(b, at + 32) >>> 0
    const script = at + OUTPOINT_SIZE
    this.#at = script + compactSizeLengthAt(b, script) + compactSizeAt(b, script) + 4
    return true
  }

  /** The next output; inputs that are still to come are passed over. False where there is none. */
  nextOutput(): boolean {
    const b = this.#bytes
    if (this.#outputs < 0) {
      while (this.nextInput());
      this.#outputs = compactSizeAt(b, this.#at)
      this.#at += compactSizeLengthAt(b, this.#at)
    }
    if (this.#outputs === 0) return false
    this.#outputs -= 1
    const at = this.#at
    this.amount = wordAt(b, at + 4) * TWO_TO_32 + (wordAt(b, at) >>> 0)
    this.scriptStart = at + 8 + compactSizeLengthAt(b, at + 8)
    this.scriptEnd = this.scriptStart + compactSizeAt(b, at + 8)
    this.#at = this.scriptEnd
    return true
  }
}

const wordAt = (b: Uint8Array, at: number): number =>
  (b[at] as number) | ((b[at + 1] as number) << 8) | ((b[at + 2] as number) << 16) | ((b[at + 3] as number) << 24)
