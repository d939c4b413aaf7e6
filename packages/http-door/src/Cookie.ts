/**
 * The password of one run of the node, in a file that only its user can read: how programs on the same machine get in without being told one.
 *
 * Specification: Bitcoin Core `src/rpc/request.cpp`: `__cookie__:` and 64 hexadecimal digits in `.cookie` of the network's directory, written
 * aside and renamed, gone when the node stops.
 */
import { randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import type { Credential } from "./Credentials.ts"

export const COOKIE_USER = "__cookie__"
const COOKIE_BYTES = 32

/** Who may read the file: `-rpccookieperms`. */
export type CookieReaders = "owner" | "group" | "all"
const MODES = { owner: 0o600, group: 0o640, all: 0o644 } as const

/** Writes a new cookie to `path`, which goes with the scope. */
export const writeCookie = (
  path: string,
  readers: CookieReaders = "owner"
): Effect.Effect<Credential, PlatformError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const password = yield* Effect.sync(() => randomBytes(COOKIE_BYTES).toString("hex"))
    const text = `${COOKIE_USER}:${password}`
    const aside = `${path}.tmp`
    yield* Effect.acquireRelease(
      Effect.gen(function* () {
        // A file that is there already would keep its own mode.
        yield* files.remove(aside, { force: true })
        yield* files.writeFileString(aside, text, { mode: MODES[readers], flag: "wx" })
        yield* files.chmod(aside, MODES[readers])
        yield* files.rename(aside, path)
      }),
      () => removeOwn(files, path, text)
    )
    return { user: COOKIE_USER, password }
  })

/** Another node may have put its own there by now, which is not ours to take away. */
const removeOwn = (files: FileSystem.FileSystem, path: string, text: string): Effect.Effect<void> =>
  files.readFileString(path).pipe(
    Effect.flatMap((found) => (found === text ? files.remove(path) : Effect.void)),
    Effect.ignore
  )

/** What stands in a cookie file, for a client: `user:password`. */
export const readCookie = (path: string): Effect.Effect<string, PlatformError, FileSystem.FileSystem> =>
  FileSystem.FileSystem.use((files) => Effect.map(files.readFileString(path), (text) => text.trim()))
