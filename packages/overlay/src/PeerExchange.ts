/**
 * Peers tell each other of peers. What is told is believed of nobody: it goes to an address book with the name of who told it, and the book
 * decides how much one teller is worth.
 */
import { type Random, shuffle } from "@satwire/machine"
import { seededRandom } from "@satwire/runtime"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { KindError } from "./Kind.ts"
import type { OverlayShape } from "./Overlay.ts"
import { type RequestError, refused } from "./RequestError.ts"
import { MAX_TOLD_PEERS, PeerExchange, type ToldPeer } from "./kinds/PeerExchange.ts"

/**
 * How often one peer is told of peers: as it asks more often it is refused, so that the whole book is not read in a minute.
 *
 * @limit milliseconds between two answers of peer exchange to one peer
 */
export const EXCHANGE_INTERVAL_MS = 60_000
/**
 * @limit peers in an address book in memory
 */
export const MAX_BOOK_PEERS = 4096
/**
 * Peers in the book by one teller, so that none fills it alone.
 *
 * @limit peers in an address book in memory that one peer has told of
 */
export const MAX_BOOK_PEERS_OF_ONE = 256
/**
 * Peers in the book by one way, such as what they say of themselves: who comes with one new key after the other fills no more.
 *
 * @limit peers in an address book in memory that were found in one way
 */
export const MAX_BOOK_PEERS_OF_A_WAY = 1024

/** Where an address comes from. */
export type AddressSource =
  | { readonly via: "peer exchange"; readonly from: string }
  | { readonly via: "mdns" | "bootstrap" | "kademlia" | "identify" | "manual" }

export interface AddressBookShape {
  /** Hears of a peer; nobody has been there. */
  readonly add: (peer: ToldPeer, source: AddressSource) => Effect.Effect<void>
  /** Some of the known peers, at most so many, such as may be told to anybody; not each time the same. */
  readonly some: (most: number) => Effect.Effect<ReadonlyArray<ToldPeer>>
}

/** The address book, where there is one; without, nothing is kept and nobody is told of anybody. */
export const AddressBook: Context.Reference<AddressBookShape> = Context.Reference("@satwire/overlay/AddressBook", {
  defaultValue: (): AddressBookShape => ({ add: () => Effect.void, some: () => Effect.succeed([]) })
})

interface Entry {
  readonly peer: ToldPeer
  readonly source: AddressSource
}

export interface MemoryAddressBook extends AddressBookShape {
  readonly entries: () => ReadonlyArray<Entry>
}

/** Named by whoever runs the node; these are never forgotten. */
const isNamed = ({ via }: AddressSource): boolean => via === "manual" || via === "bootstrap"

/** Of whom, or of which way, an entry is part of the share. */
const sharerOf = (source: AddressSource): string => ("from" in source ? `from ${source.from}` : source.via)

/**
 * Some of the peers, at random, and in turn one of each who told of them and of each way: so none of these has much more of it than its part,
 * however many it told of, or how late.
 */
const sample = (random: Random, entries: Iterable<Entry>, most: number): ReadonlyArray<ToldPeer> => {
  const bySharer = new Map<string, Array<ToldPeer>>()
  for (const { peer, source } of shuffle(random, [...entries])) {
    const peers = bySharer.get(sharerOf(source))
    if (peers === undefined) bySharer.set(sharerOf(source), [peer])
    else peers.push(peer)
  }
  const some: Array<ToldPeer> = []
  for (let turn = 0; bySharer.size > 0 && some.length < most; turn++) {
    for (const [sharer, peers] of bySharer) {
      const peer = peers[turn]
      if (peer === undefined) bySharer.delete(sharer)
      else if (some.length < most) some.push(peer)
    }
  }
  return some
}

/**
 * A book in memory. The first who told of a peer stays its teller, and its addresses are replaced only by that teller or by what is not peer
 * exchange. Of one teller nothing more is taken once his share is full; of what was found in one way the oldest makes room. A full book forgets the
 * oldest, but for those who were named.
 */
export const makeMemoryAddressBook = (): MemoryAddressBook => {
  const entries = new Map<string, Entry>()
  const counts = new Map<string, number>()
  const count = (source: AddressSource, by: number): void => {
    const sharer = sharerOf(source)
    const left = (counts.get(sharer) ?? 0) + by
    if (left === 0) counts.delete(sharer)
    else counts.set(sharer, left)
  }
  const forgetOldest = (isToGo: (source: AddressSource) => boolean): boolean => {
    for (const [peerId, { source }] of entries) {
      if (!isToGo(source)) continue
      entries.delete(peerId)
      count(source, -1)
      return true
    }
    return false
  }
  const makeRoom = (source: AddressSource): boolean => {
    const shared = counts.get(sharerOf(source)) ?? 0
    if ("from" in source && shared >= MAX_BOOK_PEERS_OF_ONE) return false
    if (!isNamed(source) && shared >= MAX_BOOK_PEERS_OF_A_WAY) return forgetOldest(({ via }) => via === source.via)
    return entries.size < MAX_BOOK_PEERS || forgetOldest((other) => !isNamed(other))
  }
  const add = (peer: ToldPeer, source: AddressSource): void => {
    const known = entries.get(peer.peerId)
    if (known !== undefined) {
      if ("from" in source && sharerOf(source) !== sharerOf(known.source)) return
      count(known.source, -1)
    } else if (!makeRoom(source)) {
      return
    }
    const kept = known !== undefined && isNamed(known.source) ? known.source : source
    entries.set(peer.peerId, { peer, source: kept })
    count(kept, 1)
  }
  return {
    add: (peer, source) => Effect.sync(() => add(peer, source)),
    some: (most) => Effect.map(seededRandom, (random) => sample(random, entries.values(), most)),
    entries: () => [...entries.values()]
  }
}

/** Asks a peer for peers and puts them in the book. Says how many it told of; what is no peer at all is passed over. */
export const exchangePeers = (
  overlay: OverlayShape,
  peer: string,
  most: number = MAX_TOLD_PEERS
): Effect.Effect<number, RequestError | KindError> =>
  Effect.gen(function* () {
    const book = yield* AddressBook
    const { peers } = yield* overlay.request(peer, PeerExchange, { most })
    const told = peers.filter(({ addresses, peerId }) => peerId.length > 0 && addresses.length > 0).slice(0, most)
    for (const each of told) yield* book.add(each, { via: "peer exchange", from: peer })
    return told.length
  })

/** Tells who asks of some peers of the book, once a minute each, for as long as the scope is open. */
export const servePeerExchange = (overlay: OverlayShape): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const book = yield* AddressBook
    const answered = new Map<string, number>()
    yield* overlay.facts.pipe(
      Stream.runForEach((fact) => Effect.sync(() => fact._tag === "PeerGone" && answered.delete(fact.peer))),
      Effect.forkScoped({ startImmediately: true })
    )
    yield* overlay.serve(PeerExchange, ({ most }, peer) =>
      Effect.gen(function* () {
        const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
        const before = answered.get(peer)
        if (before !== undefined && now - before < EXCHANGE_INTERVAL_MS) {
          overlay.fault(peer, "flood", "asks for peers more than once a minute")
          return yield* Effect.fail(refused("once a minute"))
        }
        answered.set(peer, now)
        const peers = yield* book.some(Math.min(most, MAX_TOLD_PEERS))
        return { peers: peers.filter(({ peerId }) => peerId !== peer) }
      })
    )
  })

/** A found peer as a libp2p node tells of it. */
export interface Found {
  readonly peerId: string
  readonly addresses: ReadonlyArray<string>
  readonly source: "mdns" | "bootstrap" | "dht" | "identify"
}

/** Puts what a libp2p node finds (its `found`) in the book, with the way by which it was found, until the stream ends. */
export const keepFound = <E>(found: Stream.Stream<Found, E>): Effect.Effect<void, E> =>
  Effect.flatMap(AddressBook, (book) =>
    Stream.runForEach(found, ({ addresses, peerId, source }) =>
      book.add({ peerId, addresses }, { via: source === "dht" ? "kademlia" : source })
    )
  )
