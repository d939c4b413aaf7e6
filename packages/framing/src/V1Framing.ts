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
import type { IncrementalSha256d } from "@satwire/crypto"
import { type Codec, MAX_PROTOCOL_MESSAGE_LENGTH, type Message, decodeMessage } from "@satwire/wire"
import * as Result from "effect/Result"
import { Backlog } from "./Backlog.ts"
import { ChecksumsAhead } from "./ChecksumsAhead.ts"
import type { Framing, FramingEvent, FramingFault } from "./Framing.ts"
import { PayloadGather } from "./PayloadGather.ts"
import type { Sendable } from "./RawMessage.ts"
import { EMPTY_CHECKSUM, V1Head, V1_HEADER_SIZE } from "./V1Header.ts"
import { type V1Options, V1Output } from "./V1Output.ts"

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
/** The header of a frame that lies whole in a chunk: one for all too, which saves ten thousand connections a megabyte. */
const HEAD = new V1Head()
const NOTHING_TO_READ = new Reader(NO_BYTES)

export class V1Framing implements Framing {
  readonly transport = "v1" as const
  readonly sessionId = undefined
  readonly isUnanswered = false
  /** Those of all connections of a node are one object: it is kept, not taken apart. */
  readonly #options: V1Options
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
  /** The frame that is being read, where its payload does not lie whole in a chunk. */
  #cut: { readonly head: V1Head; readonly payload: PayloadGather } | undefined = undefined
  #ended = false

  constructor(options: V1Options) {
    this.#options = options
    this.#output = new V1Output(options)
  }

  /** It is what it is. */
  get settled(): undefined {
    return undefined
  }

  send(message: Sendable): number {
    return this.#output.send(message)
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
      this.#chunk.length - this.#at + (this.#backlog?.bytes ?? 0) + this.#headFill + (this.#cut?.payload.heldBytes ?? 0)
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
      if (this.#cut !== undefined) event = this.#gather(this.#cut.head, this.#cut.payload)
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
      const magic = this.#headFill < 4 ? this.#options.magic : reader.u32()
      return magic === this.#options.magic ? undefined : this.#end({ _tag: "WrongMagic", magic })
    }
    this.#headFill = 0
    return this.#begin(reader)
  }

  /** Header → its payload. */
  #begin(header: Reader): FramingEvent | undefined {
    const magic = header.u32()
    if (magic !== this.#options.magic) return this.#end({ _tag: "WrongMagic", magic })
    HEAD.read(header)
    const { codec, length } = HEAD
    if (length > MAX_PROTOCOL_MESSAGE_LENGTH) {
      return this.#end({ _tag: "Oversized", command: HEAD.command, sizeBytes: length })
    }
    if (this.#chunk.length - this.#at >= length) return this.#whole(HEAD)
    const wanted = Math.min(length, codec?.maxSize ?? 0)
    const hash = wanted === length ? undefined : this.#options.sha256.createSha256d()
    this.#cut = { head: HEAD.copy(), payload: new PayloadGather(length, wanted, hash) }
    return undefined
  }

  /** The payload lies whole in the chunk. */
  #whole(head: V1Head): FramingEvent {
    const start = this.#at
    this.#at = start + head.length
    const dropped = this.#verify(head, this.#chunk, start, this.#at, undefined)
    if (dropped !== undefined) return dropped
    const { codec } = head
    if (codec === undefined) return unknown(head)
    const end = start + Math.min(head.length, codec.maxSize)
    if (end - start > LARGE_PAYLOAD_BYTES) {
      return decode(head, codec, new Reader(copyOut(this.#chunk.subarray(start, end))))
    }
    this.#reader.aim(start, end)
    return decode(head, codec, this.#reader)
  }

  /** More of a payload that is cut by the ends of chunks. */
  #gather(head: V1Head, payload: PayloadGather): FramingEvent | undefined {
    this.#at += payload.take(this.#chunk, this.#at)
    if (!payload.isComplete) return undefined
    this.#cut = undefined
    const { hash, wanted } = payload
    const dropped = this.#verify(head, wanted, 0, wanted.length, hash)
    if (dropped !== undefined) return dropped
    return head.codec === undefined ? unknown(head) : decode(head, head.codec, new Reader(wanted))
  }

  /** What a frame that may not be looked into is dropped for. */
  #verify(
    head: V1Head,
    bytes: Uint8Array,
    start: number,
    end: number,
    hash: IncrementalSha256d | undefined
  ): FramingEvent | undefined {
    if (!head.isCommandValid) return droppedFor("command", head)
    if (head.length === 0) {
      if (head.checksum === EMPTY_CHECKSUM) return undefined
    } else {
      const word = hash === undefined ? AHEAD.word(this.#options.sha256, bytes, start, end - start) : digestWord(hash)
      if (word === head.checksum) return undefined
    }
    return droppedFor("checksum", head)
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
}

const unknown = ({ command, frameBytes }: V1Head): FramingEvent => ({
  _tag: "Unknown",
  command,
  sizeBytes: frameBytes
})

const decode = ({ frameBytes, length }: V1Head, codec: Codec<Message>, reader: Reader): FramingEvent => {
  const sizeBytes = frameBytes
  const tooLong = codec.strict && length > codec.maxSize
  const decoded = tooLong ? undefined : decodeMessage(codec, reader)
  if (decoded !== undefined && Result.isSuccess(decoded)) {
    return { _tag: "Message", message: decoded.success.value, sizeBytes }
  }
  const error = decoded?.failure ?? new DecodeError("overLimit", `${codec.command} of ${length} bytes`, 0)
  return { _tag: "Undecodable", command: codec.command, error, sizeBytes }
}

const droppedFor = (why: "command" | "checksum", { command, frameBytes }: V1Head): FramingEvent => ({
  _tag: "Dropped",
  why,
  command,
  sizeBytes: frameBytes
})

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
