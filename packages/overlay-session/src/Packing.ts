/**
 * How envelopes travel in frames: as they are where they are short, deflated where they are long, and as what changed where the last one of
 * their type is known to both ends. Both keep the same: after each long envelope that was sent, or came, the last one of its type.
 *
 * Specification: nothing inflates to more than an envelope may have, and what it inflates to is asked for by that bound. Rationale: a
 * thousand bytes can be a gigabyte.
 */
import { copyOut } from "@satwire/bytes"
import { keepLast } from "@satwire/machine"
import { decodeDelta, encodeDelta } from "./Delta.ts"
import { FrameKind } from "./Frame.ts"
import { Capability } from "./Hello.ts"

/** The platform's DEFLATE (RFC 1951). `@satwire/overlay-session/node` has it for Node and Deno. */
export interface Deflate {
  readonly deflate: (bytes: Uint8Array) => Uint8Array
  /** `undefined` where the bytes are malformed or inflate to more than `maxBytes`. */
  readonly inflate: (bytes: Uint8Array, maxBytes: number) => Uint8Array | undefined
}

/**
 * From how many bytes on an envelope is compressed.
 *
 * @limit bytes from which on a message is compressed
 */
export const COMPRESS_FROM_BYTES = 1024
/**
 * Types of which a session keeps the last message, each way.
 *
 * @limit types of which a session keeps the last message
 */
export const KEPT_TYPES = 8
/**
 * Longer envelopes are not kept, and so never told as what changed.
 *
 * @limit bytes of a message that a session keeps for the next one
 */
export const MAX_KEPT_BYTES: number = 256 * 1024

/** The type of an envelope: where it begins, and its first byte. */
const TYPE_AT = 17
const MAX_FIXSTR = 31

const typeOf = (envelope: Uint8Array): string => {
  const head = envelope[TYPE_AT] ?? 0
  const isFix = (head & 0xe0) === 0xa0
  const from = isFix ? TYPE_AT + 1 : TYPE_AT + 2
  const length = isFix ? head & MAX_FIXSTR : Math.min(64, envelope[TYPE_AT + 1] ?? 0)
  return String.fromCharCode(...envelope.subarray(from, from + length))
}

/** The last long message of each of a few types. */
class Kept {
  readonly #byType: Map<string, Uint8Array> = new Map()

  get(type: string): Uint8Array | undefined {
    return this.#byType.get(type)
  }

  /** Keeps memory that is nobody's to change. */
  set(type: string, envelope: Uint8Array): void {
    if (envelope.length > MAX_KEPT_BYTES) this.#byType.delete(type)
    else keepLast(this.#byType, type, envelope, KEPT_TYPES)
  }
}

export interface Packed {
  readonly kind: FrameKind
  readonly payload: Uint8Array
}

const MAX_TYPE_BYTES = 64

/** One direction out. */
export class Packer {
  readonly #deflate: Deflate | undefined
  readonly #hasDelta: boolean
  readonly #kept: Kept = new Kept()

  /** @param capabilities what the other end reads */
  constructor(deflate: Deflate | undefined, capabilities: number) {
    this.#deflate = (capabilities & Capability.deflate) === 0 ? undefined : deflate
    this.#hasDelta = (capabilities & Capability.delta) !== 0
  }

  pack(envelope: Uint8Array): Packed {
    if (envelope.length < COMPRESS_FROM_BYTES) return { kind: FrameKind.envelope, payload: envelope }
    return this.#changed(envelope) ?? this.#deflated(envelope) ?? { kind: FrameKind.envelope, payload: envelope }
  }

  #deflated(envelope: Uint8Array): Packed | undefined {
    const deflated = this.#deflate?.deflate(envelope)
    return deflated !== undefined && deflated.length < envelope.length
      ? { kind: FrameKind.deflated, payload: deflated }
      : undefined
  }

  #changed(envelope: Uint8Array): Packed | undefined {
    if (!this.#hasDelta) return undefined
    const type = typeOf(envelope)
    const before = this.#kept.get(type)
    this.#kept.set(type, envelope)
    const delta = before === undefined ? undefined : encodeDelta(before, envelope)
    if (delta === undefined) return undefined
    const payload = new Uint8Array(1 + type.length + delta.length)
    payload[0] = type.length
    for (let i = 0; i < type.length; i++) payload[1 + i] = type.charCodeAt(i)
    payload.set(delta, 1 + type.length)
    return { kind: FrameKind.delta, payload }
  }
}

/** The other direction. */
export class Unpacker {
  readonly #deflate: Deflate | undefined
  readonly #maxBytes: number
  readonly #kept: Kept = new Kept()
  readonly #keeps: boolean

  /** @param capabilities what we said that we read */
  constructor(deflate: Deflate | undefined, capabilities: number, maxBytes: number) {
    this.#deflate = (capabilities & Capability.deflate) === 0 ? undefined : deflate
    this.#keeps = (capabilities & Capability.delta) !== 0
    this.#maxBytes = maxBytes
  }

  /** The envelope of a frame; `undefined` where it is none. It may be a view into the payload. */
  unpack(kind: number, payload: Uint8Array): Uint8Array | undefined {
    const envelope = this.#unpacked(kind, payload)
    if (envelope === undefined || envelope.length < COMPRESS_FROM_BYTES || !this.#keeps) return envelope
    const owned = kind === FrameKind.envelope ? copyOut(envelope) : envelope
    this.#kept.set(typeOf(owned), owned)
    return owned
  }

  #unpacked(kind: number, payload: Uint8Array): Uint8Array | undefined {
    if (kind === FrameKind.envelope) return payload
    if (kind === FrameKind.deflated) return this.#deflate?.inflate(payload, this.#maxBytes)
    if (kind !== FrameKind.delta) return undefined
    const typeEnd = 1 + (payload[0] ?? 0)
    if (typeEnd > 1 + MAX_TYPE_BYTES) return undefined
    const before = this.#kept.get(String.fromCharCode(...payload.subarray(1, typeEnd)))
    return before === undefined ? undefined : decodeDelta(before, payload.subarray(typeEnd), this.#maxBytes)
  }
}
