/** The directory of a block store, and the names in it. */
import type { Sha256 } from "@satwire/crypto"
import { type FileError, type FilesShape, type OpenFile, writeAll } from "@satwire/store"
import * as Effect from "effect/Effect"
import { FILE_HEAD_BYTES, encodeFileHead } from "./BlockFormat.ts"

export interface BlockDirectory {
  readonly files: FilesShape
  readonly path: string
  readonly networkMagic: number
  readonly sha256: Sha256
}

/** A file of blocks, by what must be known of it. */
export interface BlockFile {
  readonly number: number
  readonly salt: Uint8Array
  /** Where the next record begins. */
  end: number
  /** No block in it is higher. */
  maxHeight: number
}

/** Bitcoin Core's names. */
export const nameOf = (number: number): string => `blk${String(number).padStart(5, "0")}.dat`
export const pathOf = ({ path }: BlockDirectory, number: number): string => `${path}/${nameOf(number)}`

/** The numbers of the files in the directory, in order. */
export const fileNumbers = ({ files, path }: BlockDirectory): Effect.Effect<ReadonlyArray<number>, FileError> =>
  Effect.map(files.list(path), (names) =>
    names
      .flatMap((name) => /^blk([0-9]{5,9})\.dat$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
  )

/** Makes a file with nothing but its head. It takes its name when the head is safe, so there is none without. */
export const createFile = (
  directory: BlockDirectory,
  number: number,
  salt: Uint8Array
): Effect.Effect<{ readonly file: BlockFile; readonly handle: OpenFile }, FileError> =>
  Effect.gen(function* () {
    const { files, networkMagic, sha256 } = directory
    const path = pathOf(directory, number)
    const fresh = yield* files.open(`${path}.new`, "new")
    const head = encodeFileHead(sha256, networkMagic, salt)
    yield* Effect.andThen(writeAll(fresh, head, 0), fresh.sync).pipe(Effect.ensuring(fresh.close))
    yield* files.rename(`${path}.new`, path)
    yield* files.syncDirectory(directory.path)
    const handle = yield* files.open(path, "existing")
    return { file: { number, salt, end: FILE_HEAD_BYTES, maxHeight: -1 }, handle }
  })
