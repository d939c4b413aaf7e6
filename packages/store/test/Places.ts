/** Where the tests keep headers. */
import { temporaryDirectory as newDirectory } from "@satwire/testkit"
import * as Layer from "effect/Layer"
import { onTestFinished } from "vitest"
import type { MemoryDisk } from "../src/faults.ts"
import { MAINNET_MAGIC } from "./Magic.ts"
import { type Files, HeaderStore, type StoreError } from "../src/index.ts"

/** A new directory on the disk, gone after the test. */
export const temporaryDirectory = (): string => newDirectory("store", onTestFinished)

/** Headers in `/data` of that disk, behind the faults if any. */
export const onDisk = (
  disk: MemoryDisk,
  faults?: Layer.Layer<Files, never, Files>
): Layer.Layer<HeaderStore, StoreError> => {
  const files = faults === undefined ? disk.layer : Layer.provide(faults, disk.layer)
  return HeaderStore.layer({ directory: "/data", networkMagic: MAINNET_MAGIC }).pipe(Layer.provide(files))
}
