/**
 * Somebody tries to surround a node: to be all of its outbound peers, after he has filled what it knows with addresses of his own.
 *
 * The victim knows honest nodes and is restarted each day. The attacker has many addresses in few networks; from one connection of each he
 * tells of them as fast as the victim listens, and whoever of his is dialled answers, stays, and tells of a thousand more when asked. Honest
 * nodes answer nine times in ten, tell of honest ones when they are asked, and leave now and then.
 *
 * The victim is the machines that decide (`addrman`, `connections`, `discovery`'s tokens and times) without their bytes, which a thousand
 * histories of ten days would take weeks for.
 *
 * Source: Heilman and others, "Eclipse Attacks on Bitcoin's Peer-to-Peer Network", USENIX Security 2015; ATTACKS row 18.
 */
import { AddrMan } from "@satwire/addrman"
import { BanList, ConnectionManager, type ConnectionsOutput, type DialKind } from "@satwire/connections"
import { ChaChaRandom } from "@satwire/crypto"
import { AddrRelay, type AddrRelayOutput, LocalAddresses } from "@satwire/discovery"
import { Instant, type Now, PeerId, type Random, UnixSeconds, exponentialMs } from "@satwire/machine"
import { NetGroups, type NodeAddress, formatNode, parseNode } from "@satwire/netaddress"
import { EPOCH_UNIX, Schedule, sha256 } from "@satwire/simulator"
import { NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import * as Result from "effect/Result"
import { FlatList } from "./FlatList.ts"

const SERVICES = NODE_NETWORK | NODE_WITNESS
const DAY_MS = 24 * 60 * 60 * 1000
const MINUTE_MS = 60_000
/** A tenth of an address a second, in messages too long to be passed on to others: that is of no use to him and would take our time. */
const TOLD_AT_ONCE = 100
const TOLD_EVERY_MS = 1_000_000
/** How long an honest peer stays on average. */
const STAY_MS = 8 * 60 * 60 * 1000
const ANSWERS_OF_TEN = 9
const ASKED = 1000

export interface EclipseOptions {
  readonly seed: number
  /** The victim keeps a flat list and dials anybody, without groups, feelers' tests or anchors. */
  readonly flat?: boolean | undefined
  readonly days?: number | undefined
  readonly honest?: number | undefined
  readonly attackers?: number | undefined
  /** How many /16s the attacker has. */
  readonly networks?: number | undefined
}

export interface EclipseResult {
  readonly seed: number
  readonly victim: "addrman" | "flat list"
  /** At some moment, more than a minute after a start, every outbound peer was the attacker's. */
  readonly eclipsed: boolean
  /** When first, in days. */
  readonly afterDays: number | undefined
  /** The fewest honest outbound peers there were at any such moment. */
  readonly leastHonest: number
  /** The attacker's part of what is known in the end. */
  readonly shareOfNew: number
  readonly shareOfTried: number
  readonly known: number
}

interface Populace {
  readonly honest: ReadonlyArray<NodeAddress>
  readonly attackers: ReadonlyArray<NodeAddress>
  readonly isAttacker: (node: NodeAddress) => boolean
}

const ipv4 = (a: number, b: number, c: number, d: number): NodeAddress => ({
  network: "ipv4",
  address: Uint8Array.of(a, b, c, d),
  port: 8333
})

/** The attacker's /16s are all of one /8, where nobody else is. */
const ATTACKER_8 = 99

const populace = (random: Random, honest: number, attackers: number, networks: number): Populace => {
  const each = Math.ceil(attackers / networks)
  return {
    honest: Array.from({ length: honest }, () =>
      ipv4(11 + random.below(80), random.below(256), random.below(256), random.below(256))
    ).filter(({ address }) => address[0] !== ATTACKER_8),
    attackers: Array.from({ length: attackers }, (_, i) => {
      const n = i % each
      return ipv4(ATTACKER_8, Math.floor(i / each), n >> 8, n & 255)
    }),
    isAttacker: ({ address }) => address[0] === ATTACKER_8
  }
}

/** What the victim has on its disk. */
interface Kept {
  readonly book: AddrMan | FlatList
  readonly anchors: ReadonlyArray<NodeAddress>
}

/** One day of the victim: from a start to the next. */
class Day {
  readonly manager: ConnectionManager
  readonly relay: AddrRelay
  anchors: ReadonlyArray<NodeAddress>
  leastHonest = Infinity
  eclipsedAtMs: number | undefined = undefined
  readonly #people: Populace
  readonly #book: AddrMan | FlatList
  readonly #random: Random
  readonly #schedule: Schedule = new Schedule()
  readonly #startMs: number
  #timeMs: number
  #peers = 0
  /** Outbound peers for blocks or everything, and whose they are. */
  readonly #outbound: Map<PeerId, boolean> = new Map()

  constructor(people: Populace, { anchors, book }: Kept, random: Random, startMs: number, isFlat: boolean) {
    this.#people = people
    this.#book = book
    this.#random = random
    this.#startMs = startMs
    this.#timeMs = startMs
    this.anchors = anchors
    const reachable = new Set(["ipv4"] as const)
    const groups = new NetGroups()
    this.manager = new ConnectionManager({
      random: random.fork(),
      // Of a flat list every address is somebody else's.
      groups: isFlat ? { group: ({ address }) => address } : groups,
      book,
      networks: ["ipv4"],
      maxInbound: 114,
      bans: new BanList(),
      anchors: isFlat ? [] : anchors,
      wants: (services) => (services & SERVICES) === SERVICES,
      mayKnowAddresses: () => true,
      speaksV2: () => false
    })
    this.relay = new AddrRelay({
      random: random.fork(),
      own: new LocalAddresses({ random: random.fork(), reachable, discovers: false, port: undefined }),
      reachable,
      services: () => SERVICES,
      addresses: { getAddr: () => [] },
      refusals: { isRefused: () => false }
    })
  }

  run(lengthMs: number): void {
    const end = this.#startMs + lengthMs
    this.#at(0, () => this.#manage({ _tag: "NearTip" }))
    this.#flood()
    for (;;) {
      const due = Math.min(
        this.#schedule.next ?? Infinity,
        this.manager.nextTimeout() ?? Infinity,
        this.relay.nextTimeout() ?? Infinity
      )
      if (due > end) return
      this.#timeMs = Math.max(this.#timeMs, due)
      if ((this.#schedule.next ?? Infinity) <= this.#timeMs) this.#schedule.take()?.run()
      else if ((this.manager.nextTimeout() ?? Infinity) <= this.#timeMs) this.#manage({ _tag: "Timeout" })
      else this.#relays({ _tag: "Timeout" })
      this.#look()
    }
  }

  get #now(): Now {
    return { instant: Instant(this.#timeMs), unix: UnixSeconds(EPOCH_UNIX + Math.floor(this.#timeMs / 1000)) }
  }

  #at(delayMs: number, run: () => void): void {
    this.#schedule.add(this.#timeMs + delayMs, run)
  }

  /** How many of its outbound peers are honest, from a minute after the start on. */
  #look(): void {
    if (this.#timeMs < this.#startMs + MINUTE_MS) return
    let honest = 0
    for (const isAttacker of this.#outbound.values()) if (!isAttacker) honest += 1
    this.leastHonest = Math.min(this.leastHonest, honest)
    if (honest === 0) this.eclipsedAtMs ??= this.#timeMs
  }

  /** From each of his networks the attacker connects, and tells of his addresses as fast as the victim listens. */
  #flood(): void {
    const { attackers } = this.#people
    const networks = new Map(attackers.map((node) => [node.address[1] ?? 0, node]))
    for (const from of networks.values()) {
      this.#at(this.#random.below(1000), () => {
        const peer = PeerId(++this.#peers)
        const address = formatNode({ ...from, port: 50_000 })
        if (!this.#manage({ _tag: "Arrived", peer, address })) return
        this.#relays({ _tag: "PeerReady", peer, kind: "inbound", address, ...TALKS })
        const tell = (): void => {
          this.#tell(peer, attackers, TOLD_AT_ONCE)
          this.#at(TOLD_EVERY_MS, tell)
        }
        tell()
      })
    }
  }

  #tell(peer: PeerId, among: ReadonlyArray<NodeAddress>, count: number): void {
    if (among.length === 0) return
    const time = this.#now.unix
    const addresses = Array.from({ length: count }, () => ({
      ...(among[this.#random.below(among.length)] as NodeAddress),
      services: SERVICES,
      time
    }))
    this.#relays({ _tag: "Received", peer, message: { _tag: "addrv2", addresses } })
  }

  #relays(input: Parameters<AddrRelay["handle"]>[0]): void {
    const outputs: Array<AddrRelayOutput> = []
    this.relay.handle(input, this.#now, outputs)
    for (const output of outputs) {
      if (output._tag === "Learned") {
        const { addresses, source, timePenaltyS } = output
        this.#book.add(addresses, source, this.#now.unix, timePenaltyS)
        this.#manage({ _tag: "AddressesKnown" })
      } else if (output._tag === "Send" && output.message._tag === "getaddr") this.#answer(output.peer)
    }
  }

  #answer(peer: PeerId): void {
    const isAttacker = this.#outbound.get(peer) === true
    const { attackers, honest } = this.#people
    this.#at(200, () => {
      if (this.#outbound.has(peer)) this.#tell(peer, isAttacker ? attackers : honest, ASKED)
    })
  }

  /** Gives whether somebody who dialled was let in. */
  #manage(input: Parameters<ConnectionManager["handle"]>[0]): boolean {
    const outputs: Array<ConnectionsOutput> = []
    this.manager.handle(input, this.#now, outputs)
    let isAdmitted = false
    for (const output of outputs) {
      if (output._tag === "Admitted") isAdmitted = true
      else if (output._tag === "AnchorsChanged") this.anchors = output.anchors
      else if (output._tag === "LetGo") this.#leave(output.peer)
      else if (output._tag === "Dial") this.#dial(output.dial, output.endpoint, output.kind)
    }
    return isAdmitted
  }

  #dial(dial: number, endpoint: string, kind: DialKind): void {
    const host = parseNode(endpoint) as NodeAddress
    const isAttacker = this.#people.isAttacker(host)
    if (!isAttacker && this.#random.below(10) >= ANSWERS_OF_TEN) {
      this.#at(5000, () => this.#manage({ _tag: "DialFailed", dial, isOurs: false }))
      return
    }
    this.#at(100, () => {
      const peer = PeerId(++this.#peers)
      this.#manage({ _tag: "Opened", dial, peer })
      this.#manage({ _tag: "Introduced", peer, services: SERVICES, relaysTransactions: true })
      if (kind === "feeler") return this.#leave(peer)
      this.#outbound.set(peer, isAttacker)
      this.#manage({ _tag: "Ready", peer })
      this.#relays({ _tag: "PeerReady", peer, kind, address: formatNode(host), ...TALKS })
      // Who wants to surround somebody stays.
      if (!isAttacker) this.#at(exponentialMs(this.#random, STAY_MS), () => this.#leave(peer))
    })
  }

  #leave(peer: PeerId): void {
    if (this.#outbound.delete(peer)) this.#relays({ _tag: "PeerGone", peer })
    this.#manage({ _tag: "Ended", peer, end: { cost: "disconnect", reachedItself: false, retryAsV1: false } })
    this.#manage({ _tag: "Closed", peer })
  }
}

const TALKS = { network: undefined, socket: "", addrV2: true, seenAs: undefined, mayFlood: false } as const

export const runEclipse = (options: EclipseOptions): EclipseResult => {
  const { attackers = 20_000, days = 10, flat = false, honest = 2000, networks = 10, seed } = options
  const random = ChaChaRandom.fromNumber(seed)
  const people = populace(random, honest, attackers, networks)
  let kept: Kept = { book: firstBook(people, random, flat), anchors: [] }
  let leastHonest = Infinity
  let eclipsedAtMs: number | undefined = undefined
  for (let day = 0; day < days; day++) {
    const one: Day = new Day(people, kept, random.fork(), day * DAY_MS, flat)
    one.run(DAY_MS)
    leastHonest = Math.min(leastHonest, one.leastHonest)
    eclipsedAtMs ??= one.eclipsedAtMs
    kept = { book: reopened(kept.book, random, (day + 1) * DAY_MS), anchors: one.anchors }
  }
  const { book } = kept
  return {
    seed,
    victim: flat ? "flat list" : "addrman",
    eclipsed: eclipsedAtMs !== undefined,
    afterDays: eclipsedAtMs === undefined ? undefined : rounded(eclipsedAtMs / DAY_MS),
    leastHonest,
    ...shares(book, people),
    known: book.count()
  }
}

const unixAt = (ms: number): UnixSeconds => UnixSeconds(EPOCH_UNIX + Math.floor(ms / 1000))

const firstBook = (people: Populace, random: Random, flat: boolean): AddrMan | FlatList => {
  const now = unixAt(0)
  const known = people.honest.map((node) => ({ ...node, services: SERVICES, time: UnixSeconds(now - 3600) }))
  // As many as the address manager has places for.
  const book = flat
    ? new FlatList(random.fork(), 64 * (1024 + 256))
    : new AddrMan({ random: random.fork(), sha256, groups: new NetGroups() })
  for (const one of known) {
    // Each was told of by somebody else, over time.
    const source = known[random.below(known.length)] ?? one
    book.add([one], source, now)
  }
  return book
}

/** The address manager as its file brings it back. */
const reopened = (book: AddrMan | FlatList, random: Random, ms: number): AddrMan | FlatList => {
  if (book instanceof FlatList) return book
  const options = { random: random.fork(), sha256, groups: new NetGroups() }
  return Result.getOrThrow(AddrMan.restore(options, book.snapshot(), unixAt(ms))).addrman
}

const shares = (
  book: AddrMan | FlatList,
  { isAttacker }: Populace
): Pick<EclipseResult, "shareOfNew" | "shareOfTried"> => {
  if (book instanceof FlatList) return { shareOfNew: shareOf([...book.addresses()], isAttacker), shareOfTried: 0 }
  const all = [...book.addresses()]
  return {
    shareOfNew: shareOf(
      all.filter(({ table }) => table === "new"),
      isAttacker
    ),
    shareOfTried: shareOf(
      all.filter(({ table }) => table === "tried"),
      isAttacker
    )
  }
}

const shareOf = (nodes: ReadonlyArray<NodeAddress>, isAttacker: Populace["isAttacker"]): number =>
  nodes.length === 0 ? 0 : rounded(nodes.filter(isAttacker).length / nodes.length)

const rounded = (x: number): number => Math.round(1000 * x) / 1000
