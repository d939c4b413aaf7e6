import { it } from "@effect/vitest"
import { mainnet, networks, regtest } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs"
import { describe, expect } from "vitest"
import { loadAll, someHeaders } from "../src/compliance.ts"
import { MemoryDisk, faultyFiles } from "../src/faults.ts"
import { DataDirectory, HeaderStore, type StoreError, defaultDataDirectory, layerFiles } from "../src/index.ts"
import { temporaryDirectory } from "./Places.ts"

/** Takes the directory and gives it back. */
const taken = (root: string, network = mainnet): Effect.Effect<string, StoreError> =>
  Effect.map(DataDirectory, ({ path }) => path).pipe(
    Effect.provide(DataDirectory.layer({ root, network }).pipe(Layer.provide(layerFiles)), { local: true })
  )

/** Runs `body` while this process holds the directory. */
const holding = <A, E>(root: string, body: Effect.Effect<A, E>): Effect.Effect<A, E | StoreError> =>
  body.pipe(
    Effect.provide(DataDirectory.layer({ root, network: mainnet }).pipe(Layer.provide(layerFiles)), { local: true })
  )

describe("a data directory", () => {
  it.effect("is laid out as Bitcoin Core lays out its own", () =>
    Effect.gen(function* () {
      const root = `${temporaryDirectory()}/not/there/yet`
      const folders = yield* Effect.forEach(Object.values(networks), (network) => taken(root, network))
      expect(folders.map((path) => path.slice(root.length))).toEqual([
        "",
        "/testnet3",
        "/testnet4",
        "/signet",
        "/regtest"
      ])
      for (const path of folders) expect(existsSync(path)).toBe(true)
    })
  )

  it("is ~/.satwire where nobody says otherwise", () => {
    const home = temporaryDirectory()
    expect(defaultDataDirectory(home)).toBe(`${home}/.satwire`)
    expect(defaultDataDirectory(`${home}/`)).toBe(`${home}/.satwire`)
  })

  it.effect("is refused to a second holder in this process, with the process in the sentence", () =>
    Effect.gen(function* () {
      const root = temporaryDirectory()
      const error = yield* holding(root, Effect.flip(taken(root)))
      expect(error).toMatchObject({ _tag: "DirectoryLocked", path: root, pid: process.pid })
      const advice = "stop that one, or choose another data directory"
      expect(error.message).toBe(`${root} is in use by process ${process.pid}: ${advice}.`)
    })
  )

  it.effect("may be held for several networks at once", () =>
    Effect.gen(function* () {
      const root = temporaryDirectory()
      expect(yield* holding(root, taken(root, regtest))).toBe(`${root}/regtest`)
    })
  )

  it.effect("is free again when the scope closes, and keeps no trace but the lock's empty file", () =>
    Effect.gen(function* () {
      const root = temporaryDirectory()
      yield* taken(root)
      yield* taken(root)
      expect(readdirSync(root)).toEqual([".lock"])
      expect(readFileSync(`${root}/.lock`).length).toBe(0)
    })
  )

  it.effect("makes room where somebody's file has the lock's name", () =>
    Effect.gen(function* () {
      const root = temporaryDirectory()
      writeFileSync(
        `${root}/.lock`,
        "This is no lock, and it is longer than a hundred bytes, so that SQLite looks at it. ".repeat(9)
      )
      yield* taken(root)
      expect(readFileSync(`${root}/.lock.foreign-1`, "utf8")).toContain("This is no lock")
    })
  )

  it.effect("where the owner left no number, or nonsense, is still refused in one sentence", () =>
    Effect.gen(function* () {
      const root = temporaryDirectory()
      for (const content of ["", "nonsense\n", "-1", "9".repeat(100)]) {
        const refused = Effect.suspend(() => {
          writeFileSync(`${root}/satwire.pid`, content)
          return Effect.flip(taken(root))
        })
        const error = yield* holding(root, refused)
        expect(error.message).toContain("is in use by")
      }
    })
  )
})

describe("a data directory that cannot be written", () => {
  it.effect("because a file is in its way is named", () =>
    Effect.gen(function* () {
      const root = temporaryDirectory()
      writeFileSync(`${root}/file`, "")
      const error = yield* Effect.flip(taken(`${root}/file/below`))
      expect(error).toMatchObject({ _tag: "DirectoryNotWritable", path: `${root}/file/below`, code: "ENOTDIR" })
      expect(error.message).toContain("choose another data directory")
    })
  )

  it.effect("because a file has its very name is named", () =>
    Effect.gen(function* () {
      const root = temporaryDirectory()
      writeFileSync(`${root}/file`, "")
      const error = yield* Effect.flip(taken(`${root}/file`))
      expect(error).toMatchObject({ _tag: "DirectoryNotWritable", path: `${root}/file`, code: "EEXIST" })
    })
  )

  // Node's own way to make a directory with those above it never ends there.
  it.effect.skipIf(process.platform !== "linux")("because a file system takes no directories is named", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(taken("/proc/nowhere"))
      expect(error).toMatchObject({ _tag: "DirectoryNotWritable", path: "/proc/nowhere", code: "ENOENT" })
    })
  )

  for (const { code, operation, tag } of [
    { operation: "makeDirectory", code: "EACCES", tag: "DirectoryNotWritable" },
    { operation: "makeDirectory", code: "EROFS", tag: "DirectoryNotWritable" },
    { operation: "lock", code: "EACCES", tag: "DirectoryNotWritable" },
    { operation: "open", code: "EACCES", tag: "DirectoryNotWritable" },
    { operation: "write", code: "ENOSPC", tag: "DiskFull" },
    { operation: "write", code: "EIO", tag: "IoFailed" }
  ] as const) {
    it.effect(`(${code} in ${operation}) is ${tag}, and the lock is free again`, () =>
      Effect.gen(function* () {
        const disk = new MemoryDisk()
        const faults = faultyFiles({ failures: [{ operation, nth: 1, code }] })
        const layer = DataDirectory.layer({ root: "/data", network: regtest })
        const behindFaults = layer.pipe(Layer.provide(faults), Layer.provide(disk.layer))
        const error = yield* Effect.flip(Effect.provide(DataDirectory, behindFaults, { local: true }))
        expect(error._tag).toBe(tag)
        yield* Effect.provide(DataDirectory, Layer.provide(layer, disk.layer), { local: true })
      })
    )
  }
})

/** A process that holds the regtest folder and appends headers; gives the next line that it says. */
const holder = (root: string): { readonly child: ChildProcess; readonly said: () => Promise<number> } => {
  const script = new URL("./HoldTheDirectory.ts", import.meta.url).pathname
  const run = "Deno" in globalThis ? ["run", "-A"] : ["--conditions=@satwire/source"]
  const child = spawn(process.execPath, [...run, script, root], { stdio: ["ignore", "pipe", "inherit"] })
  let last = 0
  child.stdout.on("data", (bytes: Uint8Array) => {
    last = Number(new TextDecoder().decode(bytes).trim().split("\n").at(-1))
  })
  return {
    child,
    said: async () => {
      if (last === 0) await once(child.stdout, "data")
      return last
    }
  }
}

describe("kill -9", () => {
  it.live("leaves no stale lock and loses no header that was kept", () =>
    Effect.gen(function* () {
      const root = temporaryDirectory()
      let least = 0
      for (let round = 0; round < 3; round++) {
        const { child, said } = holder(root)
        yield* Effect.promise(said)
        const error = yield* Effect.flip(taken(root, regtest))
        expect(error).toMatchObject({ _tag: "DirectoryLocked", path: `${root}/regtest`, pid: child.pid })
        const gone = once(child, "close")
        child.kill("SIGKILL")
        yield* Effect.promise(() => gone)
        const kept = yield* Effect.promise(said)
        expect(kept).toBeGreaterThan(least)
        least = kept
        // The dead one's number is still there, and could be anybody's by now: it holds nothing.
        expect(readFileSync(`${root}/regtest/satwire.pid`, "utf8")).toBe(`${child.pid}\n`)
        const directory = yield* taken(root, regtest)
        const store = HeaderStore.layer({ directory, networkMagic: regtest.magic }).pipe(Layer.provide(layerFiles))
        const { headers, loaded } = yield* Effect.provide(loadAll, store, { local: true })
        expect(loaded.count).toBeGreaterThanOrEqual(kept)
        expect(headers).toEqual(someHeaders(loaded.count))
        expect(loaded.setAside).toBe(undefined)
      }
    })
  )

  it.live("of nobody: a scope that is closed by an interruption gives the directory back", () =>
    Effect.gen(function* () {
      const root = temporaryDirectory()
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(
        DataDirectory.layer({ root, network: mainnet }).pipe(Layer.provide(layerFiles)),
        scope
      )
      yield* Scope.close(scope, Exit.interrupt(1))
      yield* taken(root)
    })
  )
})
