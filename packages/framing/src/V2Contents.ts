/**
 * What a packet of the v2 transport carries: a message under a one-byte id, or under its command in 12 bytes behind a zero. Both are
 * understood for every message; the id is written where there is one.
 *
 * Source: BIP-0324 §"v2 Bitcoin P2P message structure"; Bitcoin Core 28.1 `net.cpp`, `V2Transport::GetMessageType`.
 */
import { DecodeError, Reader, type Writer, copyOut } from "@satwire/bytes"
import { COMMAND_SIZE, type Codec, type Message, codecs, decodeMessage } from "@satwire/wire"
import * as Result from "effect/Result"
import type { FramingEvent } from "./Framing.ts"
import { type Sending, commandField } from "./RawMessage.ts"
import { codecOfWords, commandText, isCommandValid } from "./V1Header.ts"

/** The row of each one-byte id. */
const byShortId: ReadonlyArray<Codec<Message> | undefined> = Array.from({ length: 256 }, (_, id) =>
  codecs.find((codec) => codec.shortId === id)
)

/** `feature` (BIP-0434): before `verack` its id is this one, afterwards it may come to mean something else. */
const ONLY_BEFORE_VERACK = 37

/** Bytes of the id or command of a message. */
export const typeSize = ({ shortId }: Sending): number => (shortId === undefined ? 1 + COMMAND_SIZE : 1)

export const writeType = (w: Writer, { command, shortId }: Sending): void => {
  if (shortId !== undefined) return w.u8(shortId)
  w.u8(0)
  w.raw(commandField(command))
}

/**
 * What the contents in `bytes[start, end)` say.
 *
 * @param reader a reader of `bytes`
 * @param sizeBytes of the whole packet
 */
export const readContents = (
  reader: Reader,
  bytes: Uint8Array,
  start: number,
  end: number,
  sizeBytes: number,
  isAfterVerack: boolean
): FramingEvent => {
  if (start === end) return { _tag: "Dropped", why: "command", command: "", sizeBytes }
  const id = bytes[start] as number
  if (id !== 0) {
    const codec = isAfterVerack && id === ONLY_BEFORE_VERACK ? undefined : byShortId[id]
    if (codec === undefined) return { _tag: "Unknown", command: `id ${id}`, sizeBytes }
    return decode(codec, reader, bytes, start + 1, end, sizeBytes)
  }
  const payload = start + 1 + COMMAND_SIZE
  if (payload > end) return { _tag: "Dropped", why: "command", command: "", sizeBytes }
  reader.aim(start + 1, payload)
  const [word0, word1, word2] = [reader.u32(), reader.u32(), reader.u32()]
  const codec = codecOfWords(word0, word1, word2)
  if (codec !== undefined) return decode(codec, reader, bytes, payload, end, sizeBytes)
  const command = commandText(word0, word1, word2)
  return isCommandValid(word0, word1, word2)
    ? { _tag: "Unknown", command, sizeBytes }
    : { _tag: "Dropped", why: "command", command, sizeBytes }
}

const decode = (
  codec: Codec<Message>,
  reader: Reader,
  bytes: Uint8Array,
  start: number,
  end: number,
  sizeBytes: number
): FramingEvent => {
  const length = end - start
  const isTooLong = length > codec.maxSize
  if (isTooLong && codec.strict) {
    const error = new DecodeError("overLimit", `${codec.command} of ${length} bytes`, 0)
    return { _tag: "Undecodable", command: codec.command, error, sizeBytes }
  }
  // Of a payload that is longer than any value only the value is kept.
  const from = isTooLong ? new Reader(copyOut(bytes.subarray(start, start + codec.maxSize))) : reader
  if (!isTooLong) reader.aim(start, end)
  const decoded = decodeMessage(codec, from)
  return Result.isSuccess(decoded)
    ? { _tag: "Message", message: decoded.success.value, sizeBytes }
    : { _tag: "Undecodable", command: codec.command, error: decoded.failure, sizeBytes }
}
