/**
 * An append-only file of records on the disk. What `append` said is stored survives a crash at any byte; a file that is not as it
 * was written is named and set aside whole, never overwritten, and what came before the damage is kept.
 *
 * ```
 *   headers.dat              the file
 *   headers.dat.new          a file in the making: takes the name when it is complete and synced
 *   headers.dat.damaged-1    set aside: damaged
 *   headers.dat.foreign-1    set aside: another program's, another network's, a newer version's
 * ```
 *
 * One caller at a time: who shares it holds a semaphore.
 */
import type { Sha256 } from "@satwire/crypto"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type FileError, Files, writeAll } from "./Files.ts"
import { type Found, type LogFile, type Opened, cutBack, recover } from "./RecordRecovery.ts"
import { CHECK_BYTES, encodeRecord } from "./RecordFormat.ts"
import { scanRecords } from "./RecordScan.ts"

export interface RecordLog {
  /** Hands over every payload in order, in memory that the next one overwrites. The first call opens the file, and mends it. */
  readonly load: (onPayload: (payload: Uint8Array) => void) => Effect.Effect<Found, FileError>
  /** Stores the parts, one behind the other, as one record: after it, they survive a crash. Where it fails, nothing is stored. */
  readonly append: (parts: ReadonlyArray<Uint8Array>) => Effect.Effect<void, FileError>
}

export const openRecordLog = (log: LogFile): Effect.Effect<RecordLog, never, Files | Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* Files
    let opened: Opened | undefined
    yield* Effect.addFinalizer(() => opened?.file.close ?? Effect.void)

    const load: RecordLog["load"] = (onPayload) =>
      Effect.suspend(() =>
        opened === undefined
          ? Effect.map(recover(files, log, onPayload), (recovered) => {
              opened = recovered
              return recovered.found
            })
          : Effect.as(scanRecords(opened.file, opened.end, log.sha256, onPayload), opened.found)
      )
    const append: RecordLog["append"] = (parts) =>
      Effect.gen(function* () {
        if (opened === undefined) yield* load(() => undefined)
        yield* commit(opened as Opened, log.sha256, parts)
      })
    return {
      load: (onPayload) => Effect.uninterruptible(load(onPayload)),
      append: (parts) => Effect.uninterruptible(append(parts))
    }
  })

const commit = (opened: Opened, sha256: Sha256, parts: ReadonlyArray<Uint8Array>): Effect.Effect<void, FileError> =>
  Effect.gen(function* () {
    if (opened.isDirty) yield* cutBack(opened)
    const record = encodeRecord(sha256, opened.check, parts)
    opened.isDirty = true
    yield* writeAll(opened.file, record, opened.end).pipe(
      Effect.andThen(opened.file.sync),
      // What cannot be cut back now is cut back before the next append, or by the next start.
      Effect.tapError(() => Effect.ignore(cutBack(opened)))
    )
    opened.isDirty = false
    opened.end += record.length
    opened.check = record.slice(record.length - CHECK_BYTES)
  })
