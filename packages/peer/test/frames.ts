/** Frames made and read by hand, so that a test says what is on the wire without the code that it tests. */
import { concat } from "@satwire/bytes"
import { portableSha256, sha256d } from "@satwire/crypto"
import { regtest } from "@satwire/primitives"
import {
  type Command,
  type Message,
  NODE_NETWORK,
  NO_ADDRESS,
  PROTOCOL_VERSION,
  type Version,
  commandBytes,
  decodePayload,
  encodePayload
} from "@satwire/wire"
import * as Result from "effect/Result"

export interface FrameOptions {
  readonly magic?: number
  readonly length?: number
  /** XORed into the checksum. */
  readonly spoil?: number
}

/** One v1 frame of any command and payload. */
export const frame = (command: string, payload: Uint8Array, options: FrameOptions = {}): Uint8Array => {
  const bytes = new Uint8Array(24 + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, options.magic ?? regtest.magic, true)
  bytes.set(commandBytes(command), 4)
  view.setUint32(16, options.length ?? payload.length, true)
  bytes.set(sha256d(portableSha256, payload).subarray(0, 4), 20)
  view.setUint32(20, view.getUint32(20, true) ^ (options.spoil ?? 0), true)
  bytes.set(payload, 24)
  return bytes
}

/** These messages as frames, one after another. */
export const framed = (...messages: ReadonlyArray<Message>): Uint8Array =>
  concat(messages.map((message) => frame(message._tag, encodePayload(message))))

/** The messages that these whole frames carry. */
export const unframed = (bytes: Uint8Array): ReadonlyArray<Message> => {
  const messages: Array<Message> = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length;) {
    const command = String.fromCharCode(...bytes.subarray(at + 4, at + 16)).replace(/\0+$/, "") as Command
    const payload = bytes.subarray(at + 24, at + 24 + view.getUint32(at + 16, true))
    messages.push(Result.getOrThrow(decodePayload(command, payload)).value)
    at += 24 + payload.length
  }
  return messages
}

/** A `version` as an ordinary node sends it. */
export const versionOf = (fields: Partial<Version> = {}): Version => ({
  _tag: "version",
  protocolVersion: PROTOCOL_VERSION,
  services: NODE_NETWORK,
  time: 1_700_000_000n,
  receiver: NO_ADDRESS,
  sender: NO_ADDRESS,
  nonce: 0x1234_5678_9abc_def0n,
  userAgent: "/other:1.0/",
  startHeight: 7,
  relay: true,
  ...fields
})
