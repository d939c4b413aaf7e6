/** Frames of the v1 transport made by hand, well or badly, apart from the framing that they are to test. */
import { concat } from "@satwire/bytes"
import { portableSha256, sha256d } from "@satwire/crypto"
import { regtest } from "@satwire/primitives"
import { type Message, commandBytes, encodePayload } from "@satwire/wire"

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
