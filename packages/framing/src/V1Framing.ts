/**
 * The transport in the clear: every message since 2009, each behind a header of 24 bytes (`V1Header.ts`).
 *
 * ```
 *  chunk  │ header │ payload │ header │ payl┊   next chunk ┊oad │ hea┊
 *           in place: hashed, decoded         PayloadGather       24 bytes kept
 * ```
 *
 * A frame that lies whole in a chunk is read where it lies; the chunk is borrowed, so what its messages keep is copied by the
 * reader. Only what is cut by the end of a chunk is kept, so any chunking of a stream gives the same events at linear cost.
 *
 * Source: Bitcoin Core 28.1 `net.cpp`, `V1Transport`.
 */
import { DecodeError, Reader, copyOut } from "@satwire/bytes"
import type { IncrementalSha256d, Sha256 } from "@satwire/crypto"
import { type Codec, MAX_PROTOCOL_MESSAGE_LENGTH, type Message, decodeMessage } from "@satwire/wire"
import * as Result from "effect/Result"
import { Backlog } from "./Backlog.ts"
import { ChecksumsAhead } from "./ChecksumsAhead.ts"
import type { Framing, FramingEvent, FramingFault } from "./Framing.ts"
import { PayloadGather } from "./PayloadGather.ts"
import { EMPTY_CHECKSUM, V1_HEADER_SIZE, codecOfWords, commandText, isCommandValid } from "./V1Header.ts"
import { V1Output } from "./V1Output.ts"

export interface V1Options {
  /** The network's four bytes, as `ChainParams.magic`. */
  readonly magic: number
  readonly sha256: Sha256
}

/**
 * A payload longer than this lies in an array of its own, which its message owns.
 *
 * @limit bytes of a payload from which on it lies in an array of its own
 */
const LARGE_PAYLOAD_BYTES = 16 * 1024

const NO_BYTES = new Uint8Array(0)
/** Where a digest lies while it is compared: one for all, as nothing comes between. */
const DIGEST = new Uint8Array(32)
/** What is known ahead of the chunk that is being read, whichever framing's it is: nothing comes between. */
const AHEAD = new ChecksumsAhead()
const NOTHING_TO_READ = new Reader(NO_BYTES)

export class V1Framing implements Framing {
  readonly transport = "v1" as const
  readonly sessionId = undefined
  readonly isUnanswered = false
  readonly #magic: number
  readonly #sha256: Sha256
  readonly #output: V1Output

  /** The chunk that is being read, how far, and the reader over it. */
  #chunk: Uint8Array = NO_BYTES
  #at = 0
  #reader: Reader = NOTHING_TO_READ
  /** Whether that chunk still belongs to who handed it in. */
  #borrows = false
  /** Most connections never have one. */
  #backlog: Backlog | undefined = undefined

  /** The header that is being put together from several chunks. */
  #head: Uint8Array | undefined = undefined
  #headFill = 0
  /** The header of the payload that comes next. */
  #word0 = 0
  #word1 = 0
  #word2 = 0
  #length = 0
  #checksum = 0
  #codec: Codec<Message> | undefined = undefined
  /** That payload, where it does not lie whole in a chunk. */
  #payload: PayloadGather | undefined = undefined
  #ended = false

  constructor(options: V1Options) {
    this.#magic = options.magic
    this.#sha256 = options.sha256
    this.#output = new V1Output(options.magic, options.sha256)
  }

  send(message: Message): void {
    this.#output.send(message)
  }

  takeOutput(): Uint8Array | undefined {
    return this.#output.take()
  }

  receive(chunk: Uint8Array): void {
    if (this.#ended || chunk.length === 0) return
    if (this.#at < this.#chunk.length || this.#backlog !== undefined) {
      this.#backlog ??= new Backlog()
      this.#backlog.append(chunk)
    } else {
      this.#open(chunk)
      this.#borrows = true
    }
  }

  release(): void {
    if (!this.#borrows) return
    this.#borrows = false
    this.#open(this.#at === this.#chunk.length ? NO_BYTES : copyOut(this.#chunk.subarray(this.#at)))
  }

  get bufferedBytes(): number {
    return (
      this.#chunk.length - this.#at + (this.#backlog?.bytes ?? 0) + this.#headFill + (this.#payload?.heldBytes ?? 0)
    )
  }

  next(): FramingEvent | undefined {
    while (!this.#ended) {
      const left = this.#chunk.length - this.#at
      if (left === 0) {
        const chunk = this.#backlog?.take()
        if (chunk === undefined) {
          this.#backlog = undefined
          return undefined
        }
        this.#open(chunk)
        this.#borrows = false
        continue
      }
      let event: FramingEvent | undefined
      if (this.#payload !== undefined) event = this.#gather(this.#payload)
      else if (left >= V1_HEADER_SIZE && this.#headFill === 0) event = this.#headInPlace()
      else event = this.#gatherHead(left)
      if (event !== undefined) return event
    }
    return undefined
  }

  #open(chunk: Uint8Array): void {
    AHEAD.forget()
    this.#chunk = chunk
    this.#at = 0
    this.#reader = chunk.length === 0 ? NOTHING_TO_READ : Reader.borrowing(chunk)
  }

  #headInPlace(): FramingEvent | undefined {
    this.#reader.aim(this.#at, this.#at + V1_HEADER_SIZE)
    this.#at += V1_HEADER_SIZE
    return this.#begin(this.#reader)
  }

  #gatherHead(left: number): FramingEvent | undefined {
    this.#head ??= new Uint8Array(V1_HEADER_SIZE)
    const taken = Math.min(left, V1_HEADER_SIZE - this.#headFill)
    this.#head.set(this.#chunk.subarray(this.#at, this.#at + taken), this.#headFill)
    this.#headFill += taken
    this.#at += taken
    const reader = new Reader(this.#head)
    if (this.#headFill < V1_HEADER_SIZE) {
      // A stranger of another protocol is known by four bytes, and need not be waited for.
      const magic = this.#headFill < 4 ? this.#magic : reader.u32()
      return magic === this.#magic ? undefined : this.#end({ _tag: "WrongMagic", magic })
    }
    this.#headFill = 0
    return this.#begin(reader)
  }

  /** Header → its payload. */
  #begin(header: Reader): FramingEvent | undefined {
    const magic = header.u32()
    if (magic !== this.#magic) return this.#end({ _tag: "WrongMagic", magic })
    this.#word0 = header.u32()
    this.#word1 = header.u32()
    this.#word2 = header.u32()
    this.#length = header.u32()
    this.#checksum = header.u32()
    if (this.#length > MAX_PROTOCOL_MESSAGE_LENGTH) {
      return this.#end({ _tag: "Oversized", command: this.#command(), sizeBytes: this.#length })
    }
    this.#codec = codecOfWords(this.#word0, this.#word1, this.#word2)
    if (this.#chunk.length - this.#at >= this.#length) return this.#whole()
    const wanted = Math.min(this.#length, this.#codec?.maxSize ?? 0)
    const hash = wanted === this.#length ? undefined : this.#sha256.createSha256d()
    this.#payload = new PayloadGather(this.#length, wanted, hash)
    return undefined
  }

  /** The payload lies whole in the chunk. */
  #whole(): FramingEvent {
    const start = this.#at
    this.#at = start + this.#length
    const dropped = this.#verify(this.#chunk, start, this.#at, undefined)
    if (dropped !== undefined) return dropped
    const codec = this.#codec
    if (codec === undefined) return { _tag: "Unknown", command: this.#command(), sizeBytes: this.#frameBytes() }
    const end = start + Math.min(this.#length, codec.maxSize)
    if (end - start > LARGE_PAYLOAD_BYTES) {
      return this.#decode(codec, new Reader(copyOut(this.#chunk.subarray(start, end))))
    }
    this.#reader.aim(start, end)
    return this.#decode(codec, this.#reader)
  }

  /** More of a payload that is cut by the ends of chunks. */
  #gather(payload: PayloadGather): FramingEvent | undefined {
    this.#at += payload.take(this.#chunk, this.#at)
    if (!payload.isComplete) return undefined
    this.#payload = undefined
    const wanted = payload.wanted
    const dropped = this.#verify(wanted, 0, wanted.length, payload.hash)
    if (dropped !== undefined) return dropped
    return this.#codec === undefined
      ? { _tag: "Unknown", command: this.#command(), sizeBytes: this.#frameBytes() }
      : this.#decode(this.#codec, new Reader(wanted))
  }

  /** What a frame that may not be looked into is dropped for. */
  #verify(
    bytes: Uint8Array,
    start: number,
    end: number,
    hash: IncrementalSha256d | undefined
  ): FramingEvent | undefined {
    if (this.#codec === undefined && !isCommandValid(this.#word0, this.#word1, this.#word2)) {
      return { _tag: "Dropped", why: "command", command: this.#command(), sizeBytes: this.#frameBytes() }
    }
    if (this.#length === 0) {
      if (this.#checksum === EMPTY_CHECKSUM) return undefined
    } else {
      const word = hash === undefined ? AHEAD.word(this.#sha256, bytes, start, end - start) : digestWord(hash)
      if (word === this.#checksum) return undefined
    }
    return { _tag: "Dropped", why: "checksum", command: this.#command(), sizeBytes: this.#frameBytes() }
  }

  #decode(codec: Codec<Message>, reader: Reader): FramingEvent {
    const sizeBytes = this.#frameBytes()
    const tooLong = codec.strict && this.#length > codec.maxSize
    const decoded = tooLong ? undefined : decodeMessage(codec, reader)
    if (decoded !== undefined && Result.isSuccess(decoded)) {
      return { _tag: "Message", message: decoded.success.value, sizeBytes }
    }
    const error = decoded?.failure ?? new DecodeError("overLimit", `${codec.command} of ${this.#length} bytes`, 0)
    return { _tag: "Undecodable", command: codec.command, error, sizeBytes }
  }

  /** Anything → the end: nothing that follows is looked at. */
  #end(fault: FramingFault): FramingEvent {
    this.#ended = true
    this.#borrows = false
    this.#backlog = undefined
    this.#headFill = 0
    this.#open(NO_BYTES)
    return { _tag: "Fault", fault }
  }

  #command(): string {
    return commandText(this.#word0, this.#word1, this.#word2)
  }

  #frameBytes(): number {
    return V1_HEADER_SIZE + this.#length
  }
}

const digestWord = (hash: IncrementalSha256d): number => {
  hash.digest(DIGEST, 0)
  return wordAt0(DIGEST)
}

const wordAt0 = (digest: Uint8Array): number =>
  ((digest[0] as number) |
    ((digest[1] as number) << 8) |
    ((digest[2] as number) << 16) |
    ((digest[3] as number) << 24)) >>>
  0
