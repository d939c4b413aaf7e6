import { it } from "@effect/vitest"
import { formatHost } from "@satwire/netaddress"
import { type DnsReply, type DnsServer, dnsServer } from "@satwire/testkit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { describe, expect } from "vitest"
import { MAX_RESOLVED_ADDRESSES, type ResolveError, SeedResolver } from "../src/effect.ts"

const ipv4 = (n: number): Uint8Array => Uint8Array.of(21, 0, n >> 8, n & 255)
const ipv6 = (n: number): Uint8Array => Uint8Array.of(0x2a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, n >> 8, n & 255)
const addresses = (...list: ReadonlyArray<Uint8Array>): DnsReply => ({ _tag: "Addresses", addresses: list })
const NOTHING = addresses()
const SILENCE: DnsReply = { _tag: "Silence" }
const HOST = "x9.seed.example"

const resolveAt = (
  server: DnsServer,
  host = HOST,
  timeoutMs?: number
): Effect.Effect<ReadonlyArray<string>, ResolveError> =>
  SeedResolver.use(({ resolve }) => resolve(host)).pipe(
    Effect.map((found) => found.map(formatHost)),
    Effect.provide(SeedResolver.layer({ servers: [server.address], timeoutMs }))
  )

/** What a server that replies so makes of the name. */
const resolved = (
  a: DnsReply,
  aaaa: DnsReply,
  timeoutMs?: number
): Effect.Effect<ReadonlyArray<string>, ResolveError, Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* dnsServer(({ kind }) => (kind === "A" ? a : aaaa))
    return yield* resolveAt(server, HOST, timeoutMs)
  })

describe("the name of a seed", () => {
  it.live("is resolved to the addresses of both kinds, in turn", () =>
    Effect.gen(function* () {
      const server = yield* dnsServer(({ kind }) =>
        kind === "A" ? addresses(ipv4(1), ipv4(2), ipv4(3)) : addresses(ipv6(1))
      )
      expect(yield* resolveAt(server)).toEqual(["21.0.0.1", "2a00::1", "21.0.0.2", "21.0.0.3"])
      expect(
        server.questions
          .map(({ kind, name }) => `${kind} ${name.toLowerCase()}`)
          .toSorted((x, y) => x.length - y.length)
      ).toEqual([`A ${HOST}`, `AAAA ${HOST}`])
    }).pipe(Effect.scoped)
  )

  it.live("is resolved where one kind is missing or fails", () =>
    Effect.gen(function* () {
      expect(yield* resolved(addresses(ipv4(1)), NOTHING)).toEqual(["21.0.0.1"])
      expect(yield* resolved({ _tag: "Code", code: 2 }, addresses(ipv6(1)))).toEqual(["2a00::1"])
    }).pipe(Effect.scoped)
  )

  it.live("has 64 addresses at most, of both kinds, however many thousands come over TCP (ATTACKS 13)", () =>
    Effect.gen(function* () {
      const many = (of: (n: number) => Uint8Array): DnsReply =>
        addresses(...Array.from({ length: 2000 }, (_, n) => of(n)))
      const found = yield* resolved(many(ipv4), many(ipv6))
      expect(found).toHaveLength(MAX_RESOLVED_ADDRESSES)
      expect(found.filter((text) => text.includes(":"))).toHaveLength(MAX_RESOLVED_ADDRESSES / 2)
    }).pipe(Effect.scoped)
  )

  it.live("has no address where there is none: an error that says so", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(resolved(NOTHING, NOTHING))
      expect(error).toMatchObject({ _tag: "ResolveError", host: HOST, why: "it has none" })
      expect(error.message).toBe(`the name ${HOST} has no address: it has none`)
      expect((yield* Effect.flip(resolved({ _tag: "Code", code: 3 }, { _tag: "Code", code: 3 }))).why).toBe(
        "it has none"
      )
    }).pipe(Effect.scoped)
  )

  it.live("has no address where a server answers garbage or fails: an error, and no more", () =>
    Effect.gen(function* () {
      const garbage: ReadonlyArray<DnsReply> = [
        { _tag: "Code", code: 2 },
        { _tag: "Code", code: 5 },
        { _tag: "Bytes", bytes: new Uint8Array(0) },
        { _tag: "Bytes", bytes: new Uint8Array(100).fill(0xff) },
        addresses(Uint8Array.of(1, 2, 3)),
        addresses(new Uint8Array(40))
      ]
      for (const reply of garbage) {
        const error = yield* Effect.flip(resolved(reply, reply, 700))
        expect([error._tag, error.why.length > 0]).toEqual(["ResolveError", true])
      }
    }).pipe(Effect.scoped)
  )

  it.live("has no address where no server answers in time", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(resolved(SILENCE, SILENCE, 300))
      expect(error.why).toBe("no server answered within 0.3 s")
    }).pipe(Effect.scoped)
  )

  it.live("has no address where it is no name, or the server is no address", () =>
    Effect.gen(function* () {
      const server = yield* dnsServer(() => addresses(ipv4(1)))
      const long = `${"a".repeat(64)}.example`
      expect((yield* Effect.flip(resolveAt(server, long, 2000)))._tag).toBe("ResolveError")
      const nowhere = { address: "no address", questions: [] }
      expect((yield* Effect.flip(resolveAt(nowhere)))._tag).toBe("ResolveError")
    }).pipe(Effect.scoped)
  )

  it.live("is let go at once by who interrupts", () =>
    Effect.gen(function* () {
      const server = yield* dnsServer(() => SILENCE)
      const fiber = yield* Effect.forkChild(resolveAt(server))
      while (server.questions.length < 2) yield* Effect.sleep("1 millis")
      yield* Fiber.interrupt(fiber)
      expect(fiber.pollUnsafe()?._tag).toBe("Failure")
    }).pipe(Effect.scoped)
  )
})
