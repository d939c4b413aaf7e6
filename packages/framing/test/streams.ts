/** Feeds streams to a framing as a socket does: in chunks that lie in one buffer, which is overwritten after each turn. */
import { encode } from "@satwire/bytes"
import { platformSha256 } from "@satwire/crypto/node"
import { mainnet } from "@satwire/primitives"
import type { Message } from "@satwire/wire"
import { type Framing, type FramingEvent, V1Framing } from "../src/index.ts"

export const framing = (): V1Framing => new V1Framing({ magic: mainnet.magic, sha256: platformSha256 })

/** The frames of these messages, in one buffer. */
export const framed = (...messages: ReadonlyArray<Message>): Uint8Array => {
  const writer = framing()
  for (const message of messages) writer.send(message)
  return writer.takeOutput() ?? new Uint8Array(0)
}

/** A frame of any command and payload. The checksum is right unless another is given. */
export const frame = (
  command: string,
  payload: Uint8Array,
  options: { readonly magic?: number; readonly checksum?: number; readonly length?: number } = {}
): Uint8Array => {
  const digest = new Uint8Array(32)
  platformSha256.sha256d(payload, 0, payload.length, digest, 0)
  return encode(24 + payload.length, (w) => {
    w.u32(options.magic ?? mainnet.magic)
    w.raw(Uint8Array.from({ length: 12 }, (_, i) => (i < command.length ? command.charCodeAt(i) : 0)))
    w.u32(options.length ?? payload.length)
    if (options.checksum === undefined) w.raw(digest.subarray(0, 4))
    else w.u32(options.checksum)
    w.raw(payload)
  })
}

/** Takes all events that there are now. */
export const drain = (reader: Framing): Array<FramingEvent> => {
  const events: Array<FramingEvent> = []
  for (let event = reader.next(); event !== undefined; event = reader.next()) events.push(event)
  return events
}

/** The events of a stream that comes in chunks of these sizes, over and over. */
export const events = (
  stream: Uint8Array,
  sizes: ReadonlyArray<number> = [stream.length],
  reader: Framing = framing()
): ReadonlyArray<FramingEvent> => {
  const all: Array<FramingEvent> = []
  const shared = new Uint8Array(Math.max(1, ...sizes))
  for (let at = 0, i = 0; at < stream.length; i++) {
    const size = Math.min(Math.max(1, sizes[i % sizes.length] ?? 1), stream.length - at)
    shared.set(stream.subarray(at, at + size))
    reader.receive(shared.subarray(0, size))
    all.push(...drain(reader))
    reader.release()
    shared.fill(0xee)
    at += size
  }
  return all
}
