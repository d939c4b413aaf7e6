/** Where the tests keep keys and values. */
import type { StoreError } from "@satwire/store"
import type * as Layer from "effect/Layer"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import type { KvStore } from "../src/index.ts"
import { layerLevel } from "../src/level.ts"
import { hasSqlite, layerSqlite } from "../src/sqlite.ts"

const made: Array<string> = []
afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true })
})

/** A new directory on the disk, gone after the tests of this file. */
export const temporaryDirectory = (): string => {
  const path = mkdtempSync(join(tmpdir(), "satwire-kv-"))
  made.push(path)
  return path
}

export interface OnDisk {
  readonly name: string
  readonly open: (directory: string) => Layer.Layer<KvStore, StoreError>
}

/** What keeps things on a disk here. A Node without SQLite has one less, and says so. */
export const onDisk: ReadonlyArray<OnDisk> = [
  { name: "level", open: (directory) => layerLevel({ directory: `${directory}/level` }) },
  ...(hasSqlite()
    ? [{ name: "sqlite", open: (directory: string) => layerSqlite({ path: `${directory}/kv.sqlite` }) }]
    : [])
]
if (!hasSqlite()) process.stderr.write(`skipped SQLite: ${process.version} has no node:sqlite\n`)
