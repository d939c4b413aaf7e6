/** What is to be written to a v1 connection: messages until they are asked for, then one buffer with all of their frames. */
import { Writer } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import { assert } from "@satwire/machine"
import { type Codec, MAX_PROTOCOL_MESSAGE_LENGTH, type Message, codecOf } from "@satwire/wire"
import { EMPTY_CHECKSUM, V1_CHECKSUM_OFFSET, V1_HEADER_SIZE, commandFields } from "./V1Header.ts"

/** Where a digest lies until its first four bytes are taken: one for all, as nothing comes between. */
const DIGEST = new Uint8Array(32)

export interface V1Options {
  /** The network's four bytes, as `ChainParams.magic`. */
  readonly magic: number
  readonly sha256: Sha256
}

interface Pending {
  readonly message: Message
  readonly codec: Codec<Message>
  readonly size: number
}

/** Shared by all that have nothing to write. */
const NOTHING: Array<Pending> = []

export class V1Output {
  readonly #options: V1Options
  #pending: Array<Pending> = NOTHING
  #sizeBytes = 0

  constructor(options: V1Options) {
    this.#options = options
  }

  send(message: Message): void {
    const codec = codecOf(message._tag) as Codec<Message>
    const size = codec.size(message)
    assert(size <= MAX_PROTOCOL_MESSAGE_LENGTH, `a ${message._tag} of ${size} bytes is more than any peer takes`)
    if (this.#pending === NOTHING) this.#pending = [{ message, codec, size }]
    else this.#pending.push({ message, codec, size })
    this.#sizeBytes += V1_HEADER_SIZE + size
  }

  take(): Uint8Array | undefined {
    if (this.#pending.length === 0) return undefined
    const w = new Writer(new Uint8Array(this.#sizeBytes))
    for (const pending of this.#pending) this.#write(w, pending)
    this.#pending = NOTHING
    this.#sizeBytes = 0
    return w.bytes
  }

  #write(w: Writer, { message, codec, size }: Pending): void {
    const start = w.offset + V1_HEADER_SIZE
    w.u32(this.#options.magic)
    w.raw(commandFields.get(codec.command) as Uint8Array)
    w.u32(size)
    w.u32(EMPTY_CHECKSUM)
    codec.encode(w, message)
    assert(w.offset === start + size, `a ${message._tag} has other bytes than its size says`)
    if (size === 0) return
    this.#options.sha256.sha256d(w.bytes, start, w.offset, DIGEST, 0)
    w.bytes.set(DIGEST.subarray(0, 4), start - V1_HEADER_SIZE + V1_CHECKSUM_OFFSET)
  }
}
