/** Where the tests keep headers. */
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import type { MemoryDisk } from "../src/faults.ts"
import { MAINNET_MAGIC } from "./Magic.ts"
import { type Files, HeaderStore, type StoreError } from "../src/index.ts"

const made: Array<string> = []
afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true })
})

/** A new directory on the disk, gone after the tests of this file. */
export const temporaryDirectory = (): string => {
  const path = mkdtempSync(join(tmpdir(), "satwire-store-"))
  made.push(path)
  return path
}

/** Headers in `/data` of that disk, behind the faults if any. */
export const onDisk = (
  disk: MemoryDisk,
  faults?: Layer.Layer<Files, never, Files>
): Layer.Layer<HeaderStore, StoreError> => {
  const files = faults === undefined ? disk.layer : Layer.provide(faults, disk.layer)
  return HeaderStore.layer({ directory: "/data", networkMagic: MAINNET_MAGIC }).pipe(Layer.provide(files))
}
