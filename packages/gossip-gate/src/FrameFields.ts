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

/** A message of gossip's: its fields by their numbers, and whether each of them counts as much as a message of a topic. */
interface Shape {
  readonly isEntry: boolean
  readonly fields: ReadonlyArray<Field | undefined>
}

/** How a field is written, and what is in it. */
interface Field {
  readonly wire: number
  readonly shape?: Shape
  readonly mostBytes?: number
}

/** An id here: 32 bytes of what a message says, and four of its topic. Longer ones are nobody's, and gossipsub would keep them. */
export const MESSAGE_ID_BYTES = 36

const VARINT = 0
const BYTES_8 = 1
const BYTES_N = 2
const BYTES_4 = 5

const shape = (isEntry: boolean, ...fields: ReadonlyArray<Field>): Shape => ({
  isEntry,
  fields: [undefined, ...fields]
})
const WORD: Field = { wire: VARINT }
const BYTES: Field = { wire: BYTES_N }
const ID: Field = { wire: BYTES_N, mostBytes: MESSAGE_ID_BYTES }
const of = (inner: Shape): Field => ({ wire: BYTES_N, shape: inner })

const SUBSCRIPTION = shape(false, WORD, BYTES)
const MESSAGE = shape(false, BYTES, BYTES, BYTES, BYTES, BYTES, BYTES)
const PRUNE = shape(false, BYTES, of(shape(false, BYTES, BYTES)), WORD)
const CONTROL = shape(
  true,
  of(shape(false, BYTES, ID)),
  of(shape(false, ID)),
  of(shape(false, BYTES)),
  of(PRUNE),
  of(shape(false, ID))
)
const RPC = shape(true, of(SUBSCRIPTION), of(MESSAGE), of(CONTROL))

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

  /** The decoder looks at the number of a field that it knows and not at how it is written: one that is written in another way is none. */
  #field({ fields }: Shape, end: number): void {
    const tag = this.#word(end)
    const [field, wire] = [fields[Math.floor(tag / 8)], tag % 8]
    if (field !== undefined && field.wire !== wire) this.fault ??= "malformed"
    switch (wire) {
      case VARINT:
        this.#varint(end)
        return
      case BYTES_8:
        return this.#skip(8, end)
      case BYTES_4:
        return this.#skip(4, end)
      case BYTES_N: {
        const length = this.#word(end)
        if (length > (field?.mostBytes ?? Infinity)) this.fault ??= "malformed"
        if (field?.shape === undefined || this.#at + length > end) return this.#skip(length, end)
        return this.message(field.shape, this.#at + length)
      }
      default:
        // Groups, too, which nobody writes.
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
