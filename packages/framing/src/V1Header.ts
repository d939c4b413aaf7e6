/**
 * The 24 bytes before each payload of the v1 transport.
 *
 * ```
 *  0       4                            16       20         24
 *  │ magic │ command, padded with zeros │ length │ checksum │ payload …
 *  │ u32   │ 12 bytes                   │ u32    │ first 4 bytes of the payload's SHA-256d
 * ```
 *
 * The command is handled as the three words that it is on the wire: a string is made of it only where somebody is told about it.
 */
import type { Reader } from "@satwire/bytes"
import { type Codec, type Command, type Message, codecs, commandBytes } from "@satwire/wire"

/** Bytes of a header. */
export const V1_HEADER_SIZE = 24
/** Where the payload's length stands in a header. */
export const V1_LENGTH_OFFSET = 16
/** Where the checksum stands in a header. */
export const V1_CHECKSUM_OFFSET = 20

/** The checksum of an empty payload. */
export const EMPTY_CHECKSUM = 0xe2e0f65d

interface Row {
  readonly word0: number
  readonly word1: number
  readonly word2: number
  readonly codec: Codec<Message>
}

const mix = (word0: number, word1: number, word2: number): number =>
  Math.imul(Math.imul(word0 ^ (word1 << 5), 0x9e3779b1) ^ word1, 0x85ebca77) ^ word2

const rows: ReadonlyMap<number, Row> = new Map(
  codecs.map((codec) => {
    const view = new DataView(commandBytes(codec.command).buffer)
    const row = {
      word0: view.getUint32(0, true),
      word1: view.getUint32(4, true),
      word2: view.getUint32(8, true),
      codec
    }
    return [mix(row.word0, row.word1, row.word2), row]
  })
)
if (rows.size !== codecs.length) throw new Error("two commands meet in one place: change the constants of mix")

/** The row of the message table that a header's command names. */
export const codecOfWords = (word0: number, word1: number, word2: number): Codec<Message> | undefined => {
  const row = rows.get(mix(word0, word1, word2))
  return row !== undefined && row.word0 === word0 && row.word1 === word1 && row.word2 === word2 ? row.codec : undefined
}

const bytesOf = (word0: number, word1: number, word2: number): ReadonlyArray<number> =>
  [word0, word1, word2].flatMap((word) => [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24])

/** Printable ASCII, then only zeros: as Core's `IsMessageTypeValid` (protocol.cpp). */
export const isCommandValid = (word0: number, word1: number, word2: number): boolean => {
  let ended = false
  for (const byte of bytesOf(word0, word1, word2)) {
    if (byte === 0) ended = true
    else if (ended || byte < 0x20 || byte > 0x7e) return false
  }
  return true
}

/** The command for people: up to the first zero, with a question mark for what is not printable. */
export const commandText = (word0: number, word1: number, word2: number): string => {
  let text = ""
  for (const byte of bytesOf(word0, word1, word2)) {
    if (byte === 0) break
    text += byte < 0x20 || byte > 0x7e ? "?" : String.fromCharCode(byte)
  }
  return text
}

/** A header that was read, behind its magic. */
export class V1Head {
  #word0 = 0
  #word1 = 0
  #word2 = 0
  /** Bytes of the payload. */
  length = 0
  checksum = 0
  /** `undefined` where the command is none of the table's. */
  codec: Codec<Message> | undefined = undefined

  read(from: Reader): void {
    this.#word0 = from.u32()
    this.#word1 = from.u32()
    this.#word2 = from.u32()
    this.length = from.u32()
    this.checksum = from.u32()
    this.codec = codecOfWords(this.#word0, this.#word1, this.#word2)
  }

  copy(): V1Head {
    const copy = new V1Head()
    copy.#word0 = this.#word0
    copy.#word1 = this.#word1
    copy.#word2 = this.#word2
    copy.length = this.length
    copy.checksum = this.checksum
    copy.codec = this.codec
    return copy
  }

  get isCommandValid(): boolean {
    return this.codec !== undefined || isCommandValid(this.#word0, this.#word1, this.#word2)
  }

  get command(): string {
    return commandText(this.#word0, this.#word1, this.#word2)
  }

  get frameBytes(): number {
    return V1_HEADER_SIZE + this.length
  }
}

/** The 12 bytes of each command, made once. */
export const commandFields: ReadonlyMap<Command, Uint8Array> = new Map(
  codecs.map(({ command }) => [command, commandBytes(command)])
)
