/**
 * Where the bytes of the pool's transactions lie: side by side in chunks, because memory of its own costs each of them 600 bytes and a
 * share of every collection (measured, README). A big one has memory of its own.
 *
 * ```
 *   chunk   │ tx │ (left) │ tx │ tx │ (left) │ … free │      nothing is written over: who holds a view may go on reading
 * ```
 *
 * Specification: chunks take at most twice what lies in them. Rationale: one from which more than half has left gives the rest to the chunk
 * that is being filled, and so costs no more copying than what has left it.
 */
import { copyOut } from "@satwire/bytes"
import { widened } from "./Column.ts"

/** Bytes of a chunk. It is also what a forgotten view of a transaction keeps alive. */
const CHUNK_BYTES = 32 * 1024
/** From here on a transaction has memory of its own: so little of a chunk stays unused at its end. */
const OWN_BYTES = 2048
const FIRST_IDS = 64

class Chunk {
  readonly bytes: Uint8Array
  /** Where the next transaction goes. */
  used = 0
  /** Bytes of it that have not left. */
  live = 0
  /** Whose bytes came here, in their order. Some have left. */
  readonly ids: Array<number> = []

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

export class TransactionBytes {
  readonly #chunks: Array<Chunk | undefined> = []
  #starts: Int32Array = new Int32Array(FIRST_IDS)
  #lengths: Int32Array = new Int32Array(FIRST_IDS)
  #filling: Chunk = new Chunk(new Uint8Array(CHUNK_BYTES))

  /** Copies `bytes`, under a number that is free. */
  put(id: number, bytes: Uint8Array): void {
    if (id >= this.#starts.length) {
      this.#starts = widened(new Int32Array(2 * id), this.#starts)
      this.#lengths = widened(new Int32Array(2 * id), this.#lengths)
    }
    while (this.#chunks.length <= id) this.#chunks.push(undefined)
    this.#lengths[id] = bytes.length
    if (bytes.length >= OWN_BYTES) {
      this.#chunks[id] = new Chunk(copyOut(bytes))
      this.#starts[id] = 0
    } else this.#append(id, bytes)
  }

  /** The memory in which the transaction lies, from {@link start} on. */
  memory(id: number): Uint8Array {
    return (this.#chunks[id] as Chunk).bytes
  }

  start(id: number): number {
    return this.#starts[id] as number
  }

  length(id: number): number {
    return this.#lengths[id] as number
  }

  /** The bytes of the transaction, as a view. */
  view(id: number): Uint8Array {
    const start = this.start(id)
    return this.memory(id).subarray(start, start + this.length(id))
  }

  delete(id: number): void {
    const chunk = this.#chunks[id] as Chunk
    this.#chunks[id] = undefined
    if (this.length(id) >= OWN_BYTES) return
    chunk.live -= this.length(id)
    if (chunk !== this.#filling && 2 * chunk.live < CHUNK_BYTES) this.#empty(chunk)
  }

  #append(id: number, bytes: Uint8Array): void {
    if (this.#filling.used + bytes.length > CHUNK_BYTES) this.#fillAnother()
    const chunk = this.#filling
    chunk.bytes.set(bytes, chunk.used)
    this.#chunks[id] = chunk
    this.#starts[id] = chunk.used
    chunk.ids.push(id)
    chunk.used += bytes.length
    chunk.live += bytes.length
  }

  #fillAnother(): void {
    const full = this.#filling
    this.#filling = new Chunk(new Uint8Array(CHUNK_BYTES))
    if (2 * full.live < CHUNK_BYTES) this.#empty(full)
  }

  #empty(chunk: Chunk): void {
    for (const id of chunk.ids) if (this.#chunks[id] === chunk) this.#append(id, this.view(id))
    chunk.live = 0
  }
}
