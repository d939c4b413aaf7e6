/**
 * Writes blocks behind the last one: a head and a block each, one sync for all that come together. A large block goes to the disk from the
 * memory in which it came; small ones and heads are brought together first, so that a thousand of them are one write.
 */
import { concat } from "@satwire/bytes"
import type { Random } from "@satwire/machine"
import type { BlockHash } from "@satwire/primitives"
import { type FileError, type OpenFile, writeAll } from "@satwire/store"
import * as Effect from "effect/Effect"
import { type BlockDirectory, type BlockFile, createFile, pathOf } from "./BlockDirectory.ts"
import { RECORD_HEAD_BYTES, SALT_BYTES, checkOf, encodeRecordHead } from "./BlockFormat.ts"

/** A block to be kept. */
export interface NewBlock {
  readonly hash: BlockHash
  readonly height: number
  /** All of it. The store may read this memory until the append is over. */
  readonly bytes: Uint8Array
}

/** A block that is on the disk now. */
export interface Written {
  readonly block: NewBlock
  readonly file: BlockFile
  readonly offset: number
  readonly check: Uint8Array
}

export interface WriterOptions {
  readonly directory: BlockDirectory
  /** All files there are; those that the writer makes join them. */
  readonly files: Map<number, BlockFile>
  readonly maxFileBytes: number
  readonly random: Random
}

/** Blocks below are copied: that costs less than a write of their own (measured). */
const COPIED_BELOW_BYTES = 65_536

export class BlockWriter {
  readonly #options: WriterOptions
  #file: BlockFile | undefined
  #handle: OpenFile | undefined
  /** A failed append may have left something behind the end. */
  #isDirty = false

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /** The number of the file that grows, which must stay. */
  get current(): number {
    return this.#file?.number ?? Math.max(-1, ...this.#options.files.keys())
  }

  get close(): Effect.Effect<void> {
    return Effect.suspend(() => this.#handle?.close ?? Effect.void)
  }

  /**
   * Writes as many of the first blocks as go into one file, and syncs it; gives which. Where it fails, none of them is kept. Not to be
   * interrupted, and one at a time.
   */
  write(blocks: ReadonlyArray<NewBlock>): Effect.Effect<ReadonlyArray<Written>, FileError> {
    return Effect.gen({ self: this }, function* () {
      yield* this.#makeRoom((blocks[0] as NewBlock).bytes.length)
      const file = this.#file as BlockFile
      const handle = this.#handle as OpenFile
      if (this.#isDirty) yield* this.#cutBack(file, handle)
      const { pieces, written, end } = this.#laidOut(file, blocks)
      this.#isDirty = true
      yield* writePieces(handle, pieces, file.end).pipe(
        Effect.andThen(handle.sync),
        // What cannot be cut back now is cut back before the next write, or by the next start.
        Effect.tapError(() => Effect.ignore(this.#cutBack(file, handle)))
      )
      this.#isDirty = false
      file.end = end
      for (const { block } of written) file.maxHeight = Math.max(file.maxHeight, block.height)
      return written
    })
  }

  #laidOut(
    file: BlockFile,
    blocks: ReadonlyArray<NewBlock>
  ): { readonly pieces: ReadonlyArray<Uint8Array>; readonly written: ReadonlyArray<Written>; readonly end: number } {
    const { directory, maxFileBytes } = this.#options
    const { sha256 } = directory
    const pieces: Array<Uint8Array> = []
    const written: Array<Written> = []
    let small: Array<Uint8Array> = []
    let end = file.end
    for (const block of blocks) {
      const { bytes, hash, height } = block
      const next = end + RECORD_HEAD_BYTES + bytes.length
      if (written.length > 0 && next > maxFileBytes) break
      const check = checkOf(sha256, bytes, 0, bytes.length).slice()
      const head = { length: bytes.length, height, hash, check, isForgotten: false }
      small.push(encodeRecordHead(sha256, file.salt, end, head))
      if (bytes.length < COPIED_BELOW_BYTES) small.push(bytes)
      else {
        pieces.push(concat(small), bytes)
        small = []
      }
      written.push({ block, file, offset: end, check })
      end = next
    }
    if (small.length > 0) pieces.push(concat(small))
    return { pieces, written, end }
  }

  /** Has a file open that has room for a block of that length, or has nothing in it. */
  #makeRoom(length: number): Effect.Effect<void, FileError> {
    return Effect.gen({ self: this }, function* () {
      const { directory, files, maxFileBytes, random } = this.#options
      const file = this.#file ?? files.get(this.current)
      if (file !== undefined && file.end + RECORD_HEAD_BYTES + length <= maxFileBytes) {
        this.#handle ??= yield* directory.files.open(pathOf(directory, file.number), "existing")
        this.#file = file
        return
      }
      if (file !== undefined && this.#handle !== undefined && this.#isDirty) yield* this.#cutBack(file, this.#handle)
      const made = yield* createFile(directory, this.current + 1, random.bytes(SALT_BYTES))
      yield* this.close
      files.set(made.file.number, made.file)
      this.#file = made.file
      this.#handle = made.handle
    })
  }

  /** Takes away what a failed write left behind the end. */
  #cutBack(file: BlockFile, handle: OpenFile): Effect.Effect<void, FileError> {
    return Effect.map(Effect.andThen(handle.truncate(file.end), handle.sync), () => {
      this.#isDirty = false
    })
  }
}

const writePieces = (
  handle: OpenFile,
  pieces: ReadonlyArray<Uint8Array>,
  from: number
): Effect.Effect<void, FileError> =>
  Effect.gen(function* () {
    let at = from
    for (const piece of pieces) {
      yield* writeAll(handle, piece, at)
      at += piece.length
    }
  })
