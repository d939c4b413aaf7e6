/**
 * Where a node that knows too few others learns of them: seed nodes, DNS seeds, a list of nodes that it brings along. It asks as late and as
 * little as it can, for who is asked learns that we are here, and what he answers is what we know.
 *
 * ```
 *   Started ──▶ seed nodes, 30 s ──▶ DNS seeds, three at a time ──▶ all asked ──▶ still too few: from the beginning, later each time
 *                                       │ 11 s or 5 min between,
 *                                       ▼ where others are known
 *                                    two outbound peers: done, until they are lost
 *   60 s ──▶ fixed seeds, for networks of which nothing is known
 * ```
 *
 * It resolves nothing and dials nobody: `QuerySeed` and `FetchAddresses` are the edge's.
 *
 * Source: Bitcoin Core 31.99 `net.cpp` (`ThreadDNSAddressSeed`, `ThreadOpenConnections`). Core asks once; going round again is ours.
 */
import type { Sha256 } from "@satwire/crypto"
import {
  type Instant,
  type Machine,
  type Now,
  type Outbox,
  type Random,
  Timers,
  UnixSeconds,
  after,
  shuffle
} from "@satwire/machine"
import { type NetAddr, type Network, hasRightLength, internalAddr, isRoutable } from "@satwire/netaddress"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import type { AddressCount, KnownAddress } from "./AddressBook.ts"
import type { FetchReason, FixedSeed, SeedEndpoint, SeedingInput, SeedingOutput } from "./SeedingEvents.ts"

/**
 * Core's `DNSSEEDS_TO_QUERY_AT_ONCE`.
 *
 * @limit DNS seeds that are asked at a time
 */
export const DNSSEEDS_TO_QUERY_AT_ONCE = 3
/** Core's `SEED_OUTBOUND_CONNECTION_THRESHOLD`: with so many full outbound peers no seed is needed. */
export const SEED_OUTBOUND_CONNECTION_THRESHOLD = 2
/** Core's `DNSSEEDS_DELAY_FEW_PEERS`, `DNSSEEDS_DELAY_MANY_PEERS` and `DNSSEEDS_DELAY_PEER_THRESHOLD`. */
export const DNSSEEDS_DELAY_FEW_PEERS_MS: number = 11 * 1000
export const DNSSEEDS_DELAY_MANY_PEERS_MS: number = 5 * 60 * 1000
export const DNSSEEDS_DELAY_PEER_THRESHOLD = 1000
/** What the name of a seed asks for by its prefix, `x9.`: nodes that have all blocks and know witnesses. */
export const SEED_SERVICES: bigint = NODE_NETWORK | NODE_WITNESS
/**
 * Of one seed no more are taken, so that none of them fills what we know.
 *
 * @limit addresses that are taken of a DNS seed's answer
 */
export const MAX_ADDRESSES_OF_SEED = 32
/** How long seed nodes are tried before DNS seeds are asked, and how long one before the next is. */
export const SEEDNODE_TIMEOUT_MS: number = 30 * 1000
export const ADD_NEXT_SEEDNODE_MS: number = 10 * 1000
/** How long others may take to come up with addresses before fixed seeds are used. */
export const FIXED_SEEDS_DELAY_MS: number = 60 * 1000
/**
 * Core brings some 500 along.
 *
 * @limit fixed seeds that are taken for a network at once
 */
export const MAX_FIXED_SEEDS_OF_NETWORK = 1000
/** Who answers a name does so sooner. The edge has a deadline of its own, and this is for one that has none. */
export const SEED_ANSWER_TIMEOUT_MS: number = 60 * 1000
/** When all is tried again: after the first round, and at most. */
export const FIRST_RETRY_MS: number = 2 * 60 * 1000
export const MAX_RETRY_MS: number = 60 * 60 * 1000

const DAY_S = 24 * 60 * 60

export interface SeedingOptions {
  readonly random: Random
  readonly sha256: Sha256
  readonly known: AddressCount
  /** The network's DNS seeds, `ChainParams.dnsSeeds`; none where they are not to be asked (`-dnsseed=0`). */
  readonly dnsSeeds: ReadonlyArray<string>
  readonly defaultPort: number
  /** Names are resolved by a proxy: nothing is resolved here. */
  readonly resolvesThroughProxy: boolean
  /** Asks all DNS seeds, needed or not (`-forcednsseed`). */
  readonly forcesDns?: boolean
  /** Nodes that our user named to be asked (`-seednode`). */
  readonly seedNodes: ReadonlyArray<SeedEndpoint>
  /** A list that was brought along. */
  readonly fixedSeeds: ReadonlyArray<FixedSeed>
  /** Our user named peers to be kept (`-addnode`), who may know others. */
  readonly hasAddedNodes: boolean
  /** The networks on which we can dial. */
  readonly reachable: ReadonlySet<Network>
}

type Out = Outbox<SeedingOutput>
type Timer = "seed nodes" | "next seed node" | "next seeds" | "answers" | "fixed seeds" | "retry"

/** What one round has asked, and has still to ask. */
interface Round {
  readonly seedsLeft: Array<string>
  readonly nodesLeft: Array<SeedEndpoint>
  /** By the name that was asked, the seed; until it answers. */
  readonly waiting: Map<string, string>
  /** How many may be asked before there is another look at whether they are needed. */
  budget: number
  readonly seeds: Array<string>
  readonly nodes: Array<string>
  found: number
  fixedSeeds: number
}

export class Seeding implements Machine<SeedingInput, SeedingOutput> {
  readonly #options: SeedingOptions
  readonly #timers: Timers<Timer> = new Timers()
  #outbound = 0
  /** `undefined` while nothing is needed. */
  #round: Round | undefined = undefined
  #retryMs = FIRST_RETRY_MS

  constructor(options: SeedingOptions) {
    this.#options = options
  }

  /** Whether anybody is being looked for. */
  get isSeeking(): boolean {
    return this.#round !== undefined
  }

  handle(input: SeedingInput, now: Now, out: Out): void {
    switch (input._tag) {
      case "Started":
        return this.#start(now, out)
      case "OutboundCount":
        this.#outbound = input.count
        return this.#counted(now, out)
      case "SeedAnswered":
        return this.#answered(input.host, input.addresses, now, out)
      case "SeedFailed":
        return this.#gaveNothing(input.host, input.why, now, out)
      case "Timeout":
        return this.#timeout(now, out)
    }
  }

  nextTimeout(): Instant | undefined {
    return this.#timers.earliest()
  }

  #start(now: Now, out: Out): void {
    const { dnsSeeds, fixedSeeds, hasAddedNodes, seedNodes } = this.#options
    const asksNobody = dnsSeeds.length === 0 && seedNodes.length === 0
    if (asksNobody && fixedSeeds.length === 0) {
      out.push({ _tag: "NobodyToAsk" })
      return
    }
    this.#begin(now, out)
    if (fixedSeeds.length === 0) return
    if (asksNobody && !hasAddedNodes) this.#useFixedSeeds(now, out)
    else this.#timers.set("fixed seeds", after(now.instant, FIXED_SEEDS_DELAY_MS))
  }

  /** Begins a round. */
  #begin(now: Now, out: Out): void {
    const { dnsSeeds, random, seedNodes } = this.#options
    this.#round = {
      seedsLeft: shuffle(random, [...dnsSeeds]),
      nodesLeft: shuffle(random, [...seedNodes]),
      waiting: new Map(),
      budget: 0,
      seeds: [],
      nodes: [],
      found: 0,
      fixedSeeds: 0
    }
    if (seedNodes.length === 0) return this.#askDns(this.#round, now, out)
    if (this.#options.known.count() === 0) this.#fetchFromNode(this.#round, out)
    this.#timers.set("next seed node", after(now.instant, ADD_NEXT_SEEDNODE_MS))
    this.#timers.set("seed nodes", after(now.instant, SEEDNODE_TIMEOUT_MS))
  }

  #counted(now: Now, out: Out): void {
    const isEnough = this.#outbound >= SEED_OUTBOUND_CONNECTION_THRESHOLD
    if (isEnough) this.#retryMs = FIRST_RETRY_MS
    if (this.#round === undefined) {
      if (isEnough) this.#timers.clear("retry")
      // They may be back in a moment.
      else if (this.#canAsk && this.#timers.get("retry") === undefined)
        this.#retryAfter(DNSSEEDS_DELAY_MANY_PEERS_MS, now)
      return
    }
    // What has been begun is brought to its end, so that no seed's answer stands alone.
    if (!isEnough || this.#round.waiting.size > 0) return
    if (this.#timers.get("seed nodes") === undefined) this.#rest(out)
    else this.#afterSeedNodes(this.#round, now, out)
  }

  get #canAsk(): boolean {
    const { dnsSeeds, fixedSeeds, seedNodes } = this.#options
    return dnsSeeds.length + seedNodes.length + fixedSeeds.length > 0
  }

  /** There are peers enough. */
  #rest(out: Out): void {
    this.#round = undefined
    for (const timer of ["seed nodes", "next seed node", "next seeds", "answers", "retry"] as const) {
      this.#timers.clear(timer)
    }
    out.push({ _tag: "SeedingDone", outbound: this.#outbound })
  }

  #timeout(now: Now, out: Out): void {
    if (this.#timers.take("fixed seeds", now.instant)) this.#useFixedSeeds(now, out)
    if (this.#timers.take("retry", now.instant)) this.#retry(now, out)
    const round = this.#round
    if (round === undefined) return
    if (this.#timers.take("next seed node", now.instant)) {
      this.#fetchFromNode(round, out)
      if (round.nodesLeft.length > 0) this.#timers.set("next seed node", after(now.instant, ADD_NEXT_SEEDNODE_MS))
    }
    if (this.#timers.take("seed nodes", now.instant)) this.#afterSeedNodes(round, now, out)
    if (this.#timers.take("next seeds", now.instant)) {
      round.budget = DNSSEEDS_TO_QUERY_AT_ONCE
      this.#askSome(round, now, out)
    }
    if (this.#timers.take("answers", now.instant)) {
      for (const host of [...round.waiting.keys()]) this.#gaveNothing(host, "it did not answer", now, out)
    }
  }

  #fetchFromNode(round: Round, out: Out): void {
    const endpoint = round.nodesLeft.pop()
    if (endpoint !== undefined) this.#fetch(round, endpoint, "seed node", out)
  }

  #fetch(round: Round, endpoint: SeedEndpoint, why: FetchReason, out: Out): void {
    round.nodes.push(endpoint.host)
    out.push({ _tag: "FetchAddresses", endpoint, why })
  }

  #afterSeedNodes(round: Round, now: Now, out: Out): void {
    this.#timers.clear("seed nodes")
    this.#askDns(round, now, out)
  }

  /** The turn of the DNS seeds: all of them where nobody else is known, and else none before the others were tried. */
  #askDns(round: Round, now: Now, out: Out): void {
    if (this.#options.forcesDns === true || this.#options.known.count() === 0) {
      round.budget = round.seedsLeft.length
      this.#askSome(round, now, out)
    } else if (this.#outbound >= SEED_OUTBOUND_CONNECTION_THRESHOLD) this.#rest(out)
    else this.#askLater(round, now, out)
  }

  #askLater(round: Round, now: Now, out: Out): void {
    if (round.seedsLeft.length === 0) return this.#allAsked(now)
    const known = this.#options.known.count()
    const waitMs = known >= DNSSEEDS_DELAY_PEER_THRESHOLD ? DNSSEEDS_DELAY_MANY_PEERS_MS : DNSSEEDS_DELAY_FEW_PEERS_MS
    this.#timers.set("next seeds", after(now.instant, waitMs))
    out.push({ _tag: "SeedsWait", waitMs, known })
  }

  /** Asks as many as may be asked now, no more than three at a time. */
  #askSome(round: Round, now: Now, out: Out): void {
    while (round.budget > 0 && round.waiting.size < DNSSEEDS_TO_QUERY_AT_ONCE) {
      const seed = round.seedsLeft.pop()
      if (seed === undefined) {
        round.budget = 0
        break
      }
      round.budget--
      round.seeds.push(seed)
      this.#ask(round, seed, now, out)
    }
    if (round.waiting.size > 0) return
    if (this.#outbound >= SEED_OUTBOUND_CONNECTION_THRESHOLD) this.#rest(out)
    else this.#askLater(round, now, out)
  }

  #ask(round: Round, seed: string, now: Now, out: Out): void {
    const { defaultPort, resolvesThroughProxy } = this.#options
    if (resolvesThroughProxy) {
      this.#fetch(round, { host: seed, port: defaultPort }, "proxied DNS seed", out)
      return
    }
    const host = `x${SEED_SERVICES.toString(16)}.${seed}`
    round.waiting.set(host, seed)
    this.#timers.set("answers", after(now.instant, SEED_ANSWER_TIMEOUT_MS))
    out.push({ _tag: "QuerySeed", host })
  }

  #answered(host: string, addresses: ReadonlyArray<NetAddr>, now: Now, out: Out): void {
    const round = this.#round
    if (round?.waiting.has(host) !== true) return
    const known: Array<KnownAddress> = []
    for (const address of addresses) {
      if (known.length === MAX_ADDRESSES_OF_SEED) break
      const one = this.#ofSeed(address, now.unix)
      if (one !== undefined) known.push(one)
    }
    if (known.length === 0) {
      this.#gaveNothing(
        host,
        addresses.length === 0 ? "it has none" : "the public network leads to none of it",
        now,
        out
      )
      return
    }
    round.found += known.length
    out.push({ _tag: "SeedGave", host, count: known.length })
    this.#learn(host, known, out)
    this.#hasAnswered(round, host, now, out)
  }

  /** With an age that puts it behind what peers tell of. */
  #ofSeed(host: NetAddr, now: UnixSeconds): KnownAddress | undefined {
    const { address, network } = host
    if (network === "internal" || !hasRightLength(host) || !isRoutable(host)) return undefined
    const age = 3 * DAY_S + this.#options.random.below(4 * DAY_S)
    const port = this.#options.defaultPort
    return { network, address, port, services: SEED_SERVICES, time: UnixSeconds(now - age) }
  }

  #gaveNothing(host: string, why: string, now: Now, out: Out): void {
    const round = this.#round
    const seed = round?.waiting.get(host)
    if (round === undefined || seed === undefined) return
    out.push({ _tag: "SeedGaveNothing", host, why })
    this.#fetch(round, { host: seed, port: this.#options.defaultPort }, "empty DNS seed", out)
    this.#hasAnswered(round, host, now, out)
  }

  #hasAnswered(round: Round, host: string, now: Now, out: Out): void {
    round.waiting.delete(host)
    this.#askSome(round, now, out)
  }

  /** Gives what was found some time to become peers. */
  #allAsked(now: Now): void {
    this.#retryAfter(this.#retryMs, now)
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS)
  }

  #retryAfter(ms: number, now: Now): void {
    this.#timers.set("retry", after(now.instant, ms))
  }

  #retry(now: Now, out: Out): void {
    if (this.#outbound >= SEED_OUTBOUND_CONNECTION_THRESHOLD) return this.#rest(out)
    const round = this.#round
    if (round !== undefined) {
      const { fixedSeeds, found, nodes, seeds } = round
      out.push({ _tag: "StillLooking", tried: { seeds, found, nodes, fixedSeeds }, outbound: this.#outbound })
    }
    this.#begin(now, out)
    this.#useFixedSeeds(now, out)
  }

  /** For networks of which no address is known. */
  #useFixedSeeds(now: Now, out: Out): void {
    const { fixedSeeds, known, random, reachable } = this.#options
    const empty = [...reachable].filter((network) => known.count({ network }) === 0)
    const taken = empty.flatMap((network) =>
      shuffle(
        random,
        fixedSeeds.filter((seed) => seed.network === network)
      ).slice(0, MAX_FIXED_SEEDS_OF_NETWORK)
    )
    if (taken.length === 0) return
    if (this.#round !== undefined) this.#round.fixedSeeds += taken.length
    const networks = empty.filter((network) => taken.some((seed) => seed.network === network))
    out.push({ _tag: "FixedSeedsUsed", count: taken.length, networks })
    const addresses = taken.map(({ address, network, port, services }) => {
      const age = 7 * DAY_S + random.below(7 * DAY_S)
      return { network, address, port, services, time: UnixSeconds(now.unix - age) }
    })
    this.#learn("fixedseeds", addresses, out)
  }

  #learn(from: string, addresses: ReadonlyArray<KnownAddress>, out: Out): void {
    out.push({ _tag: "Learned", source: internalAddr(from, this.#options.sha256), addresses, timePenaltyS: 0 })
  }
}
