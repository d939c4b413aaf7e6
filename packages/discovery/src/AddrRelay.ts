/**
 * The conversation about addresses: `addr`, `addrv2`, `getaddr`. Peers tell us of nodes, and we tell them: of what we hear, slowly and to few;
 * of what we know, once, to who asks; and of ourselves, once a day.
 *
 * ```
 *   addr ──▶ tokens ──▶ time, services, refusals ──▶ Learned
 *                                    │ fresh, few, not asked for
 *                                    ▼
 *                          one or two peers' queues ──── every 30 s or so ────▶ Announce
 *   getaddr ──▶ cached answer ──▶ the peer's queue ──────────────────────────▶ Send
 * ```
 *
 * It keeps no addresses (`AddressBook`), judges nobody but for a message that is too long, and knows of chain and clock nothing. With
 * block-relay-only peers it does not talk, so that nobody learns from addresses that we are connected; with a peer that dialled us it
 * begins when that peer does.
 *
 * Source: Bitcoin Core 31.99 `net_processing.cpp` (`ProcessAddrs`, `RelayAddress`, `MaybeSendAddr`, `SetupAddressRelay`).
 */
import { RollingBloomFilter } from "@satwire/filters"
import {
  IdMap,
  Deadlines,
  type Instant,
  type Machine,
  type Now,
  type Outbox,
  type PeerId,
  type Random,
  UnixSeconds,
  after,
  exponentialMs,
  shuffle
} from "@satwire/machine"
import { type NetAddr, type Network, type NodeAddress, isRoutable, isSameNode, networkOf } from "@satwire/netaddress"
import {
  type Addr,
  type AddrV2,
  GETADDR,
  MAX_ADDR_TO_SEND,
  type Message,
  NODE_NETWORK,
  NODE_NETWORK_LIMITED
} from "@satwire/wire"
import type { AddressBook, KnownAddress, OwnAddress, Refusals } from "./AddressBook.ts"
import { addressMessage, addressesOf, isCompatible } from "./AddressMessages.ts"
import type { AddrRelayInput, AddrRelayOutput, AddressCounts, PeerReady, RelayKind } from "./AddrRelayEvents.ts"
import { AnswerCache } from "./AnswerCache.ts"
import { type QuietPeer, RelayPeer, quietPeer } from "./RelayPeer.ts"
import { RelayTargets } from "./RelayTargets.ts"

/** Core's `AVG_ADDRESS_BROADCAST_INTERVAL`. */
export const AVG_ADDRESS_BROADCAST_INTERVAL_MS: number = 30 * 1000
/** Core's `AVG_LOCAL_ADDRESS_BROADCAST_INTERVAL`. */
export const AVG_LOCAL_ADDRESS_BROADCAST_INTERVAL_MS: number = 24 * 60 * 60 * 1000
/** How long an addr-fetch peer has for its answer. */
export const ADDR_FETCH_TIMEOUT_MS: number = 10 * AVG_ADDRESS_BROADCAST_INTERVAL_MS
/** What a peer says of others is taken for this much older. */
export const GOSSIP_TIME_PENALTY_S: number = 2 * 60 * 60
/**
 * A longer message is an answer, and nothing of it is passed on.
 *
 * @limit addresses of a message whose addresses are passed on
 */
export const MAX_RELAYED_OF_MESSAGE = 10
/** Only what was heard of so lately is passed on, and nothing is heard of later than this from now. */
const FRESH_S = 10 * 60
/** Before this nobody had heard of Bitcoin. */
const FIRST_TIME = 100_000_000
/** How old an address is taken for whose time makes no sense. */
const SENSELESS_AGE_S = 5 * 24 * 60 * 60
/** Core's filter of what a peer knows. */
const KNOWN_ELEMENTS = 5000
const KNOWN_FALSE_POSITIVES = 0.001
/**
 * More have to wait for the next turn, which comes at once.
 *
 * @limit peers whose timers are answered in one turn of the address relay
 */
const TIMEOUTS_PER_TURN = 64
/** Kinds of connection on which addresses are not spoken of. */
const SILENT: ReadonlySet<RelayKind> = new Set(["block-relay-only", "feeler", "private-broadcast"])

export interface AddrRelayOptions {
  readonly random: Random
  readonly addresses: AddressBook
  readonly refusals: Refusals
  readonly own: OwnAddress
  /** The services that we offer. */
  readonly services: () => bigint
  /** The networks on which we can dial. */
  readonly reachable: ReadonlySet<Network>
}

type Out = Outbox<AddrRelayOutput>

export class AddrRelay implements Machine<AddrRelayInput, AddrRelayOutput> {
  readonly #options: AddrRelayOptions
  readonly #random: Random
  /** Those with whom addresses are spoken of. */
  readonly #targets: RelayTargets<RelayPeer>
  readonly #answers: AnswerCache
  readonly #peers: IdMap<PeerId, RelayPeer | QuietPeer> = new IdMap()
  readonly #deadlines: Deadlines<RelayPeer> = new Deadlines()
  #announcesSelf = false
  #lastSeenAs: NodeAddress | undefined = undefined

  constructor(options: AddrRelayOptions) {
    this.#options = options
    this.#random = options.random
    this.#targets = new RelayTargets(options.random.bytes(16))
    this.#answers = new AnswerCache(options.random)
  }

  /** How many peers it knows of. */
  get size(): number {
    return this.#peers.size
  }

  /** What `getpeerinfo` says of a peer. */
  counts(peer: PeerId): AddressCounts | undefined {
    const found = this.#peers.get(peer)
    if (found === undefined) return undefined
    if (!(found instanceof RelayPeer)) return { isRelaying: false, processed: 0, rateLimited: 0 }
    return { isRelaying: found.known !== undefined, processed: found.processed, rateLimited: found.rateLimited }
  }

  handle(input: AddrRelayInput, now: Now, out: Out): void {
    switch (input._tag) {
      case "PeerReady":
        return this.#ready(input, now, out)
      case "PeerGone":
        return this.#gone(input.peer)
      case "Received": {
        const peer = this.#speaking(input.peer)
        if (peer !== undefined) this.#received(peer, input.message, now, out)
        return
      }
      case "AnnounceSelf":
        this.#announcesSelf = input.on
        for (const peer of this.#targets.peers) this.#arm(peer, now.instant)
        return
      case "Timeout":
        return this.#timeout(now, out)
    }
  }

  nextTimeout(): Instant | undefined {
    return this.#deadlines.earliest()
  }

  #ready(ready: PeerReady, now: Now, out: Out): void {
    this.#peers.set(ready.peer, quietPeer(ready, this.#shared(ready.seenAs), now.instant))
    if (ready.kind === "inbound") {
      if (ready.seenAs !== undefined && isRoutable(ready.seenAs)) this.#options.own.seen(ready.seenAs)
      return
    }
    const peer = this.#speaking(ready.peer)
    if (peer === undefined || !this.#begin(peer)) return
    out.push({ _tag: "Send", peer: peer.id, message: GETADDR })
    peer.hasAsked = true
    // Room for the answer, above what the bucket holds otherwise.
    peer.tokens.add(MAX_ADDR_TO_SEND)
    if (peer.kind === "addr-fetch") peer.fetchEndsAt = after(now.instant, ADDR_FETCH_TIMEOUT_MS)
    this.#serve(peer, now, out)
  }

  /** A peer that speaks of addresses, or with whom we do: from now on there is more to it. */
  #speaking(id: PeerId): RelayPeer | undefined {
    const peer = this.#peers.get(id)
    if (peer === undefined || peer instanceof RelayPeer) return peer
    const speaking = new RelayPeer(peer)
    this.#peers.set(id, speaking)
    return speaking
  }

  /** Most peers see us at one address, and then one object serves all. */
  #shared(seenAs: NodeAddress | undefined): NodeAddress | undefined {
    if (seenAs === undefined) return undefined
    if (this.#lastSeenAs === undefined || !isSameNode(seenAs, this.#lastSeenAs)) this.#lastSeenAs = seenAs
    return this.#lastSeenAs
  }

  #gone(id: PeerId): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    this.#peers.delete(id)
    if (!(peer instanceof RelayPeer)) return
    this.#targets.delete(peer)
    this.#deadlines.set(peer, undefined)
  }

  #received(peer: RelayPeer, message: Message, now: Now, out: Out): void {
    if (message._tag === "addr" || message._tag === "addrv2") this.#told(peer, message, now, out)
    else if (message._tag === "getaddr") this.#asked(peer, now, out)
  }

  /** Speaks of addresses with this peer from now on; `false` where that must not be. */
  #begin(peer: RelayPeer): boolean {
    if (SILENT.has(peer.kind)) return false
    peer.known ??= new RollingBloomFilter(KNOWN_ELEMENTS, KNOWN_FALSE_POSITIVES, this.#random)
    this.#targets.add(peer)
    return true
  }

  #told(peer: RelayPeer, message: Addr | AddrV2, now: Now, out: Out): void {
    if (!this.#begin(peer)) return
    const count = message.addresses.length
    if (count > MAX_ADDR_TO_SEND) {
      out.push({ _tag: "Misbehaved", peer: peer.id, reason: { _tag: "TooManyAddresses", count } })
      return
    }
    const addresses = this.#takeIn(peer, addressesOf(message), count, now)
    if (addresses.length > 0) {
      const timePenaltyS = GOSSIP_TIME_PENALTY_S
      out.push({ _tag: "Learned", from: peer.id, source: peer.source, addresses, timePenaltyS })
    }
    if (count < MAX_ADDR_TO_SEND) peer.hasAsked = false
    // A single address is likely the peer's own, and the answer still to come.
    if (peer.kind === "addr-fetch" && count > 1) this.#fetched(peer, true, out)
    this.#serve(peer, now, out)
  }

  /** Looks at what a peer tells, as far as it may tell it; gives what is worth keeping. */
  #takeIn(peer: RelayPeer, told: Array<KnownAddress>, count: number, now: Now): ReadonlyArray<KnownAddress> {
    const worth: Array<KnownAddress> = []
    const mayRelay = !peer.hasAsked && count <= MAX_RELAYED_OF_MESSAGE
    // Of a message that is cut short no part is left to the sender's choice.
    for (const one of shuffle(this.#random, told)) {
      if (!peer.tokens.take(1, now.instant) && !peer.mayFlood) {
        peer.rateLimited++
        continue
      }
      if (!mayServeAddresses(one.services)) continue
      const address = withSensibleTime(one, now.unix)
      peer.hears(address)
      if (this.#options.refusals.isRefused(address, now.unix)) continue
      peer.processed++
      const isReachable = this.#isReachable(address)
      if (mayRelay && address.time > now.unix - FRESH_S && isRoutable(address))
        this.#relay(peer, address, isReachable, now)
      if (isReachable) worth.push(address)
    }
    return worth
  }

  #isReachable(address: NetAddr): boolean {
    return (this.#options.reachable as ReadonlySet<string>).has(networkOf(address))
  }

  #relay(from: RelayPeer, address: KnownAddress, isReachable: boolean, now: Now): void {
    const isEligible = (peer: RelayPeer): boolean => peer !== from && isCompatible(address, peer.addrV2)
    for (const peer of this.#targets.choose(address, isReachable, isEligible, now.unix)) {
      this.#tell(peer, address, now.instant)
      this.#arm(peer, now.instant)
    }
  }

  /**
   * Puts an address with what waits for the peer. That leaves at the times of a Poisson process, which has no memory: nothing is drawn while
   * nothing waits, and a time that is past is drawn again from now.
   */
  #tell(peer: RelayPeer, address: KnownAddress, now: Instant): void {
    if (peer.waiting.length === 0 && peer.sendAt < now) peer.sendAt = this.#nextSend(now)
    peer.tell(address, this.#random)
  }

  #nextSend(now: Instant): Instant {
    return after(now, exponentialMs(this.#random, AVG_ADDRESS_BROADCAST_INTERVAL_MS))
  }

  /**
   * Answers `getaddr`, once, and only to who dialled us: an outbound peer that could ask would learn the marks that it left in what we know by
   * its own messages.
   */
  #asked(peer: RelayPeer, now: Now, out: Out): void {
    if (!peer.isInbound) return
    if (peer.known === undefined) peer.sendAt = now.instant
    this.#begin(peer)
    if (peer.hasBeenAsked) return
    peer.hasBeenAsked = true
    peer.forget()
    const make = (): ReadonlyArray<KnownAddress> => this.#addressesToTell(now.unix)
    const answer = peer.mayFlood ? make() : this.#answers.answer(peer.asksBy, now.instant, make)
    for (const address of answer) this.#tell(peer, address, now.instant)
    peer.isAnswering = peer.waiting.length > 0
    this.#serve(peer, now, out)
  }

  #addressesToTell(now: UnixSeconds): ReadonlyArray<KnownAddress> {
    const { addresses, refusals } = this.#options
    return addresses.getAddr({}, now).filter((address) => !refusals.isRefused(address, now))
  }

  #timeout(now: Now, out: Out): void {
    for (let served = 0; served < TIMEOUTS_PER_TURN; served++) {
      const peer = this.#deadlines.takeDue(now.instant)
      if (peer === undefined) return
      this.#serve(peer, now, out)
    }
  }

  /** Does what is due for a peer, and arms its timer anew. */
  #serve(peer: RelayPeer, now: Now, out: Out): void {
    if (peer.fetchEndsAt !== undefined && peer.fetchEndsAt <= now.instant) this.#fetched(peer, false, out)
    if (this.#announcesSelf && peer.known !== undefined && (peer.announceAt ?? now.instant) <= now.instant) {
      this.#announceSelf(peer, now, out)
    }
    if (peer.waiting.length > 0 && peer.sendAt <= now.instant) this.#flush(peer, now.instant, out)
    this.#arm(peer, now.instant)
  }

  #flush(peer: RelayPeer, now: Instant, out: Out): void {
    const _tag = peer.isAnswering ? "Send" : "Announce"
    const news = peer.takeNews()
    peer.sendAt = this.#nextSend(now)
    if (news.length > 0) out.push({ _tag, peer: peer.id, message: addressMessage(news, peer.addrV2) })
  }

  /** In a message of its own: in a longer one it could be what the peer's token bucket does not take. */
  #announceSelf(peer: RelayPeer, now: Now, out: Out): void {
    // What it has heard so long ago, it may hear again.
    if (peer.announceAt !== undefined) peer.known?.reset()
    peer.announceAt = after(now.instant, exponentialMs(this.#random, AVG_LOCAL_ADDRESS_BROADCAST_INTERVAL_MS))
    const own = this.#options.own.forPeer(peer)
    if (own === undefined || !isCompatible(own, peer.addrV2)) return
    peer.hears(own)
    const address = { ...own, services: this.#options.services(), time: now.unix }
    out.push({ _tag: "Announce", peer: peer.id, message: addressMessage([address], peer.addrV2) })
  }

  #fetched(peer: RelayPeer, answered: boolean, out: Out): void {
    peer.fetchEndsAt = undefined
    out.push({ _tag: "AddressesFetched", peer: peer.id, answered })
  }

  #arm(peer: RelayPeer, now: Instant): void {
    this.#deadlines.set(peer, peer.nextTimeout(this.#announcesSelf, now))
  }
}

/** Core's `MayHaveUsefulAddressDB`: who keeps blocks is a node that others may want to know. */
const mayServeAddresses = (services: bigint): boolean => (services & (NODE_NETWORK | NODE_NETWORK_LIMITED)) !== 0n

const withSensibleTime = (address: KnownAddress, now: UnixSeconds): KnownAddress =>
  address.time <= FIRST_TIME || address.time > now + FRESH_S
    ? { ...address, time: UnixSeconds(now - SENSELESS_AGE_S) }
    : address
