import { it } from "@effect/vitest"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { AsMap, NetGroups } from "@satwire/netaddress"
import { Entropy } from "@satwire/runtime"
import { type Files, Snapshots, type StoreError } from "@satwire/store"
import { type Faults, MemoryDisk, faultyFiles } from "@satwire/store/faults"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { describe, expect } from "vitest"
import type { AddressInfo } from "../src/index.ts"
import { AddrManService, type AddrManServiceOptions, DUMP_PEERS_INTERVAL_MS } from "../src/effect.ts"
import { START, host, ipv4, known } from "./KnownAddresses.ts"
import { keyOf } from "./NaiveAddrMan.ts"

const PATH = "/data/peers.dat"

const service = (
  disk: MemoryDisk,
  options: AddrManServiceOptions = {},
  faults?: Layer.Layer<Files, never, Files>
): Layer.Layer<AddrManService, StoreError> => {
  const files = faults === undefined ? disk.layer : Layer.provide(faults, disk.layer)
  const snapshots = Snapshots.layer({ directory: "/data", networkMagic: 1 }).pipe(Layer.provide(files))
  return Layer.fresh(AddrManService.layer(options).pipe(Layer.provide(snapshots)))
}

const told = (from: number, count: number): ReturnType<typeof known>[] =>
  Array.from({ length: count }, (_, i) => known(ipv4(0x0200 + from + i, 1)))

/** Tells of some addresses, each from elsewhere; gives how many are known. */
const tell = (from: number, count: number): Effect.Effect<number, never, AddrManService> =>
  Effect.map(AddrManService, ({ addrman }) => {
    for (const [i, one] of told(from, count).entries()) addrman.add([one], host(ipv4(0x4000 + from + i, 1)), START)
    return addrman.count()
  })

const count: Effect.Effect<number, never, AddrManService> = Effect.map(AddrManService, ({ addrman }) => addrman.count())

const atStart = TestClock.setTime(START * 1000)

/** What is logged, by level and message. */
const logged = (): { readonly lines: Array<string>; readonly layer: Layer.Layer<never> } => {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel} ${String(message)}`))
  const level = Layer.succeed(References.MinimumLogLevel, "Debug")
  return { lines, layer: Layer.merge(Logger.layer([logger]), level) }
}

describe("an address manager that is kept", () => {
  it.effect("knows nobody at first, and everybody again after a restart, in their places", () =>
    Effect.gen(function* () {
      yield* atStart
      const disk = new MemoryDisk()
      expect(yield* Effect.provide(count, service(disk))).toBe(0)
      const before = yield* Effect.gen(function* () {
        yield* tell(0, 100)
        const { addrman } = yield* AddrManService
        for (const one of told(0, 30)) addrman.good(one, START)
        return [...addrman.addresses()]
      }).pipe(Effect.provide(service(disk)))
      disk.crash()
      const after = yield* Effect.map(AddrManService, ({ addrman }) => {
        addrman.check()
        return [...addrman.addresses()]
      }).pipe(Effect.provide(service(disk)))
      expect(before.length).toBeGreaterThan(90)
      const byKey = (a: AddressInfo, b: AddressInfo): number => (keyOf(a) < keyOf(b) ? -1 : 1)
      expect(after.toSorted(byKey)).toEqual(before.toSorted(byKey))
    })
  )

  it.effect("is saved every quarter of an hour, so that a crash costs no more", () =>
    Effect.gen(function* () {
      yield* atStart
      const disk = new MemoryDisk()
      const saved = yield* Effect.gen(function* () {
        const first = yield* tell(0, 50)
        yield* TestClock.adjust(DUMP_PEERS_INTERVAL_MS - 1)
        expect(disk.paths()).toEqual([])
        yield* TestClock.adjust(1)
        yield* tell(50, 50)
        yield* TestClock.adjust(1000)
        disk.crash()
        return first
      }).pipe(Effect.provide(service(disk)))
      expect(yield* Effect.provide(count, service(disk))).toBe(saved)
    })
  )

  it.effect("is saved when it is asked to", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      const saved = yield* Effect.gen(function* () {
        const first = yield* tell(0, 50)
        yield* (yield* AddrManService).save
        disk.crash()
        return first
      }).pipe(Effect.provide(service(disk)))
      expect(yield* Effect.provide(count, service(disk))).toBe(saved)
    })
  )

  it.effect("survives the end of its process at any of 200 moments, as it was saved last", () =>
    Effect.gen(function* () {
      yield* atStart
      for (let at = 0; at < 200; at++) {
        const disk = new MemoryDisk()
        let acknowledged = 0
        let begun = 0
        const life = Effect.gen(function* () {
          const { save } = yield* AddrManService
          for (let i = 0; i < 40; i++) {
            begun = yield* tell(i * 5, 5)
            yield* save
            acknowledged = begun
          }
        })
        const faults = faultyFiles({ crashAfterChanges: at })
        yield* Effect.exit(Effect.provide(life, service(disk, {}, faults)))
        disk.crash(ChaChaRandom.fromNumber(at))
        const { lines, layer } = logged()
        const again = yield* count.pipe(Effect.provide(service(disk)), Effect.provide(layer))
        expect(again === acknowledged || again === begun).toBe(true)
        expect(lines.filter((line) => line.startsWith("Warn"))).toEqual([])
      }
    })
  )

  it.effect("starts afresh with a word where its file is damaged", () =>
    Effect.gen(function* () {
      yield* atStart
      const disk = new MemoryDisk()
      yield* Effect.provide(tell(0, 50), service(disk))
      const file = disk.read(PATH) as Uint8Array
      file[200] = (file[200] as number) ^ 1
      disk.put(PATH, file)
      const { lines, layer } = logged()
      expect(yield* count.pipe(Effect.provide(service(disk)), Effect.provide(layer))).toBe(0)
      expect(lines).toEqual([
        `Warn ${PATH} is damaged at byte 24 (its check does not fit): nothing of it could be kept, and all of it lies in ${PATH}.damaged-1.`
      ])
      expect(disk.read(`${PATH}.damaged-1`)).toEqual(file)
    })
  )

  it.effect("goes on while the disk is full, and is saved when there is room again", () =>
    Effect.gen(function* () {
      yield* atStart
      const disk = new MemoryDisk()
      const faults: Faults = { freeBytes: 100 }
      const { lines, layer } = logged()
      const saved = yield* Effect.gen(function* () {
        const first = yield* tell(0, 50)
        yield* TestClock.adjust(DUMP_PEERS_INTERVAL_MS)
        yield* TestClock.adjust(DUMP_PEERS_INTERVAL_MS)
        faults.freeBytes = 1_000_000
        yield* TestClock.adjust(DUMP_PEERS_INTERVAL_MS)
        yield* tell(50, 50)
        faults.freeBytes = 0
        return first
      }).pipe(Effect.provide(service(disk, {}, faultyFiles(faults))), Effect.provide(layer))
      const full = `Warn Known addresses were not saved: ${PATH}.new cannot grow, the disk is full (ENOSPC): make room and go on.`
      // Twice by the clock, and once at the end.
      expect(lines).toEqual([full, full, full])
      expect(yield* Effect.provide(count, service(disk))).toBe(saved)
    })
  )

  it.effect("under another AS map is spread anew, and says what found no room", () =>
    Effect.gen(function* () {
      yield* atStart
      const disk = new MemoryDisk()
      const before = yield* Effect.provide(tell(0, 400), service(disk))
      const map = AsMap.load(new Uint8Array(3), portableSha256)
      if (Result.isFailure(map)) throw new Error(map.failure.what)
      const { lines, layer } = logged()
      const options = { groups: new NetGroups(map.success) }
      const left = yield* count.pipe(Effect.provide(service(disk, options)), Effect.provide(layer))
      expect(left).toBeLessThanOrEqual(64)
      expect(lines).toEqual([
        `Debug Knows ${left} addresses, of which 0 have answered before.`,
        `Info Forgot ${before - left} addresses, for which the AS map of now has no room.`
      ])
    })
  )

  it.effect("draws its key from the entropy of its runtime", () =>
    Effect.gen(function* () {
      yield* atStart
      const keys = yield* Effect.forEach([1, 1, 2], (seed) =>
        Effect.map(AddrManService, ({ addrman }) => addrman.snapshot().key).pipe(
          Effect.provide(service(new MemoryDisk())),
          Effect.provideService(Entropy, () => new Uint8Array(32).fill(seed))
        )
      )
      expect(keys[0]).toEqual(keys[1])
      expect(keys[0]).not.toEqual(keys[2])
    })
  )
})
