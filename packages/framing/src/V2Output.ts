/**
 * What is to be written to a v2 connection: the bytes of the handshake as they come up, and messages until both keys are known and they
 * are asked for; then one buffer with all of their packets.
 */
import { Writer } from "@satwire/bytes"
import { assert } from "@satwire/machine"
import { type Codec, MAX_PROTOCOL_MESSAGE_LENGTH, type Message, codecOf } from "@satwire/wire"
import { EXPANSION, HEADER_SIZE, LENGTH_SIZE, type PacketSealer } from "./PacketCipher.ts"
import { MAX_CONTENTS_SIZE } from "./PacketReader.ts"
import { typeSize, writeType } from "./V2Contents.ts"

interface Pending {
  /** A message and its row, or neither for a decoy. */
  readonly message: Message | undefined
  readonly codec: Codec<Message> | undefined
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

  send(message: Message): void {
    const codec = codecOf(message._tag) as Codec<Message>
    const size = codec.size(message)
    assert(size <= MAX_PROTOCOL_MESSAGE_LENGTH, `a ${message._tag} of ${size} bytes is more than any peer takes`)
    this.#add({ message, codec, contentsSize: typeSize(codec) + size })
  }

  /** Appends a packet that says nothing. */
  sendDecoy(contentsSize: number): void {
    assert(contentsSize <= MAX_CONTENTS_SIZE, `a decoy of ${contentsSize} bytes is more than any peer takes`)
    this.#add({ message: undefined, codec: undefined, contentsSize })
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

  #add(pending: Pending): void {
    this.#pending.push(pending)
    this.#pendingBytes += EXPANSION + pending.contentsSize
  }
}

const seal = (sealer: PacketSealer, w: Writer, { message, codec, contentsSize }: Pending): void => {
  const start = w.offset
  w.offset = start + LENGTH_SIZE + HEADER_SIZE
  const end = w.offset + contentsSize
  if (message !== undefined && codec !== undefined) {
    writeType(w, codec)
    codec.encode(w, message)
    assert(w.offset === end, `a ${message._tag} has other bytes than its size says`)
  }
  w.offset = sealer.seal(w.bytes, start, contentsSize, message === undefined, NOTHING)
}
