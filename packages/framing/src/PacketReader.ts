/**
 * Packets of the v2 transport out of a stream, opened.
 *
 * ```
 *  chunk  │len│ packet │len│ packet │len│ pac┊   next chunk ┊ket │ len…
 *           opened from the chunk into        PayloadGather, opened in place
 *           a window, or an array of its own
 * ```
 *
 * The chunk is lent and is not written to. A small packet is opened into a window that many share and that is never used twice; a
 * larger one, and any that is cut by the end of a chunk, into an array that is exactly the packet's and whose ownership moves with the
 * message (ADR 0004).
 */
import { Reader } from "@satwire/bytes"
import { AEAD_TAG_SIZE } from "@satwire/crypto"
import type { FramingFault } from "./Framing.ts"
import type { Intake } from "./Intake.ts"
import { EXPANSION, HEADER_SIZE, IGNORE_BIT, LENGTH_SIZE, type PacketOpener } from "./PacketCipher.ts"
import { PayloadGather } from "./PayloadGather.ts"

/**
 * The largest contents: a zero, a command of 12 bytes and the largest payload (Core 28.1 `V2Transport::ProcessReceivedPacketBytes`).
 *
 * @limit bytes of a v2 packet's contents
 */
export const MAX_CONTENTS_SIZE = 4_000_013

/**
 * The most that small packets of one turn share, and so the most memory that a forgotten view of a small field keeps alive.
 *
 * @limit bytes that opened v2 packets share
 */
const WINDOW_BYTES = 16 * 1024
/** What is longer has an array of its own, so that little of a window is left over. */
const SMALL_BYTES = WINDOW_BYTES / 4

const NO_BYTES: Uint8Array = new Uint8Array(0)
const NOTHING_TO_READ: Reader = new Reader(NO_BYTES)

export class PacketReader {
  readonly #opener: PacketOpener
  /** The bytes of a length, as far as they have come. */
  #length = 0
  #lengthFill = 0
  /** Bytes of header, contents and tag of the packet that comes; 0 while its length is not known. */
  #size = 0
  #gather: PayloadGather | undefined = undefined
  #window: Uint8Array = NO_BYTES
  #windowReader: Reader = NOTHING_TO_READ
  #windowAt = 0

  /** The packet opened last: its contents are `bytes[start, end)`, which `reader` can be aimed at. */
  bytes: Uint8Array = NO_BYTES
  reader: Reader = NOTHING_TO_READ
  start = 0
  end = 0
  isDecoy = false

  constructor(opener: PacketOpener) {
    this.#opener = opener
  }

  /** Bytes that are held of a packet that is not complete. */
  get heldBytes(): number {
    return this.#lengthFill + (this.#gather?.heldBytes ?? 0)
  }

  /** Bytes of the packet opened last, all of them. */
  get packetBytes(): number {
    return EXPANSION + this.end - this.start
  }

  /** Lets go of the turn's window: an idle peer has none. */
  release(): void {
    this.#window = NO_BYTES
    this.#windowReader = NOTHING_TO_READ
    this.#windowAt = 0
  }

  /**
   * Opens the next packet, if all of it has come.
   *
   * @param allowance how many bytes a packet may have now, which is judged from its length
   */
  next(intake: Intake, associated: Uint8Array, allowance: number): "opened" | FramingFault | undefined {
    if (this.#size === 0) {
      const fault = this.#readLength(intake, allowance)
      if (fault !== undefined) return fault
      if (this.#size === 0) return undefined
    }
    if (this.#gather === undefined) {
      if (!intake.hasBytes()) return undefined
      if (intake.chunk.length - intake.at >= this.#size) return this.#whole(intake, associated)
      this.#gather = new PayloadGather(this.#size, this.#size, undefined)
    }
    while (!this.#gather.isComplete) {
      if (!intake.hasBytes()) return undefined
      intake.at += this.#gather.take(intake.chunk, intake.at)
    }
    const { wanted } = this.#gather
    this.#gather = undefined
    this.bytes = wanted
    this.reader = new Reader(wanted)
    return this.#open(associated, wanted, 0, 0)
  }

  /** Takes what there is of the three bytes; with the last of them the size is known. */
  #readLength(intake: Intake, allowance: number): FramingFault | undefined {
    while (this.#lengthFill < LENGTH_SIZE) {
      if (!intake.hasBytes()) return undefined
      this.#length |= (intake.chunk[intake.at] as number) << (8 * this.#lengthFill)
      this.#lengthFill += 1
      intake.at += 1
    }
    const contentsSize = this.#opener.contentsSize(this.#length)
    this.#length = 0
    this.#lengthFill = 0
    if (contentsSize > MAX_CONTENTS_SIZE) return { _tag: "OversizedPacket", sizeBytes: contentsSize }
    if (contentsSize + EXPANSION > allowance) return { _tag: "HandshakeTooLong", sizeBytes: contentsSize + EXPANSION }
    this.#size = HEADER_SIZE + contentsSize + AEAD_TAG_SIZE
    return undefined
  }

  /** The packet lies whole in the chunk. */
  #whole(intake: Intake, associated: Uint8Array): "opened" | FramingFault {
    const from = intake.at
    intake.at = from + this.#size
    const textSize = this.#size - AEAD_TAG_SIZE
    if (textSize > SMALL_BYTES) {
      this.bytes = new Uint8Array(textSize)
      this.reader = new Reader(this.bytes)
      return this.#open(associated, intake.chunk, from, 0)
    }
    if (this.#window.length - this.#windowAt < textSize) {
      // No larger than all that there is to open, so that a lone ping does not take 16 KiB.
      this.#window = new Uint8Array(Math.min(WINDOW_BYTES, intake.chunk.length - from))
      this.#windowReader = new Reader(this.#window)
      this.#windowAt = 0
    }
    const at = this.#windowAt
    this.#windowAt = at + textSize
    this.bytes = this.#window
    this.reader = this.#windowReader
    return this.#open(associated, intake.chunk, from, at)
  }

  #open(associated: Uint8Array, input: Uint8Array, from: number, at: number): "opened" | FramingFault {
    const size = this.#size
    this.#size = 0
    if (!this.#opener.open(associated, input, from, from + size, this.bytes, at)) {
      return { _tag: "BadPacket", sizeBytes: LENGTH_SIZE + size }
    }
    this.isDecoy = ((this.bytes[at] as number) & IGNORE_BIT) !== 0
    this.start = at + HEADER_SIZE
    this.end = at + size - AEAD_TAG_SIZE
    return "opened"
  }
}
