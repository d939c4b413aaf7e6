/** Where the lines of a crawl go: each as soon as it is there, and whole. */
import { resolve } from "node:path"
import type * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { CrawlLine } from "./CrawlLine.ts"

const CrawlFailedBase: new (fields: {
  readonly message: string
}) => Cause.YieldableError & { readonly _tag: "CrawlFailed"; readonly message: string } =
  Data.TaggedError("CrawlFailed")

/** Nobody answered, or what was found could not be written. */
export class CrawlFailed extends CrawlFailedBase {}

export type Write = (line: CrawlLine) => Effect.Effect<void, CrawlFailed>

/** Into the file, or printed where none is given. */
export const lineWriter = (
  out: string | undefined
): Effect.Effect<Write, CrawlFailed, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    if (out === undefined) return (line) => Console.log(JSON.stringify(line))
    const files = yield* FileSystem.FileSystem
    const path = resolve(out)
    const cannotWrite = ({ message }: PlatformError): CrawlFailed =>
      new CrawlFailed({ message: `cannot write ${path}: ${message}` })
    const file = yield* Effect.mapError(files.open(path, { flag: "w" }), cannotWrite)
    const oneAtATime = yield* Semaphore.make(1)
    const encoder = new TextEncoder()
    return (line) =>
      file
        .writeAll(encoder.encode(`${JSON.stringify(line)}\n`))
        .pipe(Effect.mapError(cannotWrite), oneAtATime.withPermits(1), Effect.uninterruptible)
  })
