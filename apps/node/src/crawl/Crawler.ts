/** A crawl from its first nodes to everybody of whom they tell, with what it has found so far. */
import { platformAead, platformSha256 } from "@satwire/crypto/node"
import { CrawlFrontier, type CrawlTarget, SEED_SERVICES } from "@satwire/discovery"
import { SeedResolver } from "@satwire/discovery/effect"
import type { Now } from "@satwire/machine"
import { NetGroups, type Network, type NodeAddress, formatHost, isRoutable, parseHost } from "@satwire/netaddress"
import { type Dialer, type Endpoint, formatEndpoint } from "@satwire/transport"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { complaint } from "../cli/Presenter.ts"
import { type Identity, isPublic } from "../config/Identity.ts"
import type { Settings } from "../config/Options.ts"
import { counted } from "../Numbers.ts"
import { crawl } from "./Crawl.ts"
import { crawlLine } from "./CrawlLine.ts"
import type { CrawlFailed, Write } from "./LineWriter.ts"
import { type Visited, visit } from "./Visit.ts"

export type CrawlSettings = Pick<Settings, "connections" | "timeout" | "proxy" | "onion" | "i2psam">

export class Crawler {
  answered = 0
  readonly #identity: Identity
  readonly #settings: CrawlSettings
  readonly #now: () => Now
  readonly #write: Write
  readonly #over: Effect.Effect<void>
  readonly #reachable: ReadonlySet<Network>
  readonly #frontier: CrawlFrontier
  #visited = 0

  /** @param over ends when its time is over */
  constructor(
    identity: Identity,
    settings: CrawlSettings,
    now: () => Now,
    write: Write,
    over: Effect.Effect<void> = Effect.never
  ) {
    this.#over = over
    this.#identity = identity
    this.#settings = settings
    this.#now = now
    this.#write = write
    this.#reachable = reachableBy(settings)
    this.#frontier = new CrawlFrontier({ groups: new NetGroups(), reachable: this.#reachable })
  }

  summary(): string {
    const { size } = this.#frontier
    const seconds = Math.round(this.#now().instant / 1000)
    return `${counted(this.answered)} of ${counted(this.#visited, "visited node")} answered in ${counted(seconds, "second")}, with ${counted(size, "node")} known`
  }

  /** From these, or from the network's DNS seeds, to everybody, until the time is over. */
  follow(starts: ReadonlyArray<Endpoint>): Effect.Effect<void, CrawlFailed, Dialer | SeedResolver> {
    const { connections } = this.#settings
    return (starts.length === 0 ? Effect.raceFirst(this.#fromSeeds(), this.#over) : this.#fromAll(starts)).pipe(
      Effect.andThen(crawl(this.#frontier, connections, (target) => this.#visitTarget(target), this.#over))
    )
  }

  /** Names that a proxy resolves are dialled, and no other resolver hears of them. */
  #fromSeeds(): Effect.Effect<void, CrawlFailed, Dialer | SeedResolver> {
    const { defaultPort, dnsSeeds } = this.#identity.params
    const isProxied = this.#settings.proxy !== undefined && this.#settings.proxy !== "none"
    if (isProxied) return this.#fromAll(dnsSeeds.map((host) => ({ host, port: defaultPort })))
    return Effect.forEach(dnsSeeds, (seed) => this.#fromSeed(seed, defaultPort), { concurrency: 3, discard: true })
  }

  #fromSeed(seed: string, port: number): Effect.Effect<void, never, SeedResolver> {
    return SeedResolver.use(({ resolve }) => resolve(`x${SEED_SERVICES.toString(16)}.${seed}`)).pipe(
      Effect.map((hosts) => {
        for (const { address, network } of hosts) {
          if (network !== "internal") this.#take({ network, address, port, services: 0n }, false)
        }
      }),
      Effect.catch(({ message }) => Console.error(complaint(message)))
    )
  }

  /** Addresses are put into the frontier, and names visited at once. */
  #fromAll(starts: ReadonlyArray<Endpoint>): Effect.Effect<void, CrawlFailed, Dialer> {
    const concurrency = this.#settings.connections
    return Effect.forEach(starts, (endpoint) => this.#fromOne(endpoint), { concurrency, discard: true })
  }

  #fromOne(endpoint: Endpoint): Effect.Effect<void, CrawlFailed, Dialer> {
    const host = parseHost(endpoint.host)
    if (host === undefined) return this.#visitName(endpoint)
    if (!this.#reachable.has(host.network)) {
      return Console.error(complaint(`${formatEndpoint(endpoint)} is on ${host.network}, to which no way is set`))
    }
    return Effect.sync(() => this.#take({ ...host, port: endpoint.port, services: 0n }, true))
  }

  #take(target: CrawlTarget, mayBePrivate: boolean): void {
    const isAllowed = mayBePrivate || !isPublic(this.#identity.params)
    this.#frontier.add(target, isAllowed, this.#now().instant)
  }

  #visitTarget(target: CrawlTarget): Effect.Effect<void, CrawlFailed, Dialer> {
    const endpoint = { host: formatHost(target), port: target.port }
    return Effect.flatMap(this.#visit(endpoint, target.services), (found) =>
      found === undefined ? Effect.void : this.#report(target, found)
    )
  }

  /** Where a name led to is known afterwards, unless a proxy knows it alone. */
  #visitName(name: Endpoint): Effect.Effect<void, CrawlFailed, Dialer> {
    return Effect.flatMap(this.#visit(name, 0n), (found) => {
      if (found === undefined) return Effect.void
      const host = parseHost(found.remote.host)
      const node = host === undefined ? undefined : { ...host, port: found.remote.port }
      if (node !== undefined) return this.#frontier.know(node) ? this.#report(node, found) : Effect.void
      return Effect.sync(() => this.#hear(found, false))
    })
  }

  #visit(endpoint: Endpoint, services: bigint): Effect.Effect<Visited | undefined, never, Dialer> {
    const { params, userAgent } = this.#identity
    const dialTimeoutMs = this.#settings.timeout
    const options = { params, userAgent, sha256: platformSha256, aead: platformAead, dialTimeoutMs, over: this.#over }
    return Effect.tap(visit(endpoint, services, options), (found) =>
      Effect.sync(() => {
        this.#visited++
        if (found !== undefined) this.answered++
      })
    )
  }

  #report(node: NodeAddress, found: Visited): Effect.Effect<void, CrawlFailed> {
    const told = found.told.length
    this.#hear(found, !isRoutable(node))
    return this.#write(crawlLine(this.#identity.params.name, { ...found, node, told }, this.#now().unix))
  }

  #hear({ told }: Visited, mayBePrivate: boolean): void {
    for (const target of told) this.#take(target, mayBePrivate)
  }
}

/** Where the ways that are set lead. */
const reachableBy = ({ i2psam, onion, proxy }: CrawlSettings): ReadonlySet<Network> => {
  const isThere = (through: Settings["proxy"]): boolean => through !== undefined && through !== "none"
  const toOnions = onion === undefined ? isThere(proxy) : isThere(onion)
  return new Set<Network>([
    "ipv4",
    "ipv6",
    ...(toOnions ? (["torv3"] as const) : []),
    ...(isThere(i2psam) ? (["i2p"] as const) : [])
  ])
}
