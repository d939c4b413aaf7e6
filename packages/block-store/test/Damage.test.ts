import { it } from "@effect/vitest"
import { toHex } from "@satwire/bytes"
import { MemoryDisk } from "@satwire/store/faults"
import * as Effect from "effect/Effect"
import { describe, expect } from "vitest"
import { portableSha256 } from "@satwire/crypto"
import { encodeRecordHead } from "../src/BlockFormat.ts"
import { holds, loadAll, someBlock, someHash } from "../src/compliance.ts"
import { BlockStore, type NewBlock } from "../src/index.ts"
import { lastingIndex, onDisk } from "./Places.ts"

const PATH = "/data/blocks/blk00000.dat"
const LENGTHS = [40, 1, 70, 30]
const ALL = LENGTHS.map((length, i) => someBlock(i, length))
const HEAD = 60
/** Where each record begins, and where the last one ends. */
const OFFSETS = [64]
for (const length of LENGTHS) OFFSETS.push((OFFSETS.at(-1) as number) + HEAD + length)

/** A disk with a store of the blocks above, and the bytes of its file. */
const written = Effect.gen(function* () {
  const disk = new MemoryDisk()
  yield* Effect.provide(
    BlockStore.use(({ append }) => append(ALL)),
    onDisk(disk)
  )
  return { disk, file: disk.read(PATH) as Uint8Array }
})

const changed = (file: Uint8Array, at: number, mask: number): Uint8Array => {
  const content = file.slice()
  content[at] = (content[at] as number) ^ mask
  return content
}

/** Which block's record holds the byte. */
const recordAt = (at: number): number => OFFSETS.findLastIndex((offset) => offset <= at)

describe("a changed byte", () => {
  it.effect("costs at most the block that it hits, is named, and keeps the damaged bytes", () =>
    Effect.gen(function* () {
      const { file } = yield* written
      for (let at = 0; at < file.length; at++) {
        for (const mask of [0x01, 0x80, 0xff]) {
          const content = changed(file, at, mask)
          const disk = new MemoryDisk()
          disk.put(PATH, content)
          const hit = recordAt(at)
          const isMark = hit >= 0 && at < (OFFSETS[hit] as number) + 4
          const left = ALL.filter((_, i) => i !== hit || isMark)
          const loaded = yield* Effect.provide(holds(left), onDisk(disk))
          expect(loaded.setAside).toEqual([])
          expect(loaded.damaged.length).toBe(isMark ? 0 : 1)
          const [part] = loaded.damaged
          if (part !== undefined) {
            expect(part.path).toBe(PATH)
            expect(part.message).toContain(PATH)
            expect(at).toBeGreaterThanOrEqual(part.at)
            expect(at).toBeLessThan(part.at + part.length)
            const bytes = content.subarray(part.at, part.at + part.length)
            if (part.setAsideAs !== undefined) expect(disk.read(part.setAsideAs)).toEqual(bytes)
          }
          // It can be appended again, and nothing is found wrong a second time.
          yield* Effect.provide(
            BlockStore.use(({ append }) => append(ALL)),
            onDisk(disk)
          )
          expect(yield* Effect.provide(holds(ALL), onDisk(disk))).toMatchObject({ damaged: [], tornBytes: 0 })
        }
      }
    })
  )

  it.effect("under a store that is open is found when its block is read, which is then to be fetched again", () =>
    Effect.gen(function* () {
      const { file } = yield* written
      for (let at = 64; at < file.length; at++) {
        const hit = recordAt(at)
        const block = ALL[hit] as NewBlock
        if (at < (OFFSETS[hit] as number) + HEAD) continue
        for (const on of [{}, { index: lastingIndex() }]) {
          const disk = new MemoryDisk()
          disk.put(PATH, file)
          yield* Effect.gen(function* () {
            const { has, read } = yield* BlockStore
            yield* loadAll
            disk.put(PATH, changed(file, at, 0x10))
            const damaged = yield* Effect.flip(read(block.hash))
            expect(damaged).toMatchObject({ _tag: "BlockDamaged", path: PATH, offset: OFFSETS[hit], height: hit })
            expect(damaged.message).toContain(`at byte ${OFFSETS[hit]} of ${PATH}`)
            expect(yield* has(block.hash)).toBe(false)
            expect(yield* read(block.hash)).toBe(undefined)
          }).pipe(Effect.provide(onDisk(disk, on)))
          disk.crash()
          // It does not come back by itself, neither with the index nor without.
          for (const later of [on, {}]) {
            yield* Effect.provide(holds(ALL.filter((other) => other !== block)), onDisk(disk, later))
          }
          yield* Effect.provide(
            BlockStore.use(({ append }) => append(ALL)),
            onDisk(disk, on)
          )
          for (const later of [on, {}]) yield* Effect.provide(holds(ALL), onDisk(disk, later))
        }
      }
    })
  )
})

describe("a file of blocks", () => {
  it.effect("cut at any byte keeps every whole block, and only the torn rest is gone", () =>
    Effect.gen(function* () {
      const { file } = yield* written
      for (let length = 64; length < file.length; length++) {
        const disk = new MemoryDisk()
        disk.put(PATH, file.subarray(0, length))
        const whole = OFFSETS.filter((offset) => offset <= length)
        const loaded = yield* Effect.provide(holds(ALL.slice(0, whole.length - 1)), onDisk(disk))
        expect(loaded).toMatchObject({ tornBytes: length - (whole.at(-1) as number), setAside: [], damaged: [] })
        yield* Effect.provide(
          BlockStore.use(({ append }) => append(ALL)),
          onDisk(disk)
        )
        expect(disk.read(PATH)?.length).toBe(file.length)
        yield* Effect.provide(holds(ALL), onDisk(disk))
      }
    })
  )

  it.effect("that was lengthened and never filled loses nothing and is mended in place", () =>
    Effect.gen(function* () {
      const { file } = yield* written
      for (const length of [1, 59, 60, 61, 5000]) {
        const content = new Uint8Array(file.length + length)
        content.set(file)
        const disk = new MemoryDisk()
        disk.put(PATH, content)
        expect(yield* Effect.provide(holds(ALL), onDisk(disk))).toMatchObject({ tornBytes: length, damaged: [] })
        expect(disk.read(PATH)).toEqual(file)
      }
    })
  )

  it.effect("with a record of another place or another file behind its end does not take it for its own", () =>
    Effect.gen(function* () {
      const { file } = yield* written
      const other = (yield* written).file
      const moved = file.subarray(OFFSETS[1], OFFSETS[2])
      const foreign = other.subarray(OFFSETS[1], OFFSETS[2])
      for (const behind of [moved, foreign]) {
        const content = new Uint8Array(file.length + behind.length)
        content.set(file)
        content.set(behind, file.length)
        const disk = new MemoryDisk()
        disk.put(PATH, content)
        const loaded = yield* Effect.provide(holds(ALL), onDisk(disk))
        expect(loaded.damaged).toMatchObject([{ at: file.length, length: behind.length, hash: undefined }])
        expect(disk.read(`${PATH}.damaged-1`)).toEqual(behind.slice())
        expect(disk.read(PATH)).toEqual(file)
      }
    })
  )

  it.effect("gives no way in to a block that holds what looks like records", () =>
    Effect.gen(function* () {
      // What a peer can know: the format, and where its block may come to lie; not the salt of the file.
      const fake = someBlock(99, 50)
      const at = 64 + HEAD + HEAD + 40 + 7
      const head = encodeRecordHead(portableSha256, new Uint8Array(8), at, {
        length: 50,
        height: 99,
        hash: fake.hash,
        check: new Uint8Array(8),
        isForgotten: false
      })
      const bytes = new Uint8Array(300)
      bytes.set(head, 7)
      const block: NewBlock = { hash: someHash(1), height: 1, bytes }
      const disk = new MemoryDisk()
      yield* Effect.provide(
        BlockStore.use(({ append }) => append([ALL[0] as NewBlock, block, ALL[2] as NewBlock])),
        onDisk(disk)
      )
      disk.put(PATH, changed(disk.read(PATH) as Uint8Array, 64 + HEAD + 40 + 10, 1))
      yield* Effect.provide(holds([ALL[0] as NewBlock, ALL[2] as NewBlock]), onDisk(disk))
    })
  )

  it.effect("of another network, a newer version or another program is set aside whole and named", () =>
    Effect.gen(function* () {
      const { file } = yield* written
      const cases: ReadonlyArray<readonly [(content: Uint8Array) => void, string, string]> = [
        [(content) => content.fill(9, 0, 64), "foreign", "is no file of Satwire"],
        [
          (content) => {
            content[8] = 2
            content[40] = 2
          },
          "foreign",
          "has format version 2, and this Satwire knows 1"
        ],
        [
          (content) => {
            content[20] = (content[20] as number) ^ 1
            content[52] = (content[52] as number) ^ 1
          },
          "damaged",
          "the check of its head does not fit"
        ]
      ]
      for (const [spoil, why, what] of cases) {
        const disk = new MemoryDisk()
        const content = file.slice()
        spoil(content)
        disk.put(PATH, content)
        const loaded = yield* Effect.provide(holds([]), onDisk(disk, { index: lastingIndex() }))
        expect(loaded.setAside).toMatchObject([{ path: PATH, what, setAsideAs: `${PATH}.${why}-1` }])
        expect(disk.read(`${PATH}.${why}-1`)).toEqual(content)
        yield* Effect.provide(
          BlockStore.use(({ append }) => append(ALL)),
          onDisk(disk)
        )
        yield* Effect.provide(holds(ALL), onDisk(disk))
      }
      const disk = new MemoryDisk()
      disk.put(PATH, file)
      const loaded = yield* Effect.provide(holds([]), onDisk(disk, { networkMagic: 0x0709110b }))
      expect(loaded.setAside).toMatchObject([
        { _tag: "ForeignFile", what: "is of another network (d9b4bef9, not 0709110b)" }
      ])
    })
  )
})

describe("an index", () => {
  const files = Effect.gen(function* () {
    const disk = new MemoryDisk()
    const index = lastingIndex()
    const on = { index, maxFileBytes: 250 }
    for (const block of ALL) {
      yield* Effect.provide(
        BlockStore.use(({ append }) => append([block])),
        onDisk(disk, on)
      )
    }
    return { disk, on }
  })

  it.effect("makes that no file is gone through, and is made again where it is deleted", () =>
    Effect.gen(function* () {
      const { disk, on } = yield* files
      expect((yield* Effect.provide(holds(ALL), onDisk(disk, on))).scanned).toBe(0)
      const fresh = { ...on, index: lastingIndex() }
      expect((yield* Effect.provide(holds(ALL), onDisk(disk, fresh))).scanned).toBe(ALL.length)
      expect((yield* Effect.provide(holds(ALL), onDisk(disk, fresh))).scanned).toBe(0)
    })
  )

  it.effect("that lags behind costs a look at what came after, and nothing else", () =>
    Effect.gen(function* () {
      const { disk, on } = yield* files
      const more = [someBlock(10, 50), someBlock(11, 50)]
      yield* Effect.provide(
        BlockStore.use(({ append }) => append(more)),
        onDisk(disk, { maxFileBytes: 10_000 })
      )
      expect((yield* Effect.provide(holds([...ALL, ...more]), onDisk(disk, on))).scanned).toBe(2)
    })
  )

  it.effect("of other files is not believed", () =>
    Effect.gen(function* () {
      const { on } = yield* files
      const { disk } = yield* files
      expect((yield* Effect.provide(holds(ALL), onDisk(disk, on))).scanned).toBe(ALL.length)
      // Nor of files that are gone.
      const path = disk.paths().find((other) => other.endsWith("blk00000.dat")) as string
      const empty = new MemoryDisk()
      for (const other of disk.paths()) if (other !== path) empty.put(other, disk.read(other) as Uint8Array)
      const { hashes } = yield* Effect.provide(loadAll, onDisk(empty, on))
      expect(hashes.length).toBeLessThan(ALL.length)
      expect(hashes.map(toHex)).not.toContain(toHex((ALL[0] as NewBlock).hash))
    })
  )
})
