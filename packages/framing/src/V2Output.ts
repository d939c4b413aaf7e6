/**
 * What is to be written to a v2 connection: the bytes of the handshake as they come up, and messages until both keys are known and they
 * are asked for; then one buffer with all of their packets.
 */
import { Writer } from "@satwire/bytes"
import { assert } from "@satwire/machine"
import { EXPANSION, HEADER_SIZE, LENGTH_SIZE, type PacketSealer } from "./PacketCipher.ts"
import { MAX_CONTENTS_SIZE } from "./PacketReader.ts"
import { type Sendable, type Sending, sendingOf } from "./RawMessage.ts"
import { typeSize, writeType } from "./V2Contents.ts"

interface Pending {
  /** `undefined` for a decoy. */
  readonly sending: Sending | undefined
  readonly contentsSize: number
}

const NOTHING: Uint8Array = new Uint8Array(0)

export class V2Output {
  /** Once both keys are known. */
  #sealer: PacketSealer | undefined = undefined
  #handshake: Array<Uint8Array> = []
  #handshakeBytes = 0
  #pending: Array<Pending> = []
  #pendingBytes = 0

  /** Appends bytes of the handshake. */
  write(bytes: Uint8Array): void {
    this.#handshake.push(bytes)
    this.#handshakeBytes += bytes.length
  }

  /** No keys → keys: the terminator and the version packet follow, and what waits can be sealed. */
  begin(sealer: PacketSealer, terminator: Uint8Array, garbage: Uint8Array): void {
    const bytes = new Uint8Array(terminator.length + EXPANSION)
    bytes.set(terminator)
    sealer.seal(bytes, terminator.length, 0, false, garbage)
    this.write(bytes)
    this.#sealer = sealer
  }

  /** Gives how many bytes it takes on the wire. */
  send(message: Sendable): number {
    const sending = sendingOf(message)
    return this.#add({ sending, contentsSize: typeSize(sending) + sending.sizeBytes })
  }

  /** Appends a packet that says nothing. */
  sendDecoy(contentsSize: number): void {
    assert(contentsSize <= MAX_CONTENTS_SIZE, `a decoy of ${contentsSize} bytes is more than any peer takes`)
    this.#add({ sending: undefined, contentsSize })
  }

  take(): Uint8Array | undefined {
    const sealer = this.#sealer
    const size = this.#handshakeBytes + (sealer === undefined ? 0 : this.#pendingBytes)
    if (size === 0) return undefined
    const w = new Writer(new Uint8Array(size))
    for (const bytes of this.#handshake) w.raw(bytes)
    this.#handshake = []
    this.#handshakeBytes = 0
    if (sealer === undefined) return w.bytes
    for (const pending of this.#pending) seal(sealer, w, pending)
    this.#pending = []
    this.#pendingBytes = 0
    return w.bytes
  }

  #add(pending: Pending): number {
    this.#pending.push(pending)
    const sizeBytes = EXPANSION + pending.contentsSize
    this.#pendingBytes += sizeBytes
    return sizeBytes
  }
}

const seal = (sealer: PacketSealer, w: Writer, { sending, contentsSize }: Pending): void => {
  const start = w.offset
  w.offset = start + LENGTH_SIZE + HEADER_SIZE
  const end = w.offset + contentsSize
  if (sending !== undefined) {
    writeType(w, sending)
    sending.encode(w)
    assert(w.offset === end, `a ${sending.command} has other bytes than its size says`)
  }
  w.offset = sealer.seal(w.bytes, start, contentsSize, sending === undefined, NOTHING)
}
