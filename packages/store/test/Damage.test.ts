import { it } from "@effect/vitest"
import { equals } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { HEADER_SIZE } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import { describe, expect } from "vitest"
import { loadAll, someHeaders } from "../src/compliance.ts"
import { MemoryDisk } from "../src/faults.ts"
import { HeaderStore } from "../src/index.ts"
import { encodeHead } from "../src/RecordFormat.ts"
import { MAINNET_MAGIC } from "./Magic.ts"
import { onDisk } from "./Places.ts"

const PATH = "/data/headers.dat"
const BATCHES = [1, 2, 1, 3]
const ALL = someHeaders(7)

/** A disk with a store of the batches above, and the bytes of its file. */
const written = Effect.gen(function* () {
  const disk = new MemoryDisk()
  yield* Effect.gen(function* () {
    const { append } = yield* HeaderStore
    let first = 0
    for (const count of BATCHES) {
      yield* append(someHeaders(count, first), count)
      first += count
    }
  }).pipe(Effect.provide(onDisk(disk)))
  return { disk, file: disk.read(PATH) as Uint8Array }
})

/** Opens a disk whose file has this content, checks what every opening must hold, and goes on with it. */
const opened = Effect.fnUntraced(function* (content: Uint8Array) {
  const disk = new MemoryDisk()
  disk.put(PATH, content)
  const { headers, loaded } = yield* Effect.provide(loadAll, onDisk(disk))
  expect(equals(headers, ALL.subarray(0, headers.length))).toBe(true)
  if (loaded.setAside !== undefined) {
    expect(equals(disk.read(loaded.setAside.setAsideAs) as Uint8Array, content)).toBe(true)
    expect(loaded.setAside.message).toContain(PATH)
  }
  const again = yield* Effect.gen(function* () {
    yield* (yield* HeaderStore).append(someHeaders(1, 1000), 1)
    return yield* loadAll
  }).pipe(Effect.provide(onDisk(disk)))
  expect(equals(again.headers.subarray(0, headers.length), headers)).toBe(true)
  expect(again.headers.length).toBe(headers.length + HEADER_SIZE)
  expect(again.loaded).toMatchObject({ tornBytes: 0, setAside: undefined })
  return { count: loaded.count, loaded, disk }
})

describe("a damaged file", () => {
  it.effect(
    "with any byte changed gives a prefix of what was stored, and is set aside whole with the place of the damage",
    () =>
      Effect.gen(function* () {
        const { file } = yield* written
        for (let at = 0; at < file.length; at++) {
          for (const mask of [0x01, 0x80, 0xff]) {
            const content = file.slice()
            content[at] = (content[at] as number) ^ mask
            const { count, loaded } = yield* opened(content)
            expect(loaded.setAside).toBeDefined()
            if (at < 24) continue
            // The records before the damage: each has 16 bytes beside its headers.
            let end = 24
            const before = BATCHES.filter((batch) => (end += 16 + batch * HEADER_SIZE) <= at)
            expect(count).toBe(before.reduce((sum, batch) => sum + batch, 0))
            expect(loaded.setAside).toMatchObject({ _tag: "DamagedFile" })
          }
        }
      })
  )

  it.effect("cut at any byte gives every whole batch, and only the torn rest is gone", () =>
    Effect.gen(function* () {
      const { file } = yield* written
      const ends = [24]
      for (const batch of BATCHES) ends.push((ends.at(-1) as number) + 16 + batch * HEADER_SIZE)
      for (let length = 0; length < file.length; length++) {
        const { loaded } = yield* opened(file.subarray(0, length))
        const whole = ends.filter((end) => end <= length)
        const batches = Math.max(whole.length - 1, 0)
        expect(loaded.count).toBe(BATCHES.slice(0, batches).reduce((sum, batch) => sum + batch, 0))
        if (length >= 24)
          expect(loaded).toMatchObject({ tornBytes: length - (whole.at(-1) as number), setAside: undefined })
        else if (length > 0) expect(loaded.setAside).toMatchObject({ _tag: "DamagedFile", at: 0 })
      }
    })
  )

  it.effect("that was lengthened and never filled loses nothing and is mended in place", () =>
    Effect.gen(function* () {
      const { file } = yield* written
      for (const length of [1, 7, 8, 16, 500, 5000]) {
        const content = new Uint8Array(file.length + length)
        content.set(file)
        const { count, loaded } = yield* opened(content)
        expect([count, loaded.tornBytes, loaded.setAside]).toEqual([7, length, undefined])
      }
    })
  )

  it.effect("with records of an earlier life behind its end does not take them for its own", () =>
    Effect.gen(function* () {
      const { file } = yield* written
      // The second record again, behind the last one: whole, but not written there.
      const second = file.subarray(24 + 96, 24 + 96 + 176)
      const content = new Uint8Array(file.length + second.length)
      content.set(file)
      content.set(second, file.length)
      const { count, loaded } = yield* opened(content)
      expect([count, loaded.setAside?._tag]).toEqual([7, "DamagedFile"])
    })
  )

  it.effect("is never written over: each one that is set aside has a name of its own", () =>
    Effect.gen(function* () {
      const { disk, file } = yield* written
      for (let n = 1; n <= 3; n++) {
        const content = file.slice()
        content[100 + n] = (content[100 + n] as number) ^ 1
        disk.put(PATH, content)
        const { loaded } = yield* Effect.provide(loadAll, onDisk(disk))
        expect(loaded.setAside?.setAsideAs).toBe(`${PATH}.damaged-${n}`)
        expect(equals(disk.read(`${PATH}.damaged-${n}`) as Uint8Array, content)).toBe(true)
      }
    })
  )
})

describe("a foreign file", () => {
  const kind = { magic: "SATWHDRS", version: 1, network: MAINNET_MAGIC }
  const foreign = {
    "of another program": [
      new TextEncoder().encode("These are no headers, they are somebody's notes."),
      "is no file of Satwire"
    ],
    "of another kind": [encodeHead(portableSha256, { ...kind, magic: "SATWBLKS" }), "is no file of Satwire"],
    "of another network": [
      encodeHead(portableSha256, { ...kind, network: 0x0709110b }),
      "is of another network (0709110b"
    ],
    "of a newer version": [
      encodeHead(portableSha256, { ...kind, version: 2 }),
      "has format version 2, and this Satwire knows 1"
    ]
  } as const
  for (const [name, [content, what]] of Object.entries(foreign)) {
    it.effect(`${name} is named and set aside untouched, and the store begins anew`, () =>
      Effect.gen(function* () {
        const { count, loaded } = yield* opened(content)
        expect(count).toBe(0)
        expect(loaded.setAside).toMatchObject({ _tag: "ForeignFile", setAsideAs: `${PATH}.foreign-1` })
        expect(loaded.setAside?.message).toContain(what)
      })
    )
  }

  it.effect("of any content is never an exception", () =>
    Effect.gen(function* () {
      for (const length of [1, 8, 23, 24, 25, 40, 1000]) {
        for (const fill of [0, 0xff, 0x53]) yield* opened(new Uint8Array(length).fill(fill))
      }
    })
  )
})
