import { it } from "@effect/vitest"
import { equals } from "@satwire/bytes"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { describe, expect } from "vitest"
import { snapshotsCompliance } from "../src/compliance.ts"
import { type Faults, MemoryDisk, faultyFiles } from "../src/faults.ts"
import {
  type Files,
  type SnapshotKind,
  type SnapshotLoaded,
  Snapshots,
  type StoreError,
  layerFiles
} from "../src/index.ts"
import { encodeHead } from "../src/RecordFormat.ts"
import { MAINNET_MAGIC } from "./Magic.ts"
import { temporaryDirectory } from "./Places.ts"

const onDisk = (disk: MemoryDisk, faults?: Layer.Layer<Files, never, Files>): Layer.Layer<Snapshots, StoreError> => {
  const files = faults === undefined ? disk.layer : Layer.provide(faults, disk.layer)
  return Layer.fresh(Snapshots.layer({ directory: "/data", networkMagic: MAINNET_MAGIC }).pipe(Layer.provide(files)))
}

snapshotsCompliance(
  { describe, it },
  { name: "memory", place: () => Layer.fresh(Snapshots.layerMemory), survives: false }
)
snapshotsCompliance(
  { describe, it },
  { name: "a disk in memory", place: () => onDisk(new MemoryDisk()), survives: true }
)
snapshotsCompliance(
  { describe, it },
  {
    name: "a disk",
    place: () => Snapshots.layer({ directory: temporaryDirectory(), networkMagic: 1 }).pipe(Layer.provide(layerFiles)),
    survives: true
  }
)

const PATH = "/data/peers.dat"
const KIND: SnapshotKind<number> = {
  name: "peers.dat",
  magic: "SATWPEER",
  version: 1,
  read: (saved) => {
    const { n } = (saved ?? {}) as { readonly n?: unknown }
    return typeof n === "number" && n < 1000 ? Result.succeed(n) : Result.fail("it counts nothing")
  }
}

const save = (n: number): Effect.Effect<void, StoreError, Snapshots> =>
  Effect.flatMap(Snapshots, ({ open }) => open(KIND).save({ n, padding: new Uint8Array(20 * n) }))
const load: Effect.Effect<SnapshotLoaded<number>, StoreError, Snapshots> = Effect.flatMap(
  Snapshots,
  ({ open }) => open(KIND).load
)

/** Saves 1 to 5 until a fault ends it, lets the power fail, and looks what is there. */
const crashAndReopen = Effect.fnUntraced(function* (faults: Faults, seed?: number) {
  const disk = new MemoryDisk()
  let acknowledged = 0
  let begun = 0
  const life = Effect.gen(function* () {
    for (let n = 1; n <= 5; n++) {
      begun = n
      yield* save(n)
      acknowledged = n
    }
  })
  yield* Effect.exit(Effect.provide(life, onDisk(disk, faultyFiles(faults))))
  disk.crash(seed === undefined ? undefined : ChaChaRandom.fromNumber(seed))
  const { setAside, value = 0 } = yield* Effect.provide(load, onDisk(disk))
  expect(setAside).toBeUndefined()
  // What was acknowledged, or what was being saved.
  expect(value).toBeGreaterThanOrEqual(acknowledged)
  expect(value).toBeLessThanOrEqual(begun)
  yield* Effect.provide(save(9), onDisk(disk))
  expect((yield* Effect.provide(load, onDisk(disk))).value).toBe(9)
  expect(disk.paths()).toEqual([PATH])
})

const SEEDS = [undefined, 1, 2, 3, 4, 5, 6, 7, 8]

describe("a crash", () => {
  it.effect("at any byte of a save leaves what was kept before, or what is being saved, whole", () =>
    Effect.gen(function* () {
      const whole: Faults = {}
      yield* crashAndReopen(whole)
      const bytes = whole.written?.bytes ?? 0
      expect(bytes).toBeGreaterThan(500)
      for (let at = 0; at <= bytes; at++)
        for (const seed of [undefined, at]) yield* crashAndReopen({ crashAfterBytes: at }, seed)
    })
  )

  it.effect("between any two operations does the same", () =>
    Effect.gen(function* () {
      const whole: Faults = {}
      yield* crashAndReopen(whole)
      const changes = whole.written?.changes ?? 0
      expect(changes).toBeGreaterThan(20)
      for (let at = 0; at <= changes; at++)
        for (const seed of SEEDS) yield* crashAndReopen({ crashAfterChanges: at }, seed)
    })
  )

  it.effect("during short writes does the same", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < 100; seed++) {
        const random = ChaChaRandom.fromNumber(seed)
        yield* crashAndReopen({ shortWrites: random, crashAfterBytes: random.below(700) }, seed)
      }
    })
  )

  it.effect("after a removal does not bring back what was removed", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      yield* Effect.provide(save(3), onDisk(disk))
      yield* Effect.provide(
        Effect.flatMap(Snapshots, ({ open }) => open(KIND).remove),
        onDisk(disk)
      )
      disk.crash()
      expect((yield* Effect.provide(load, onDisk(disk))).value).toBeUndefined()
    })
  )
})

/** Puts this content there, loads it, and checks that the owner can go on. */
const opened = Effect.fnUntraced(function* (content: Uint8Array) {
  const disk = new MemoryDisk()
  disk.put(PATH, content)
  const loaded = yield* Effect.provide(load, onDisk(disk))
  if (loaded.setAside !== undefined) {
    expect(loaded.value).toBeUndefined()
    expect(equals(disk.read(loaded.setAside.setAsideAs) as Uint8Array, content)).toBe(true)
    expect(loaded.setAside.message).toContain(PATH)
    // A crash right after does not bring it back.
    disk.crash()
    expect((yield* Effect.provide(load, onDisk(disk))).value).toBeUndefined()
  }
  yield* Effect.provide(save(5), onDisk(disk))
  expect((yield* Effect.provide(load, onDisk(disk))).value).toBe(5)
  return loaded
})

const written = Effect.gen(function* () {
  const disk = new MemoryDisk()
  yield* Effect.provide(save(7), onDisk(disk))
  return disk.read(PATH) as Uint8Array
})

describe("a damaged snapshot", () => {
  it.effect("with any byte changed is set aside whole, and its owner starts afresh", () =>
    Effect.gen(function* () {
      const file = yield* written
      expect((yield* opened(file)).value).toBe(7)
      for (let at = 0; at < file.length; at++) {
        for (const mask of [0x01, 0x80, 0xff]) {
          const content = file.slice()
          content[at] = (content[at] as number) ^ mask
          const { setAside } = yield* opened(content)
          expect(setAside).toBeDefined()
          if (at < 24) continue
          expect(setAside).toMatchObject({ _tag: "DamagedFile", at: 24 })
          expect(setAside?.message).toContain("nothing of it could be kept")
        }
      }
    })
  )

  it.effect("cut at any byte, or longer than it was, is set aside whole", () =>
    Effect.gen(function* () {
      const file = yield* written
      for (let length = 0; length < file.length; length++) {
        expect((yield* opened(file.subarray(0, length))).setAside?._tag).toBe("DamagedFile")
      }
      for (const more of [1, 8, 1000]) {
        const content = new Uint8Array(file.length + more)
        content.set(file)
        expect((yield* opened(content)).setAside?._tag).toBe("DamagedFile")
      }
    })
  )

  it.effect("that is whole and no value of its owner's is set aside with the owner's word", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      yield* Effect.provide(save(1000), onDisk(disk))
      const { setAside } = yield* Effect.provide(load, onDisk(disk))
      expect(setAside?.message).toBe(
        `${PATH} is damaged at byte 24 (it counts nothing): nothing of it could be kept, and all of it lies in ${PATH}.damaged-1.`
      )
    })
  )

  it.effect("of 20 MB is not read to its end", () =>
    Effect.gen(function* () {
      const file = yield* written
      const content = new Uint8Array(20_000_000)
      content.set(file)
      const disk = new MemoryDisk()
      disk.put(PATH, content)
      expect((yield* Effect.provide(load, onDisk(disk))).setAside?._tag).toBe("DamagedFile")
    })
  )
})

describe("a foreign file in its place", () => {
  const kind = { magic: "SATWPEER", version: 1, network: MAINNET_MAGIC }
  const foreign = {
    "of another program": new TextEncoder().encode("These are no peers, they are somebody's notes."),
    "of another kind": encodeHead(portableSha256, { ...kind, magic: "SATWBANS" }),
    "of another network": encodeHead(portableSha256, { ...kind, network: 0x0709110b }),
    "of a newer version": encodeHead(portableSha256, { ...kind, version: 2 })
  }
  for (const [name, content] of Object.entries(foreign)) {
    it.effect(`${name} is set aside untouched`, () =>
      Effect.map(opened(content), ({ setAside }) =>
        expect(setAside).toMatchObject({ _tag: "ForeignFile", setAsideAs: `${PATH}.foreign-1` })
      )
    )
  }
})

describe("a full disk", () => {
  it.effect("fails a save, keeps what was saved before, and leaves nothing half written", () =>
    Effect.gen(function* () {
      for (let free = 0; free < 200; free += 3) {
        const disk = new MemoryDisk()
        yield* Effect.provide(save(3), onDisk(disk))
        const faults: Faults = { freeBytes: free }
        yield* Effect.gen(function* () {
          const error = yield* Effect.flip(save(9))
          expect(error).toMatchObject({ _tag: "DiskFull", path: `${PATH}.new`, code: "ENOSPC" })
          expect(disk.paths()).toEqual([PATH])
          expect((yield* load).value).toBe(3)
          faults.freeBytes = 1_000_000
          yield* save(9)
          expect((yield* load).value).toBe(9)
        }).pipe(Effect.provide(onDisk(disk, faultyFiles(faults))))
      }
    })
  )

  for (const [operation, code, tag] of [
    ["write", "EIO", "IoFailed"],
    ["sync", "ENOSPC", "DiskFull"],
    ["rename", "EACCES", "DirectoryNotWritable"],
    ["open", "EMFILE", "IoFailed"],
    ["syncDirectory", "EIO", "IoFailed"]
  ] as const) {
    it.effect(`and ${code} in a ${operation} fails that save alone`, () =>
      Effect.gen(function* () {
        const disk = new MemoryDisk()
        yield* Effect.provide(save(3), onDisk(disk))
        const faults = faultyFiles({ failures: [{ operation, nth: 1, code }] })
        yield* Effect.gen(function* () {
          expect(yield* Effect.flip(save(4))).toMatchObject({ _tag: tag, code })
          // Where only the directory was not synced, the new value may have its place already.
          expect((yield* load).value).toBe(operation === "syncDirectory" ? 4 : 3)
          yield* save(5)
        }).pipe(Effect.provide(onDisk(disk, faults)))
        disk.crash()
        expect((yield* Effect.provide(load, onDisk(disk))).value).toBe(5)
      })
    )
  }
})
