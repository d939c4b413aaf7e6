/**
 * What a frame of gossip says, counted before it is decoded: its fields are walked over and nothing is made of them.
 *
 * Specification: a frame of more than {@link MAX_FRAME_FIELDS} fields is not decoded. Rationale: of a field of two bytes the decoder makes an object,
 * of which a frame of 1.4 MB holds 700,000.
 *
 * Source: libp2p specs `pubsub/gossipsub` (v1.2), the messages of its `RPC`; Protocol Buffers §"Encoding".
 */

/**
 * Three topics' worth of gossipsub's own most for one, and what comes with them.
 *
 * @limit fields of a frame of gossip that is decoded
 */
export const MAX_FRAME_FIELDS = 20_000

/** Fields that weigh as much as a message does: an id is looked up, and that is all. */
const FIELDS_OF_AN_ENTRY = 50

/** Which fields of a message are messages themselves, by their numbers, and whether each field counts as much as a message. */
interface Shape {
  readonly isEntry: boolean
  readonly inner: ReadonlyArray<Shape | undefined>
  /** Which field of it is ids of messages. */
  readonly ids?: number
}

const PLAIN: Shape = { isEntry: false, inner: [] }
const PRUNE: Shape = { isEntry: false, inner: [undefined, undefined, PLAIN] }
const HAVE: Shape = { isEntry: false, inner: [], ids: 2 }
const IDS: Shape = { isEntry: false, inner: [], ids: 1 }
const CONTROL: Shape = { isEntry: true, inner: [undefined, HAVE, IDS, PLAIN, PRUNE, IDS] }
const RPC: Shape = { isEntry: true, inner: [undefined, PLAIN, PLAIN, CONTROL] }

/** An id here: 32 bytes of what a message says, and four of its topic. Longer ones are nobody's, and gossipsub would keep them. */
export const MESSAGE_ID_BYTES = 36

const VARINT = 0
const BYTES_8 = 1
const BYTES_N = 2
const GROUP_BEGINS = 3
const GROUP_ENDS = 4
const BYTES_4 = 5

const MOST_VARINT_BYTES = 10
/**
 * Of the number of a field and of a length the decoder takes the lower 32 bits, whatever stands above: what is more than that would be read there in
 * another way than here.
 */
const MOST_WORD = 2 ** 32

/** Why a frame is not decoded. */
export type FrameFault = "malformed" | "flood"

class Walk {
  readonly #frame: Uint8Array
  #at = 0
  #fields = 0
  entries = 0
  fault: FrameFault | undefined = undefined

  constructor(frame: Uint8Array) {
    this.#frame = frame
  }

  message(shape: Shape, end: number): void {
    while (this.#at < end && this.fault === undefined) {
      if (++this.#fields > MAX_FRAME_FIELDS) this.fault = "flood"
      this.entries += shape.isEntry ? 1 : 1 / FIELDS_OF_AN_ENTRY
      this.#field(shape, end)
    }
  }

  #field({ inner, ids }: Shape, end: number): void {
    const tag = this.#word(end)
    switch (tag % 8) {
      case VARINT:
        this.#varint(end)
        return
      case GROUP_BEGINS:
      case GROUP_ENDS:
        return
      case BYTES_8:
        return this.#skip(8, end)
      case BYTES_4:
        return this.#skip(4, end)
      case BYTES_N: {
        const length = this.#word(end)
        const number = Math.floor(tag / 8)
        if (number === ids && length > MESSAGE_ID_BYTES) this.fault ??= "malformed"
        const within = inner[number]
        if (within === undefined || this.#at + length > end) return this.#skip(length, end)
        return this.message(within, this.#at + length)
      }
      default:
        this.fault ??= "malformed"
    }
  }

  #skip(length: number, end: number): void {
    if (this.#at + length > end) this.fault ??= "malformed"
    else this.#at += length
  }

  #word(end: number): number {
    const value = this.#varint(end)
    if (value >= MOST_WORD) this.fault ??= "malformed"
    return value
  }

  #varint(end: number): number {
    let value = 0
    for (let n = 0, scale = 1; n < MOST_VARINT_BYTES && this.#at < end; n++, scale *= 128) {
      const byte = this.#frame[this.#at++] as number
      value += (byte % 128) * scale
      if (byte < 128) return value
    }
    this.fault ??= "malformed"
    return 0
  }
}

/** How many entries a frame holds that each weigh as a message does, at least one; or why it is not to be decoded. Never throws. */
export const entriesOf = (frame: Uint8Array): number | FrameFault => {
  const walk = new Walk(frame)
  walk.message(RPC, frame.length)
  return walk.fault ?? Math.max(1, walk.entries)
}
