/** Where the tests keep keys and values. */
import type { StoreError } from "@satwire/store"
import { temporaryDirectory as newDirectory } from "@satwire/testkit"
import type * as Layer from "effect/Layer"
import { onTestFinished } from "vitest"
import type { KvStore } from "../src/index.ts"
import { layerLevel } from "../src/level.ts"
import { hasSqlite, layerSqlite } from "../src/sqlite.ts"

/** A new directory on the disk, gone after the test. */
export const temporaryDirectory = (): string => newDirectory("kv", onTestFinished)

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
