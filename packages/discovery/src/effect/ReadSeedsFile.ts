/** A seeds file from the disk. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import { type KeptSeed, parseSeedsFile } from "../SeedsFile.ts"

/**
 * A hundred thousand nodes with all that a crawl says of them.
 *
 * @limit bytes of a seeds file
 */
export const MAX_SEEDS_FILE_BYTES: number = 64 * 1024 * 1024

const SeedsFileErrorBase: new (fields: {
  readonly path: string
  /** The first line that is wrong; `undefined` where the file cannot be read. */
  readonly line: number | undefined
  /** One sentence. */
  readonly message: string
}) => Cause.YieldableError & {
  readonly _tag: "SeedsFileError"
  readonly path: string
  readonly line: number | undefined
  readonly message: string
} = Data.TaggedError("SeedsFileError")

/** The file cannot be read, or is no seeds file of this chain. */
export class SeedsFileError extends SeedsFileErrorBase {}

/** The nodes of the seeds file at `path`. */
export const readSeedsFile = (
  path: string,
  chain: string
): Effect.Effect<ReadonlyArray<KeptSeed>, SeedsFileError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const failed = (what: string, line?: number): SeedsFileError =>
      new SeedsFileError({ path, line, message: `the seeds file ${path} ${what}` })
    const cannotRead = Effect.mapError(({ message, reason }: PlatformError) =>
      failed(reason._tag === "NotFound" ? "does not exist" : `cannot be read: ${message}`)
    )
    const { size, type } = yield* cannotRead(files.stat(path))
    if (type === "Directory") return yield* failed("is a directory")
    if (size > MAX_SEEDS_FILE_BYTES) return yield* failed(`has more than ${MAX_SEEDS_FILE_BYTES} bytes`)
    const text = yield* cannotRead(files.readFileString(path))
    return yield* Effect.fromResult(parseSeedsFile(text, chain)).pipe(
      Effect.mapError(({ line, what }) => failed(`is wrong: line ${line} ${what}`, line))
    )
  })
