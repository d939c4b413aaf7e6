import { it } from "@effect/vitest"
import type { DialError } from "@satwire/transport"
import { MiB, type Observed, pattern } from "@satwire/transport/compliance"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Dns from "effect/net/Dns"
import * as NetAddress from "effect/net/NetAddress"
import * as Scope from "effect/Scope"
import { describe, expect } from "vitest"
import { bridged, closeOf, edges, node, opened, page, rawPage, statusOf, to } from "./BridgeUnderTest.ts"

const onEdges = Effect.provide(edges, { local: true })

describe("a bridge", () => {
  it.live("carries bytes both ways, ends one side when the other ends, and tells of it", () =>
    Effect.gen(function* () {
      const under = yield* bridged()
      const far = yield* node()
      const near = yield* page(under, far.endpoint)
      const end = yield* far.first
      const [there, back] = [pattern(3 * MiB, 1), pattern(2 * MiB, 2)]
      near.connection.write(there)
      end.connection.write(back)
      yield* under.signal.until(() => near.length === back.length)
      yield* far.signal.until(() => end.length === there.length)
      expect([near.received(back), end.received(there)]).toEqual([true, true])
      end.connection.end()
      yield* under.signal.until(() => near.closedBy() !== undefined)
      expect([near.closedBy(), end.closedBy()]).toEqual(["Ended", "Ended"])
      const { asker, summary } = yield* under.event("Carried")
      expect(asker).toEqual({ source: "127.0.0.1", origin: undefined, target: `127.0.0.1:${far.endpoint.port}` })
      expect(summary).toMatchObject({ toNodeBytes: there.length, toPageBytes: back.length })
      expect(summary.why).toBe("the node: The connection was closed.")
      yield* under.empty
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("tells each side how the other one went", () =>
    Effect.gen(function* () {
      const under = yield* bridged()
      const far = yield* node()
      // What is unread when one side is dropped decides whether the other sees a reset or an end.
      const dropped = /^(?:Reset|Ended)$/
      for (const [i, [go, ofPage, ofNode]] of (
        [
          [(near) => near.connection.end(), /^Ended$/, /^Ended$/],
          [(near) => near.connection.destroy(), /^Destroyed$/, dropped],
          [(_, end) => end.connection.destroy(), dropped, /^Destroyed$/]
        ] as ReadonlyArray<readonly [(near: Observed, end: Observed) => void, RegExp, RegExp]>
      ).entries()) {
        const near = yield* page(under, far.endpoint)
        yield* far.signal.until(() => far.accepted.length === i + 1)
        const end = far.accepted[i] as Observed
        go(near, end)
        yield* under.signal.until(() => near.closedBy() !== undefined)
        yield* far.signal.until(() => end.closedBy() !== undefined)
        expect(near.closedBy()).toMatch(ofPage)
        expect(end.closedBy()).toMatch(ofNode)
      }
      yield* under.empty
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("carries messages of one byte, and fragments", () =>
    Effect.gen(function* () {
      const under = yield* bridged()
      const far = yield* node()
      const near = yield* rawPage(under, to(far.endpoint))
      yield* opened(near)
      const sent = pattern(2000, 3)
      for (let at = 0; at < sent.length; at++) near.send(sent.subarray(at, at + 1), { fin: at % 3 === 2 })
      near.send(new Uint8Array(0), { fin: true })
      const end = yield* far.first
      yield* far.signal.until(() => end.length === sent.length)
      expect(end.received(sent)).toBe(true)
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("does not mix up two hundred pages", () =>
    Effect.gen(function* () {
      const under = yield* bridged()
      const far = yield* node((connection) => connection.write(new Uint8Array(1)))
      const pages = yield* Effect.forEach(Array.from({ length: 200 }), () => page(under, far.endpoint), {
        concurrency: 50
      })
      for (const [i, near] of pages.entries()) near.connection.write(pattern(1000 + i, i))
      yield* far.signal.until(() => far.accepted.every((end) => end.length >= 1000))
      yield* far.signal.until(() => new Set(far.accepted.map((end) => end.length)).size === 200)
      expect(far.accepted.every((end) => end.received(pattern(end.length, end.length - 1000)))).toBe(true)
      expect(under.bridge.guests()).toBe(200)
      for (const near of pages) near.connection.end()
      yield* under.empty
    }).pipe(onEdges, Effect.scoped)
  )
})

const failure = (effect: Effect.Effect<unknown, DialError, Scope.Scope>) => Effect.flip(effect)

describe("a bridge, as to where it leads,", () => {
  it.live("refuses what is not on the list, and the page's dial says so", () =>
    Effect.gen(function* () {
      const under = yield* bridged({ targets: ["127.0.0.1:1"] })
      const far = yield* node()
      const error = yield* failure(page(under, far.endpoint))
      expect(error).toMatchObject({ reason: "NotAllowed", code: "4403" })
      expect(error.message).toContain("it is special (loopback) and not on the list itself")
      const { asker, why } = yield* under.event("Refused")
      expect([asker.target, why]).toEqual([`127.0.0.1:${far.endpoint.port}`, expect.stringContaining("special")])
      expect(far.accepted).toEqual([])
      yield* under.empty
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("tells a page why a node on the list is not to be reached", () =>
    Effect.gen(function* () {
      const under = yield* bridged()
      const gone = yield* Effect.scoped(node())
      const error = yield* failure(page(under, gone.endpoint))
      expect(error).toMatchObject({ reason: "Refused", code: "4502", endpoint: gone.endpoint })
      yield* under.empty
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("refuses a request that names no target, or one that cannot be understood", () =>
    Effect.gen(function* () {
      const under = yield* bridged()
      const paths = ["/", "/?to=", "/?to=node.example", "/?to=1.2.3.4:99999", "/?to=%00:1", "/?to=%ff%fe", "//["]
      for (const path of [...paths, `/?to=${"a".repeat(5000)}:1`]) {
        const near = yield* rawPage(under, path)
        expect([path.slice(0, 30), (yield* closeOf(near)).code]).toEqual([path.slice(0, 30), 4400])
      }
      expect(under.events.every((event) => event._tag !== "Refused" || event.asker.target.length <= 100)).toBe(true)
      yield* under.empty
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("resolves a name once, dials the address that it judged, and refuses it when it has become another", () =>
    Effect.gen(function* () {
      const far = yield* node()
      const answers = ["127.0.0.1", "10.0.0.1", "169.254.169.254"]
      let lookups = 0
      const dns = Dns.make({
        lookup: () => Effect.sync(() => [NetAddress.ipFromStringUnsafe(answers[lookups++] ?? "0.0.0.0")])
      })
      const { port } = far.endpoint
      const under = yield* bridged({ targets: [`rebound.example:${port}`, `127.0.0.1:${port}`] }).pipe(
        Effect.provideService(Dns.Dns, dns)
      )
      const name = { host: "rebound.example", port }
      const near = yield* page(under, name)
      expect([near.connection.remote, lookups]).toEqual([name, 1])
      expect((yield* under.event("Carrying")).address).toEqual(far.endpoint)
      for (const what of ["private", "link-local"]) {
        const error = yield* failure(page(under, name))
        expect(error).toMatchObject({ reason: "NotAllowed", message: expect.stringContaining(`special (${what})`) })
      }
      expect([lookups, far.accepted.length]).toEqual([3, 1])
      expect(yield* failure(page(under, { host: "other.example", port }))).toMatchObject({ reason: "NotAllowed" })
      expect(lookups).toBe(3)
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("dials the addresses of a name that it may, one after another", () =>
    Effect.gen(function* () {
      const far = yield* node()
      const { port } = far.endpoint
      const zone = Dns.layerStatic({ hosts: { "two.example": ["10.0.0.1", "127.0.0.2", "127.0.0.1"] } })
      const under = yield* bridged({ targets: [`two.example:${port}`, "127.0.0.0/8:*"] }).pipe(
        Effect.provide(zone, { local: true })
      )
      yield* page(under, { host: "two.example", port })
      expect((yield* under.event("Carrying")).address).toEqual(far.endpoint)
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("says that a name does not resolve", () =>
    Effect.gen(function* () {
      const under = yield* bridged({ targets: ["gone.example"] })
      const error = yield* failure(page(under, { host: "gone.example", port: 8333 }))
      expect(error).toMatchObject({ reason: "NameNotFound", code: "4404" })
    }).pipe(onEdges, Effect.scoped)
  )
})

describe("a bridge, as to whom it serves,", () => {
  it.live("serves pages of the origins that are listed, and answers others with 403", () =>
    Effect.gen(function* () {
      const under = yield* bridged({ origins: ["https://wallet.example"] })
      const far = yield* node()
      const asking = (origin: string | undefined) =>
        Effect.flatMap(
          rawPage(under, to(far.endpoint), { headers: origin === undefined ? {} : { Origin: origin } }),
          statusOf
        )
      expect(yield* asking("https://wallet.example")).toBe(101)
      expect(yield* asking("https://wallet.example.evil.example")).toBe(403)
      expect(yield* asking("null")).toBe(403)
      expect(yield* asking(undefined)).toBe(403)
      expect(far.accepted.length).toBe(1)
      const rejected = under.events.flatMap((event) => (event._tag === "Rejected" ? [event.asker.origin] : []))
      expect(rejected).toEqual(["https://wallet.example.evil.example", "null", undefined])
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("takes so many connections of a source, at once and a minute, and harms no other source by it", () =>
    Effect.gen(function* () {
      const under = yield* bridged({
        limits: { maxConnections: 100, maxPerSource: 3, perMinute: 10 },
        isProxy: () => true
      })
      const far = yield* node()
      const from = (source: string) =>
        Effect.flatMap(rawPage(under, to(far.endpoint), { headers: { "X-Forwarded-For": source } }), statusOf)
      const flood = yield* Effect.forEach(Array.from({ length: 50 }), () => from("8.8.8.8"), { concurrency: 10 })
      expect(flood.filter((status) => status === 101).length).toBe(3)
      expect(flood.filter((status) => status === 429).length).toBe(47)
      expect(yield* from("9.9.9.9")).toBe(101)
      const whys = new Set(under.events.flatMap((event) => (event._tag === "Rejected" ? [event.why] : [])))
      expect(whys).toEqual(new Set(["too many connections of this source", "too many new connections of this source"]))
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("takes so many connections in all, and more when some are gone", () =>
    Effect.gen(function* () {
      const under = yield* bridged({ limits: { maxConnections: 2, maxPerSource: 100, perMinute: 100 } })
      const far = yield* node()
      const first = yield* page(under, far.endpoint)
      yield* page(under, far.endpoint)
      expect(yield* Effect.flatMap(rawPage(under, to(far.endpoint)), statusOf)).toBe(503)
      const error = yield* failure(page(under, far.endpoint))
      expect(error).toMatchObject({ reason: "ProxyFailed", message: expect.stringContaining("503") })
      first.connection.end()
      yield* under.event("Carried")
      yield* page(under, far.endpoint)
    }).pipe(onEdges, Effect.scoped)
  )
})

describe("a bridge whose name service breaks", () => {
  it.live("answers with 500, logs it as the bug that it is, and keeps no place for it", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const keep = Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))])
      const broken = Layer.succeed(Dns.Dns, Dns.make({ lookup: () => Effect.die(new Error("out of order")) }))
      const under = yield* bridged({ targets: ["name.example"] }).pipe(
        Effect.provide(Layer.merge(broken, keep), { local: true })
      )
      const near = yield* rawPage(under, to({ host: "name.example", port: 8333 }))
      expect(yield* statusOf(near)).toBe(500)
      expect(under.bridge.guests()).toBe(0)
      expect(lines.join("\n")).toMatch(/level=ERROR .*out of order/)
    }).pipe(onEdges, Effect.scoped)
  )
})

describe("a bridge that stops", () => {
  it.live("tells pages, ends what it carries, refuses who comes, and leaves nothing, also of who does not close", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const under = yield* Scope.provide(bridged(), scope)
      const far = yield* node()
      const [near, stubborn] = [yield* page(under, far.endpoint), yield* page(under, far.endpoint)]
      yield* far.signal.until(() => far.accepted.length === 2)
      // It takes nothing any more, so it does not learn of the end either.
      stubborn.connection.pause()
      far.accepted[1]?.connection.write(new Uint8Array(32 * MiB))
      yield* Scope.close(scope, Exit.void)
      yield* under.signal.until(() => near.closedBy() !== undefined)
      expect(near.closedBy()).toBe("Ended")
      expect([under.bridge.guests(), under.bridge.connections()]).toEqual([0, 0])
      stubborn.connection.resume()
      yield* under.signal.until(() => stubborn.closedBy() !== undefined)
      yield* far.signal.until(() => far.accepted.every((end) => end.closedBy() !== undefined))
      expect(yield* failure(page(under, far.endpoint))).toMatchObject({ reason: "ProxyUnreachable" })
    }).pipe(onEdges, Effect.scoped)
  )

  it.live("gives up the search for a target", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const never = Layer.succeed(Dns.Dns, Dns.make({ lookup: () => Effect.never }))
      const under = yield* bridged({ targets: ["slow.example"] }).pipe(
        Scope.provide(scope),
        Effect.provide(never, { local: true })
      )
      const near = yield* rawPage(under, to({ host: "slow.example", port: 8333 }))
      const status = yield* Effect.forkChild(statusOf(near), { startImmediately: true })
      while (under.bridge.guests() === 0) yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      yield* Scope.close(scope, Exit.void)
      expect(yield* Fiber.join(status)).toBe(503)
      expect(under.bridge.guests()).toBe(0)
    }).pipe(onEdges, Effect.scoped)
  )
})
