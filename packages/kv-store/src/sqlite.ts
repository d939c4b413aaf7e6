/**
 * Keys and values in a table of SQLite, by `node:sqlite`, which is part of Node and of Deno: nothing is installed for it. It works on the
 * calling thread, so a large batch holds everything else up; the file belongs to one process at a time.
 */
import { DirectoryLocked, FileError, type FileOperation, type StoreError, storeErrorOf } from "@satwire/store"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Sqlite from "node:sqlite"
import { type KvPages, type Page, kvStoreOn } from "./KvPages.ts"
import { type KvChange, KvStore } from "./KvStore.ts"

export interface SqliteOptions {
  /** The file; made where it is not there. Its directory is. */
  readonly path: string
}

/** A file of SQLite, open until the scope closes. */
export const layerSqlite = (options: SqliteOptions): Layer.Layer<KvStore, StoreError> =>
  Layer.effect(
    KvStore,
    Effect.map(sqlitePages(options), (pages) => KvStore.of(kvStoreOn(pages)))
  )

/** By name at run time: this module is known only with its `node:`, which bundlers take away from imports. */
const sqlite = (): typeof Sqlite => process.getBuiltinModule("node:sqlite")

/** Whether this runtime has SQLite: Node from 22 on and Deno do. */
export const hasSqlite = (): boolean => process.getBuiltinModule("node:sqlite") !== undefined

const sqlitePages = ({ path }: SqliteOptions): Effect.Effect<KvPages, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const attempt = attemptIn(path)
    const database = yield* Effect.acquireRelease(
      attempt("open", () => open(path)),
      (opened) => Effect.sync(() => opened.close())
    )
    const one = database.prepare("SELECT value FROM kv WHERE key = ?")
    const put = database.prepare("INSERT INTO kv VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
    const del = database.prepare("DELETE FROM kv WHERE key = ?")
    const page = pageOf(database)
    return {
      getMany: (keys) => attempt("read", () => keys.map((key) => one.get(key)?.["value"] as Uint8Array | undefined)),
      batch: (changes, durable) => attempt("write", () => change(database, put, del, changes, durable)),
      page: (wanted) => attempt("read", () => page(wanted))
    }
  })

const open = (path: string): Sqlite.DatabaseSync => {
  const database = new (sqlite().DatabaseSync)(path)
  try {
    // Held from here on, so that the second opener is refused at once and not at its first write.
    database.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; BEGIN EXCLUSIVE")
    database.exec("CREATE TABLE IF NOT EXISTS kv (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID; COMMIT")
    return database
  } catch (thrown) {
    database.close()
    throw thrown
  }
}

const change = (
  database: Sqlite.DatabaseSync,
  put: Sqlite.StatementSync,
  del: Sqlite.StatementSync,
  changes: ReadonlyArray<KvChange>,
  durable: boolean
): void => {
  // In a write-ahead log, FULL syncs it at each commit and with it all commits before; NORMAL leaves that to a later one.
  database.exec(`PRAGMA synchronous=${durable ? "FULL" : "NORMAL"}; BEGIN IMMEDIATE`)
  try {
    // A commit that changes nothing writes nothing, so it would make nothing safe either.
    if (durable) database.exec("PRAGMA user_version=1")
    for (const { key, value } of changes) {
      if (value === undefined) del.run(key)
      else put.run(key, value)
    }
    database.exec("COMMIT")
  } catch (thrown) {
    if (database.isTransaction) database.exec("ROLLBACK")
    throw thrown
  }
}

const pageOf = (
  database: Sqlite.DatabaseSync
): ((page: Page) => ReadonlyArray<{ key: Uint8Array; value: Uint8Array }>) => {
  const select = (upper: string, order: string): Sqlite.StatementSync =>
    database.prepare(`SELECT key, value FROM kv WHERE key >= ? ${upper} ORDER BY key ${order} LIMIT ?`)
  const to = { up: select("AND key < ?", "ASC"), down: select("AND key < ?", "DESC") }
  const open = { up: select("", "ASC"), down: select("", "DESC") }
  return ({ gte, limit, lt, reverse }) => {
    const way = reverse ? "down" : "up"
    const rows = lt === undefined ? open[way].all(gte, limit) : to[way].all(gte, lt, limit)
    return rows as unknown as ReadonlyArray<{ key: Uint8Array; value: Uint8Array }>
  }
}

const attemptIn =
  (path: string) =>
  <A>(operation: FileOperation, run: () => A): Effect.Effect<A, StoreError> =>
    Effect.try({ try: run, catch: (thrown) => sqliteError(path, operation, thrown) })

/** By SQLite's words, which are the same on both runtimes; its numbers are not given on Deno. */
const sqliteError = (path: string, operation: FileOperation, thrown: unknown): StoreError => {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  if (message.includes("is locked")) return new DirectoryLocked({ path, pid: undefined })
  const code = Object.entries(SQLITE_WORDS).find(([words]) => message.includes(words))?.[1] ?? "EIO"
  return storeErrorOf(new FileError({ operation, path, code, message }))
}

const SQLITE_WORDS: Record<string, string> = {
  "is full": "ENOSPC",
  "unable to open": "EACCES",
  readonly: "EROFS",
  "not a database": "EINVAL",
  malformed: "EINVAL"
}
