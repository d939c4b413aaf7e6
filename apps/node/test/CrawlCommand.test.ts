import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type PeerSession, listen } from "@satwire/client"
import { parseSeedsFile } from "@satwire/discovery"
import { UnixSeconds } from "@satwire/machine"
import { formatNode, parseNode } from "@satwire/netaddress"
import { regtest } from "@satwire/primitives"
import { socksServer } from "@satwire/testkit"
import { type Endpoint, type Listener, formatEndpoint } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import type { AddrV2Entry } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { describe, expect, it } from "vitest"
import { type Ended, type Running, freshHome, listening, run, start } from "./Program.ts"

/** A node of the test's own: what it was asked, and whom it tells of. */
interface Peer {
  readonly endpoint: Endpoint
  sessions: number
  getaddrs: number
  tells: ReadonlyArray<string>
}

const entry = (where: string): AddrV2Entry => {
  const node = parseNode(where)
  if (node === undefined) throw new Error(`no node: ${where}`)
  return { ...node, services: 0x0801n, time: UnixSeconds(1_767_225_600) }
}

const peer = (name: string, answers = true): Effect.Effect<Peer, never, Listener | Scope.Scope> =>
  Effect.gen(function* () {
    const options = { params: regtest, userAgent: `/${name}:1.0/`, services: 0x0801n, startHeight: 7 }
    const heard = (session: PeerSession) =>
      Stream.runForEach(session.messages, (message) => {
        if (message._tag !== "getaddr") return Effect.void
        self.getaddrs++
        return answers ? session.send({ _tag: "addrv2", addresses: self.tells.map(entry) }) : Effect.void
      })
    const { endpoint } = yield* Effect.orDie(
      listen({ host: "127.0.0.1", port: 0 }, options, (session) => {
        self.sessions++
        return heard(session)
      })
    )
    const self: Peer = { endpoint, sessions: 0, getaddrs: 0, tells: [] }
    return self
  })

const live = <A, E>(program: Effect.Effect<A, E, Listener | Scope.Scope>): Promise<A> =>
  program.pipe(Effect.scoped, Effect.provide(layerTcp), Effect.runPromise)

const ended = (running: Running | Promise<Ended>): Effect.Effect<Ended> =>
  Effect.promise(() => (running instanceof Promise ? running : running.ended))

const linesOf = (text: string): ReadonlyArray<Record<string, unknown>> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** Where the lines' nodes are. */
const placesOf = (text: string): ReadonlyArray<string> =>
  linesOf(text)
    .map((line) => `${String(line["address"])}:${String(line["port"])}`)
    .toSorted()

describe("satwire crawl", () => {
  it("visits whomever a node tells of, each once and with one getaddr, into a seeds file", () =>
    live(
      Effect.gen(function* () {
        const node = start(["-regtest", "-noconnect", "-bind=127.0.0.1:0"])
        const ours = yield* Effect.promise(() => listening(node))
        const peers = [yield* peer("a"), yield* peer("b"), yield* peer("c"), yield* peer("d")] as const
        const places = peers.map(({ endpoint }) => formatEndpoint(endpoint))
        const [a, b, c] = peers
        // In a circle, with addresses of nobody, and none that could not be dialled.
        a.tells = [places[1] ?? "", places[0] ?? "", "127.0.0.1:1"]
        b.tells = [places[2] ?? "", places[0] ?? "", `${"a".repeat(55)}d.onion:8333`].slice(0, 2)
        c.tells = [places[3] ?? "", ours]
        const home = freshHome()
        const { code, stderr, stdout } = yield* ended(
          run(["crawl", "-regtest", places[0] ?? "", "-out=seeds.jsonl", "-timeout=800"], { home })
        )
        expect([code, stdout]).toEqual([0, ""])
        expect(stderr).toMatch(/^5 of 6 visited nodes answered in \d+ seconds?, with 6 nodes known\n$/)
        const text = readFileSync(join(home, "seeds.jsonl"), "utf8")
        expect(placesOf(text)).toEqual([...places, ours].toSorted())
        expect(peers.map(({ getaddrs, sessions }) => [sessions, getaddrs])).toEqual([
          [1, 1],
          [1, 1],
          [1, 1],
          [1, 1]
        ])
        const first = linesOf(text).find((line) => line["userAgent"] === "/a:1.0/")
        expect(first).toEqual({
          chain: "regtest",
          network: "ipv4",
          address: "127.0.0.1",
          port: a.endpoint.port,
          services: "0000000000000801",
          seen: expect.any(Number),
          version: 70_017,
          userAgent: "/a:1.0/",
          height: 7,
          transport: "v2",
          roundTripMs: expect.any(Number),
          told: 3
        })
        const seeds = Result.getOrThrow(parseSeedsFile(text, "regtest"))
        expect(seeds.map((seed) => formatNode(seed)).toSorted()).toEqual(placesOf(text))
      })
    ))

  it("prints the nodes where no file is given, and has one that tells of nobody", () =>
    live(
      Effect.gen(function* () {
        const silent = yield* peer("silent", false)
        const lonely = yield* peer("lonely")
        lonely.tells = [formatEndpoint(silent.endpoint)]
        const crawling = start(["crawl", "-regtest", formatEndpoint(lonely.endpoint), "-timeout=800"])
        yield* Effect.promise(() => crawling.printed(/"userAgent":"\/lonely:1.0\/"/))
        yield* Effect.promise(() => crawling.printed(/"userAgent":"\/silent:1.0\/"/))
        const { code, stdout } = yield* ended(crawling)
        expect(code).toBe(0)
        expect(linesOf(stdout).map((line) => [line["userAgent"], line["told"]])).toEqual([
          ["/lonely:1.0/", 1],
          ["/silent:1.0/", 0]
        ])
      })
    ))

  it("ends when its time is over, and keeps what it has found, and whom it still waited for", () =>
    live(
      Effect.gen(function* () {
        const [first, slow] = [yield* peer("first"), yield* peer("slow", false)]
        first.tells = [formatEndpoint(slow.endpoint), "127.0.0.1:1"]
        const { code, stdout } = yield* ended(
          run(["crawl", "-regtest", formatEndpoint(first.endpoint), "-seconds=5", "-connections=1"])
        )
        expect(code).toBe(0)
        expect(linesOf(stdout).map((line) => [line["userAgent"], line["told"]])).toEqual([
          ["/first:1.0/", 2],
          ["/slow:1.0/", 0]
        ])
      })
    ))

  it("is stopped by Ctrl-C, and ends well with what it has found", () =>
    live(
      Effect.gen(function* () {
        const [first, slow] = [yield* peer("first"), yield* peer("slow", false)]
        first.tells = [formatEndpoint(slow.endpoint), "127.0.0.1:1"]
        const crawling = start(["crawl", "-regtest", formatEndpoint(first.endpoint)])
        yield* Effect.promise(() => crawling.printed(/\n/))
        crawling.signal("SIGINT")
        const { code, stderr, stdout } = yield* ended(crawling)
        expect([code, linesOf(stdout).length]).toEqual([0, 1])
        expect(stderr).toContain("answered in")
      })
    ))

  it("survives a node that tells of a thousand addresses in every message", () =>
    live(
      Effect.gen(function* () {
        const liar = yield* peer("liar")
        liar.tells = Array.from({ length: 1000 }, (_, i) => `127.${1 + (i >> 8)}.${i & 255}.1:1`)
        const { code, stderr, stdout } = yield* ended(
          run(["crawl", "-regtest", formatEndpoint(liar.endpoint), "-connections=64"])
        )
        expect([code, linesOf(stdout).length]).toEqual([0, 1])
        expect(stderr).toMatch(/1 of 1,001 visited nodes answered/)
      })
    ))

  it("dials names through the proxy, and asks no other resolver", () =>
    live(
      Effect.gen(function* () {
        const hidden = yield* peer("hidden")
        const server = yield* socksServer({ names: { "seed.invalid": hidden.endpoint } })
        const proxy = formatEndpoint(server.proxy)
        const { code, stderr } = yield* ended(
          run(["crawl", "-regtest", `-proxy=${proxy}`, "seed.invalid:1", "-timeout=800"])
        )
        expect([code, server.asked.map(({ host }) => host), hidden.sessions]).toEqual([0, ["seed.invalid"], 1])
        expect(stderr).toContain("1 of 1 visited node answered")
      })
    ))

  it.each([
    ["nobody answers", ["127.0.0.1:1"], 1, "satwire: nobody answered\n"],
    [
      "there is no way to where it begins",
      [`${"a".repeat(52)}.b32.i2p`],
      1,
      `satwire: ${"a".repeat(52)}.b32.i2p:0 is on i2p, to which no way is set\n`
    ],
    ["there is nobody to begin with", [], 2, "satwire: regtest has no DNS seeds: name a node to begin with\n"],
    ["a start is none", ["a b"], 2, "satwire: "],
    ["the file cannot be written", ["127.0.0.1:1", "-out=/no/such/place"], 1, "satwire: cannot write /no/such/place: "]
  ])("says in one sentence that %s", async (_, args, code, sentence) => {
    const result = await run(["crawl", "-regtest", ...args])
    expect([result.code, result.stdout]).toEqual([code, ""])
    expect(result.stderr.slice(result.stderr.indexOf("satwire: "))).toContain(sentence)
  })
})
