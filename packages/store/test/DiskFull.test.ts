import { it } from "@effect/vitest"
import { HEADER_SIZE } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { execFileSync } from "node:child_process"
import { statSync } from "node:fs"
import { describe, expect } from "vitest"
import { loadAll, someHeaders } from "../src/compliance.ts"
import { type Faults, MemoryDisk, faultyFiles } from "../src/faults.ts"
import { DiskFull, HeaderStore, keepInOrder, layerFiles } from "../src/index.ts"
import { MAINNET_MAGIC } from "./Magic.ts"
import { onDisk, temporaryDirectory } from "./Places.ts"

describe("a full disk", () => {
  it.effect("fails the append, keeps what was stored, and takes the append when there is room again", () =>
    Effect.gen(function* () {
      for (let free = 24; free < 24 + 96 + 256; free += 7) {
        const disk = new MemoryDisk()
        const faults: Faults = { freeBytes: free }
        yield* Effect.gen(function* () {
          const { append } = yield* HeaderStore
          const first = yield* Effect.exit(append(someHeaders(1), 1))
          const kept = first._tag === "Success" ? 1 : 0
          const error = yield* Effect.flip(append(someHeaders(3, kept), 3))
          expect(error).toMatchObject({ _tag: "DiskFull", path: "/data/headers.dat", code: "ENOSPC" })
          expect(error.message).toBe("/data/headers.dat cannot grow, the disk is full (ENOSPC): make room and go on.")
          expect(disk.read("/data/headers.dat")?.length).toBe(24 + kept * 96)
          faults.freeBytes = 1_000_000
          yield* append(someHeaders(3, kept), 3)
          expect((yield* loadAll).headers).toEqual(someHeaders(kept + 3))
        }).pipe(Effect.provide(onDisk(disk, faultyFiles(faults))))
        expect((yield* Effect.provide(loadAll, onDisk(disk))).loaded).toMatchObject({
          tornBytes: 0,
          setAside: undefined
        })
      }
    })
  )

  it.effect("is tried every second, and told of ever more rarely", () =>
    Effect.gen(function* () {
      let isFull = true
      let tries = 0
      const seen: Array<string> = []
      const keeper = yield* keepInOrder<number>({
        bytesOf: () => 1,
        mostBytes: 10,
        append: (_, outlast) =>
          outlast(
            Effect.suspend(() => {
              tries++
              return isFull ? Effect.fail(new DiskFull({ path: "/data", code: "ENOSPC" })) : Effect.void
            })
          ),
        stored: () => seen.push("stored"),
        behind: () => {},
        full: (_, retryInMs) => seen.push(`full, again in ${retryInMs} ms, after ${tries}`),
        roomAgain: () => seen.push("room again"),
        failed: () => seen.push("failed")
      })
      keeper.keep(1)
      yield* TestClock.adjust("40 seconds")
      const told = [1, 2, 4, 8, 16, 32].map((after) => `full, again in 1000 ms, after ${after}`)
      expect([seen, tries]).toEqual([told, 41])
      isFull = false
      yield* TestClock.adjust("1 second")
      expect(seen).toEqual([...told, "room again", "stored"])
    }).pipe(Effect.scoped)
  )

  it.effect("fails all appends of one commit alike, and none of them is kept", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      yield* Effect.gen(function* () {
        const { append } = yield* HeaderStore
        const exits = yield* Effect.forEach([0, 1, 2], (i) => Effect.exit(append(someHeaders(2, i), 2)), {
          concurrency: "unbounded"
        })
        expect(exits.map((exit) => exit._tag)).toEqual(["Failure", "Failure", "Failure"])
        expect((yield* loadAll).loaded.count).toBe(0)
      }).pipe(Effect.provide(onDisk(disk, faultyFiles({ freeBytes: 100 }))))
    })
  )

  it.effect("at the very start is one sentence too", () =>
    Effect.gen(function* () {
      const store = onDisk(new MemoryDisk(), faultyFiles({ freeBytes: 10 }))
      const error = yield* Effect.flip(Effect.provide(loadAll, store))
      expect(error).toMatchObject({ _tag: "DiskFull", path: "/data/headers.dat.new" })
    })
  )

  it.live.skipIf(process.platform === "win32")("is what a limit on the size of files is, on a real disk", () =>
    Effect.gen(function* () {
      const directory = temporaryDirectory()
      const script = new URL("./FillTheDisk.ts", import.meta.url).pathname
      const run = "Deno" in globalThis ? ["run", "-A"] : ["--conditions=@satwire/source"]
      // bash counts in KiB. Node ignores the signal that comes with the limit; Deno dies of it unless it is ignored outside.
      const limited = `trap "" XFSZ; ulimit -f 64; exec "$0" "$@"`
      const said = execFileSync("bash", ["-c", limited, process.execPath, ...run, script, directory], {
        encoding: "utf8"
      })
      const report = JSON.parse(said) as { kept: number; tag: string; code: string; again: string }
      expect(report).toMatchObject({ tag: "DiskFull", code: "EFBIG", again: "DiskFull" })
      expect(statSync(`${directory}/headers.dat`).size).toBe(24 + (report.kept / 10) * (16 + 10 * HEADER_SIZE))
      const store = HeaderStore.layer({ directory, networkMagic: MAINNET_MAGIC }).pipe(Layer.provide(layerFiles))
      yield* Effect.gen(function* () {
        const { headers, loaded } = yield* loadAll
        expect(headers).toEqual(someHeaders(report.kept))
        expect(loaded).toMatchObject({ tornBytes: 0, setAside: undefined })
        // Without the limit it goes on.
        yield* (yield* HeaderStore).append(someHeaders(10, report.kept), 10)
      }).pipe(Effect.provide(store))
    })
  )
})

describe("a disk that fails", () => {
  const failing = [
    { operation: "write", code: "EIO", tag: "IoFailed" },
    { operation: "sync", code: "EIO", tag: "IoFailed" },
    { operation: "write", code: "EDQUOT", tag: "DiskFull" },
    { operation: "sync", code: "ENOSPC", tag: "DiskFull" }
  ] as const
  for (const { code, operation, tag } of failing) {
    it.effect(`with ${code} in a ${operation} fails that append alone`, () =>
      Effect.gen(function* () {
        const disk = new MemoryDisk()
        // The first of each makes the file.
        const faults = faultyFiles({ failures: [{ operation, nth: 3, code }] })
        yield* Effect.gen(function* () {
          const { append } = yield* HeaderStore
          yield* append(someHeaders(1), 1)
          const error = yield* Effect.flip(append(someHeaders(1, 1), 1))
          expect(error).toMatchObject({ _tag: tag, code })
          yield* append(someHeaders(1, 1), 1)
          expect((yield* loadAll).headers).toEqual(someHeaders(2))
        }).pipe(Effect.provide(onDisk(disk, faults)))
        disk.crash()
        expect((yield* Effect.provide(loadAll, onDisk(disk))).headers).toEqual(someHeaders(2))
      })
    )
  }

  it.effect("for a while, so that nothing can be cut back either, is mended by the next append", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      const faults: Faults = {}
      yield* Effect.gen(function* () {
        const { append } = yield* HeaderStore
        yield* append(someHeaders(1), 1)
        faults.failures = [
          { operation: "sync", nth: 1, times: 1000, code: "EIO" },
          { operation: "truncate", nth: 1, times: 1000, code: "EIO" }
        ]
        for (let i = 0; i < 3; i++) {
          expect((yield* Effect.flip(append(someHeaders(5, 1), 5)))._tag).toBe("IoFailed")
        }
        faults.failures = []
        yield* append(someHeaders(1, 1), 1)
        expect((yield* loadAll).headers).toEqual(someHeaders(2))
      }).pipe(Effect.provide(onDisk(disk, faultyFiles(faults))))
      const { headers, loaded } = yield* Effect.provide(loadAll, onDisk(disk))
      expect(headers).toEqual(someHeaders(2))
      expect(loaded).toMatchObject({ tornBytes: 0, setAside: undefined })
    })
  )

  for (const nth of [1, 2, 3, 4]) {
    it.effect(`in rename ${nth} of mending a damaged file is told, and the next start mends it`, () =>
      Effect.gen(function* () {
        const disk = new MemoryDisk()
        yield* Effect.gen(function* () {
          yield* (yield* HeaderStore).append(someHeaders(3), 3)
          yield* (yield* HeaderStore).append(someHeaders(3, 3), 3)
        }).pipe(Effect.provide(onDisk(disk)))
        const damaged = disk.read("/data/headers.dat") as Uint8Array
        damaged[damaged.length - 1] = (damaged.at(-1) as number) ^ 1
        disk.put("/data/headers.dat", damaged)
        const faults = faultyFiles({ failures: [{ operation: "rename", nth, code: "EIO" }] })
        const exit = yield* Effect.exit(Effect.provide(loadAll, onDisk(disk, faults)))
        expect(exit._tag).toBe(nth <= 2 ? "Failure" : "Success")
        const { headers } = yield* Effect.provide(loadAll, onDisk(disk))
        expect(headers).toEqual(someHeaders(3))
        expect(disk.read("/data/headers.dat.damaged-1")).toEqual(damaged)
      })
    )
  }
})
