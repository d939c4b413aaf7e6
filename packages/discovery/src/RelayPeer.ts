/** One peer as the relay of addresses sees it. A peer that never speaks of addresses has neither filter nor queue nor tokens. */
import type { RollingBloomFilter } from "@satwire/filters"
import { type Instant, type PeerId, type Random, type Rate, TokenBucket, earliest, wholeMs } from "@satwire/machine"
import { type NetAddr, type NodeAddress, netClass, nodeKey, parseNode } from "@satwire/netaddress"
import { MAX_ADDR_TO_SEND } from "@satwire/wire"
import type { AddressedPeer, KnownAddress } from "./AddressBook.ts"
import { isCompatible, kept } from "./AddressMessages.ts"
import type { PeerReady, RelayKind } from "./AddrRelayEvents.ts"

/**
 * Core's `MAX_ADDR_RATE_PER_SECOND`.
 *
 * @limit addresses a second that are taken from a peer
 */
export const MAX_ADDR_RATE_PER_SECOND = 0.1
/**
 * Core's `MAX_ADDR_PROCESSING_TOKEN_BUCKET`.
 *
 * @limit addresses that a peer which was silent may tell of at once
 */
export const MAX_ADDR_PROCESSING_TOKEN_BUCKET = 1000
/**
 * How many addresses a peer may tell us of. What it tells beyond that is not looked at: who floods us with addresses of his own would otherwise fill
 * what we know, and what others hear from us.
 *
 * Source: Bitcoin Core 31.99 `net_processing.cpp` (`m_addr_token_bucket`).
 */
const ADDR_RATE: Rate = { perSecond: MAX_ADDR_RATE_PER_SECOND, burst: MAX_ADDR_PROCESSING_TOKEN_BUCKET }
/** A new peer may tell of itself. */
const FIRST_TOKENS = 1

/** A peer that has not spoken of addresses, as most who dial us never do: half of the memory. */
export type QuietPeer = Omit<PeerReady, "_tag"> & { readonly readyAt: Instant }

export const quietPeer = (ready: PeerReady, seenAs: NodeAddress | undefined, now: Instant): QuietPeer => ({
  peer: ready.peer,
  kind: ready.kind,
  address: ready.address,
  network: ready.network,
  socket: ready.socket,
  addrV2: ready.addrV2,
  seenAs,
  mayFlood: ready.mayFlood,
  readyAt: wholeMs(now)
})

/** What waits for all to whom nothing is to be told. */
const NOTHING: Array<KnownAddress> = []

export class RelayPeer implements AddressedPeer {
  readonly id: PeerId
  readonly kind: RelayKind
  /** As text, which others have too: most are never asked for more. */
  readonly #address: string | undefined
  readonly network: PeerReady["network"]
  readonly socket: string
  readonly addrV2: boolean
  readonly seenAs: NodeAddress | undefined
  readonly mayFlood: boolean
  #tokens: TokenBucket | undefined = undefined
  /** What it knows: it told us, or we told it. From when on there is one, addresses are passed on to the peer. */
  known: RollingBloomFilter | undefined = undefined
  /** What it is told next. */
  waiting: Array<KnownAddress> = NOTHING
  /** Among what waits is our answer to its `getaddr`. */
  isAnswering = false
  readonly #readyAt: Instant
  /** When what waits leaves; past or meaningless while nothing does. */
  sendAt: Instant
  /** When it is told of ourselves; `undefined` before the first time. */
  announceAt: Instant | undefined = undefined
  /** When an addr-fetch peer has had its time. */
  fetchEndsAt: Instant | undefined = undefined
  /** We have asked it, and what comes may be the answer. */
  hasAsked = false
  /** It has asked us. */
  hasBeenAsked = false
  processed = 0
  rateLimited = 0

  constructor(ready: QuietPeer) {
    this.id = ready.peer
    this.kind = ready.kind
    this.#address = ready.address
    this.network = ready.network
    this.socket = ready.socket
    this.addrV2 = ready.addrV2
    this.seenAs = ready.seenAs
    this.mayFlood = ready.mayFlood
    this.#readyAt = ready.readyAt
    this.sendAt = ready.readyAt
  }

  get isInbound(): boolean {
    return this.kind === "inbound"
  }

  get host(): NodeAddress | undefined {
    return this.#address === undefined ? undefined : parseNode(this.#address)
  }

  /** They come from its handshake on. */
  get tokens(): TokenBucket {
    return (this.#tokens ??= new TokenBucket(ADDR_RATE, this.#readyAt, FIRST_TOKENS))
  }

  /** Who told what it tells. Of a peer that was reached by a name through a proxy no more is known than that it is somewhere. */
  get source(): NetAddr {
    return this.host ?? NOWHERE
  }

  /** Network and socket, which have one answer to `getaddr`. */
  get asksBy(): string {
    return `${this.network ?? netClass(this.source)} ${this.socket}`
  }

  /** The next time at which something is to be done. */
  nextTimeout(announcesSelf: boolean, now: Instant): Instant | undefined {
    const sending = this.waiting.length === 0 ? undefined : this.sendAt
    const announcing = announcesSelf && this.known !== undefined ? (this.announceAt ?? now) : undefined
    return earliest(earliest(sending, announcing), this.fetchEndsAt)
  }

  /** It knows this address, and is not told of it. */
  hears(address: NodeAddress): void {
    this.known?.insert(nodeKey(address))
  }

  /** Puts an address with what waits, where the peer can use it. What is too much takes the place of something else. */
  tell(address: KnownAddress, random: Random): void {
    if (this.known === undefined || !isCompatible(address, this.addrV2)) return
    if (this.known.contains(nodeKey(address))) return
    if (this.waiting === NOTHING) this.waiting = [kept(address)]
    else if (this.waiting.length < MAX_ADDR_TO_SEND) this.waiting.push(kept(address))
    else this.waiting[random.below(this.waiting.length)] = kept(address)
  }

  /** What waits is not told. */
  forget(): void {
    this.waiting = NOTHING
  }

  /** Takes what waits and is still news to the peer; it knows it from now on. */
  takeNews(): ReadonlyArray<KnownAddress> {
    const news = this.waiting.filter((address) => {
      const key = nodeKey(address)
      const isNews = this.known?.contains(key) === false
      if (isNews) this.known?.insert(key)
      return isNews
    })
    this.forget()
    this.isAnswering = false
    return news
  }
}

const NOWHERE: NetAddr = { network: "ipv6", address: new Uint8Array(16) }
