/**
 * A record of a capture, as bytes. Pure: no file is touched here.
 *
 * ```
 *   time      8 bytes   microseconds since 1970, little-endian
 *   command  12 bytes   ASCII, filled up with zeros
 *   length    4 bytes   little-endian
 *   payload   length    as on the wire, without the frame of the transport
 * ```
 *
 * A file is records, one after another, and nothing else: one for what a peer sent and one for what it was sent.
 *
 * Source: Bitcoin Core 28.1 `net.cpp` (`CaptureMessageToFile`), `contrib/message-capture/message-capture-docs.md`.
 */
import { COMMAND_SIZE, MAX_PROTOCOL_MESSAGE_LENGTH, commandBytes } from "@satwire/wire"

export interface CaptureRecord {
  /** Microseconds since 1970. */
  readonly unixUs: number
  readonly command: string
  /** A view where it was read. */
  readonly payload: Uint8Array
}

/** Bytes of a record before its payload. */
export const RECORD_HEAD_BYTES = 24

const COMMAND_AT = 8
const LENGTH_AT: number = COMMAND_AT + COMMAND_SIZE

/** One record. */
export const encodeRecord = ({ command, payload, unixUs }: CaptureRecord): Uint8Array => {
  const bytes = new Uint8Array(RECORD_HEAD_BYTES + payload.length)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(unixUs), true)
  bytes.set(commandBytes(command), COMMAND_AT)
  view.setUint32(LENGTH_AT, payload.length, true)
  bytes.set(payload, RECORD_HEAD_BYTES)
  return bytes
}

/** What is found at a place. */
export type RecordFound =
  | { readonly _tag: "Record"; readonly record: CaptureRecord; readonly end: number }
  /** It needs the bytes up to here, and they are not there. */
  | { readonly _tag: "Short"; readonly needs: number }
  /** No program writes this: what follows cannot be read. */
  | { readonly _tag: "Damaged"; readonly what: string }

/** The record that begins at `at`. */
export const recordAt = (bytes: Uint8Array, at: number): RecordFound => {
  const payloadAt = at + RECORD_HEAD_BYTES
  if (bytes.length < payloadAt) return { _tag: "Short", needs: payloadAt }
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, RECORD_HEAD_BYTES)
  const unixUs = view.getBigUint64(0, true)
  if (unixUs > BigInt(Number.MAX_SAFE_INTEGER)) return { _tag: "Damaged", what: "its time lies beyond any calendar" }
  const command = commandAt(bytes, at + COMMAND_AT)
  if (command === undefined) return { _tag: "Damaged", what: "its command is no text of letters and zeros behind it" }
  const length = view.getUint32(LENGTH_AT, true)
  if (length > MAX_PROTOCOL_MESSAGE_LENGTH) {
    return { _tag: "Damaged", what: `its payload would have ${length} bytes, more than any message` }
  }
  const end = payloadAt + length
  if (bytes.length < end) return { _tag: "Short", needs: end }
  const record = { unixUs: Number(unixUs), command, payload: bytes.subarray(payloadAt, end) }
  return { _tag: "Record", record, end }
}

/** Printable ASCII, and zeros from its end on; `undefined` for anything else. */
const commandAt = (bytes: Uint8Array, at: number): string | undefined => {
  let command = ""
  let hasEnded = false
  for (let i = 0; i < COMMAND_SIZE; i++) {
    const byte = bytes[at + i] as number
    if (byte === 0) hasEnded = true
    else if (hasEnded || byte < 0x21 || byte > 0x7e) return undefined
    else command += String.fromCharCode(byte)
  }
  return command === "" ? undefined : command
}
