/** A crawl in this process: where it begins, and where it does not go. */
import { type PeerSession, listen } from "@satwire/client"
import { SeedResolver } from "@satwire/discovery/effect"
import { UnixSeconds } from "@satwire/machine"
import { type ChainParams, regtest } from "@satwire/primitives"
import { nowReader } from "@satwire/runtime"
import { type DnsReply, dnsServer } from "@satwire/testkit"
import type { Dialer, Endpoint, Listener } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { describe, expect, it } from "vitest"
import type { CrawlLine } from "../src/crawl/CrawlLine.ts"
import { type CrawlSettings, Crawler } from "../src/crawl/Crawler.ts"

const LOOPBACK = Uint8Array.of(127, 0, 0, 1)
const SETTINGS: CrawlSettings = { connections: 4, timeout: 500, proxy: undefined, onion: undefined, i2psam: undefined }

/** A node that tells of one other. */
const peer = (params: ChainParams, others: ReadonlyArray<Endpoint> = []) => {
  const address = ({ port }: Endpoint) => ({
    network: "ipv4" as const,
    address: LOOPBACK,
    port,
    services: 1n,
    time: UnixSeconds(1_767_225_600)
  })
  const answer = (session: PeerSession) =>
    Stream.runForEach(session.messages, (message) =>
      message._tag === "getaddr" ? session.send({ _tag: "addrv2", addresses: others.map(address) }) : Effect.void
    )
  return Effect.orDie(listen({ host: "127.0.0.1", port: 0 }, { params }, answer))
}

interface Crawled {
  readonly ports: ReadonlyArray<number>
  readonly transports: ReadonlyArray<string>
  readonly summary: string
}

/** Crawls from these; where there are none, from DNS seeds that are resolved so. */
const crawled = (
  params: ChainParams,
  starts: ReadonlyArray<Endpoint>,
  a: DnsReply = { _tag: "Addresses", addresses: [] }
): Effect.Effect<Crawled, unknown, Dialer | Scope.Scope> =>
  Effect.gen(function* () {
    const none: DnsReply = { _tag: "Code", code: 3 }
    const server = yield* dnsServer(({ kind, name }) =>
      kind === "A" && name.toLowerCase() === "x9.seed.example" ? a : none
    )
    const lines: Array<CrawlLine> = []
    const write = (line: CrawlLine) => Effect.sync(() => void lines.push(line))
    const crawler = new Crawler({ params, userAgent: "/test/" }, SETTINGS, yield* nowReader, write)
    yield* Effect.provide(crawler.follow(starts), SeedResolver.layer({ servers: [server.address], timeoutMs: 1000 }))
    return {
      ports: lines.map(({ port }) => port),
      transports: lines.map(({ transport }) => transport),
      summary: crawler.summary()
    }
  })

const live = <A>(program: Effect.Effect<A, unknown, Dialer | Listener | Scope.Scope>): Promise<A> =>
  program.pipe(Effect.scoped, Effect.provide(layerTcp), Effect.runPromise)

describe("a crawl", () => {
  it("begins at the addresses behind the names of DNS seeds, on the network's port", () =>
    live(
      Effect.gen(function* () {
        const { endpoint } = yield* peer(regtest)
        const params = { ...regtest, dnsSeeds: ["seed.example", "gone.example"], defaultPort: endpoint.port }
        const { ports } = yield* crawled(params, [], { _tag: "Addresses", addresses: [LOOPBACK] })
        expect(ports).toEqual([endpoint.port])
      })
    ))

  it("ends where the seeds answer nothing, garbage, or not at all", () =>
    live(
      Effect.gen(function* () {
        const params = { ...regtest, dnsSeeds: ["seed.example"] }
        for (const reply of [
          { _tag: "Code", code: 2 },
          { _tag: "Bytes", bytes: new Uint8Array(50).fill(0xc0) },
          { _tag: "Silence" }
        ] as const) {
          const { ports, summary } = yield* crawled(params, [], reply)
          expect([ports, summary]).toEqual([[], expect.stringMatching(/^0 of 0 visited nodes answered/)])
        }
      })
    ))

  it("of a public network goes to private addresses only where our user or somebody private sends it", () =>
    live(
      Effect.gen(function* () {
        const params = { ...regtest, name: "testnet4", dnsSeeds: ["seed.example"] }
        const other = yield* peer(params)
        const first = yield* peer(params, [other.endpoint])
        const bySeed = { ...params, defaultPort: first.endpoint.port }
        expect((yield* crawled(bySeed, [], { _tag: "Addresses", addresses: [LOOPBACK] })).ports).toEqual([])
        expect((yield* crawled(params, [first.endpoint])).ports).toEqual([first.endpoint.port, other.endpoint.port])
      })
    ))

  it("speaks the encrypted transport with those of whom nothing else is known", () =>
    live(
      Effect.gen(function* () {
        const other = yield* peer(regtest)
        const first = yield* peer(regtest, [other.endpoint])
        // The first tells of the other as one that does not know it.
        const { ports, transports } = yield* crawled(regtest, [first.endpoint])
        expect([ports, transports]).toEqual([
          [first.endpoint.port, other.endpoint.port],
          ["v2", "v1"]
        ])
      })
    ))

  it("visits a name, and does not visit again where it led to", () =>
    live(
      Effect.gen(function* () {
        const first = yield* peer(regtest)
        const named = { host: "localhost", port: first.endpoint.port }
        const second = yield* peer(regtest, [first.endpoint])
        const { ports } = yield* crawled(regtest, [named, second.endpoint])
        expect(ports.toSorted((a, b) => a - b)).toEqual(
          [first.endpoint.port, second.endpoint.port].toSorted((a, b) => a - b)
        )
      })
    ))
})
