/**
 * Keys and values in a LevelDB, by `classic-level`: native code, which comes prebuilt and is loaded by who imports this door. The directory
 * belongs to one process at a time.
 */
import { type StoreError, storeErrorOf } from "@satwire/store"
import { DirectoryLocked, FileError, type FileOperation } from "@satwire/store"
import { ClassicLevel } from "classic-level"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { mkdir } from "node:fs/promises"
import { type KvPages, kvStoreOn } from "./KvPages.ts"
import { KvStore } from "./KvStore.ts"

export interface LevelOptions {
  /** Where it lies; made where it is not there. */
  readonly directory: string
}

/** A LevelDB in a directory, open until the scope closes. */
export const layerLevel = (options: LevelOptions): Layer.Layer<KvStore, StoreError> =>
  Layer.effect(
    KvStore,
    Effect.map(levelPages(options), (pages) => KvStore.of(kvStoreOn(pages)))
  )

type Level = ClassicLevel<Uint8Array, Uint8Array>

const levelPages = ({ directory }: LevelOptions): Effect.Effect<KvPages, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const attempt = attemptIn(directory)
    const level = yield* Effect.acquireRelease(
      attempt("open", () => open(directory)),
      (opened) => Effect.promise(() => opened.close())
    )
    return {
      getMany: (keys) =>
        Effect.map(
          attempt("read", () => level.getMany([...keys])),
          (values) => values.map((value) => value && plain(value))
        ),
      batch: (changes, durable) =>
        attempt("write", () =>
          level.batch(
            changes.map(({ key, value }) => (value === undefined ? { type: "del", key } : { type: "put", key, value })),
            { sync: durable }
          )
        ),
      page: ({ gte, limit, lt, reverse }) =>
        Effect.map(
          attempt("read", () => level.iterator({ gte, limit, reverse, ...(lt && { lt }) }).all()),
          (found) => found.map(([key, value]) => ({ key: plain(key), value: plain(value) }))
        )
    }
  })

const open = async (directory: string): Promise<Level> => {
  await mkdir(directory, { recursive: true })
  const level = new ClassicLevel<Uint8Array, Uint8Array>(directory, { keyEncoding: "view", valueEncoding: "view" })
  await level.open()
  return level
}

/** It gives Buffers, of which each has memory of its own. */
const plain = ({ buffer, byteOffset, length }: Uint8Array): Uint8Array => new Uint8Array(buffer, byteOffset, length)

/** One operation, which is never left running by an interruption. */
const attemptIn =
  (path: string) =>
  <A>(operation: FileOperation, run: () => Promise<A>): Effect.Effect<A, StoreError> =>
    Effect.uninterruptible(Effect.tryPromise({ try: run, catch: (thrown) => levelError(path, operation, thrown) }))

const levelError = (path: string, operation: FileOperation, thrown: unknown): StoreError => {
  const { codes, words } = saidBy(thrown)
  if (codes.includes("LEVEL_LOCKED")) return new DirectoryLocked({ path, pid: undefined })
  const known = Object.entries(SYSTEM_WORDS).find(([word]) => words.includes(word))
  const code = known?.[1] ?? codes.at(-1) ?? "UNKNOWN"
  return storeErrorOf(new FileError({ operation, path, code, message: words }))
}

/** LevelDB passes on what the system says, and not its code. */
const SYSTEM_WORDS: Record<string, string> = {
  "No space left": "ENOSPC",
  "quota exceeded": "EDQUOT",
  "File too large": "EFBIG",
  "Permission denied": "EACCES",
  "Read-only file system": "EROFS",
  "Not a directory": "ENOTDIR"
}

/** What an error and its causes say, from the outermost in. */
const saidBy = (thrown: unknown): { readonly codes: ReadonlyArray<string>; readonly words: string } => {
  const codes: Array<string> = []
  let words = ""
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ("code" in error && typeof error.code === "string") codes.push(error.code)
    words += `${error.message}\n`
  }
  return { codes, words }
}
