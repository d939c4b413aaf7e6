/** What is to be written to a v1 connection: messages until they are asked for, then one buffer with all of their frames. */
import { Writer } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import { assert } from "@satwire/machine"
import { type Sendable, type Sending, commandField, sendingOf } from "./RawMessage.ts"
import { EMPTY_CHECKSUM, V1_CHECKSUM_OFFSET, V1_HEADER_SIZE } from "./V1Header.ts"

/** Where a digest lies until its first four bytes are taken: one for all, as nothing comes between. */
const DIGEST = new Uint8Array(32)

export interface V1Options {
  /** The network's four bytes, as `ChainParams.magic`. */
  readonly magic: number
  readonly sha256: Sha256
}

/** Shared by all that have nothing to write. */
const NOTHING: Array<Sending> = []

export class V1Output {
  readonly #options: V1Options
  #pending: Array<Sending> = NOTHING
  #sizeBytes = 0

  constructor(options: V1Options) {
    this.#options = options
  }

  /** Gives how many bytes it takes on the wire. */
  send(message: Sendable): number {
    const sending = sendingOf(message)
    if (this.#pending === NOTHING) this.#pending = [sending]
    else this.#pending.push(sending)
    const sizeBytes = V1_HEADER_SIZE + sending.sizeBytes
    this.#sizeBytes += sizeBytes
    return sizeBytes
  }

  take(): Uint8Array | undefined {
    if (this.#pending.length === 0) return undefined
    const w = new Writer(new Uint8Array(this.#sizeBytes))
    for (const pending of this.#pending) this.#write(w, pending)
    this.#pending = NOTHING
    this.#sizeBytes = 0
    return w.bytes
  }

  #write(w: Writer, sending: Sending): void {
    const { command, sizeBytes: size } = sending
    const start = w.offset + V1_HEADER_SIZE
    w.u32(this.#options.magic)
    w.raw(commandField(command))
    w.u32(size)
    w.u32(EMPTY_CHECKSUM)
    sending.encode(w)
    assert(w.offset === start + size, `a ${command} has other bytes than its size says`)
    if (size === 0) return
    this.#options.sha256.sha256d(w.bytes, start, w.offset, DIGEST, 0)
    w.bytes.set(DIGEST.subarray(0, 4), start - V1_HEADER_SIZE + V1_CHECKSUM_OFFSET)
  }
}
