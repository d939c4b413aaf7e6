/** Frames made and read by hand, so that a test says what is on the wire without the code that it tests. */
import {
  type Command,
  type Message,
  NODE_NETWORK,
  NO_ADDRESS,
  PROTOCOL_VERSION,
  type Version,
  decodePayload
} from "@satwire/wire"
import * as Result from "effect/Result"

export { type FrameOptions, frame, framed } from "@satwire/testkit"

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
