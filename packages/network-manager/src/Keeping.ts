/**
 * Whom to be connected with, as long as a network runs.
 *
 * ```
 *   persistent ─▶ dial ─▶ there until it goes ─▶ pause, doubled up to the longest ─┐
 *                  ▲────────────────────────────────────────────────────────────────┘
 *   each interval: few peers? the bootstrap list ─▶ peers of a peer, of the DHT ─▶ book ─▶ dial until half of maxOutbound is used
 * ```
 *
 * Specification: what is found is dialled for half of our own connections only. Rationale: the rest is for those whom somebody has named. Who was removed
 * is found no more, until somebody names it again.
 */
import { keepLast } from "@satwire/machine"
import { AddressBook, EXCHANGE_INTERVAL_MS, exchangePeers, keepFound } from "@satwire/overlay"
import type { DialError } from "@satwire/transport"
import type { FoundPeer } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { NetworkError } from "./NetworkError.ts"
import { type NetworkState, peerAt } from "./NetworkState.ts"
import { MAX_TRIED, peerIdIn } from "./Peers.ts"
import { type Running, pingPeer } from "./Running.ts"

/** A little more than a peer may be asked in. */
const ASK_AGAIN_MS: number = EXCHANGE_INTERVAL_MS + 5000
/** Rounds of discovery in which one that could not be reached is left alone. */
const ROUNDS_LEFT_ALONE = 10
const MAX_AT_ONCE = 8
const MAX_ADDRESSES_TRIED = 3
/** Of the table, at each round. */
const MAX_LOOKED_UP = 20
const LOOK_UP_MS = 5000

/** A moment for each peer, of the latest ones. */
type Moments = Map<string, number>

const isWithin = (moments: Moments, peer: string, ms: number, now: number): boolean =>
  now - (moments.get(peer) ?? Number.NEGATIVE_INFINITY) < ms

export class Keeping {
  readonly #state: NetworkState
  readonly #running: Running
  readonly #tried: Moments = new Map()
  readonly #asked: Moments = new Map()
  #dialling = 0

  constructor(state: NetworkState, running: Running) {
    this.#state = state
    this.#running = running
  }

  /** Everything that goes on by itself. */
  start(): Effect.Effect<void> {
    const { pingIntervalMs } = this.#state.settings
    const pinging = Effect.forever(Effect.andThen(Effect.sleep(pingIntervalMs), this.#pingAll()))
    const looking = Effect.andThen(Effect.ignore(this.bootstrap()), this.#discovering())
    return Effect.gen({ self: this }, function* () {
      yield* this.#fork(pinging)
      yield* this.#fork(looking)
      yield* this.#fork(this.#hearFound())
      for (const address of this.#state.persistent) yield* this.keep(address)
    })
  }

  /** Dials, where there is room for one more. */
  dial(address: string): Effect.Effect<string, DialError | NetworkError> {
    return Effect.suspend((): Effect.Effect<string, DialError | NetworkError> => {
      const { ledTo, peers, scores, settings } = this.#state
      const peerId = peerIdIn(address)
      if (peerId !== undefined && peers.get(peerId) !== undefined) return Effect.succeed(peerId)
      if (peerId !== undefined && scores.isBanned(peerId)) {
        return Effect.fail(new NetworkError({ reason: "Banned", message: `${peerId} is banned` }))
      }
      const full = this.#full()
      if (full !== undefined) return Effect.fail(full)
      this.#dialling += 1
      return this.#running.messenger.open(address, { timeoutMs: settings.connectTimeoutMs }).pipe(
        Effect.tap((reached) =>
          Effect.sync(() => peerId === undefined && keepLast(ledTo, address, reached, MAX_TRIED))
        ),
        Effect.ensuring(Effect.sync(() => (this.#dialling -= 1)))
      )
    })
  }

  /** Keeps a connection to a persistent peer, until it is none any more. */
  keep(address: string): Effect.Effect<void> {
    const { peers, persistent, random, settings } = this.#state
    const { first, longest } = settings.redialMs
    const keeping = Effect.gen({ self: this }, function* () {
      let pause = first
      while (persistent.has(address)) {
        const exit = yield* Effect.exit(this.dial(address))
        const since = this.#nowMs()
        if (Exit.isSuccess(exit)) yield* peers.gone(exit.value)
        if (this.#nowMs() - since > pause) pause = first
        // Half of it more or less: who lost the same peer does not come back in the same moment.
        yield* Effect.sleep(pause * (0.5 + random.unit()))
        pause = Math.min(2 * pause, longest)
      }
    })
    return this.#fork(keeping)
  }

  /** How many of the bootstrap list are there. */
  bootstrap(): Effect.Effect<number> {
    const dial = (address: string) => Effect.exit(this.dial(address))
    return Effect.suspend(() => {
      const { removed, settings } = this.#state
      const all = settings.options.bootstrapPeers ?? []
      const addresses = all.filter((address) => !removed.has(peerAt(this.#state, address) ?? ""))
      return Effect.forEach(addresses, dial, { concurrency: MAX_AT_ONCE })
    }).pipe(Effect.map((exits) => exits.filter(Exit.isSuccess).length))
  }

  /** Those found on this LAN within so many milliseconds, the known ones included; dialled where there is room. */
  local(waitMs: number): Effect.Effect<ReadonlyArray<FoundPeer>> {
    const found = new Map<string, FoundPeer>()
    const add = (peer: FoundPeer) =>
      Effect.suspend(() => {
        if (peer.source !== "mdns" || peer.peerId === this.#state.peerId) return Effect.void
        found.set(peer.peerId, peer)
        return this.#fork(this.#dialFound(peer))
      })
    return this.#running.node.found.pipe(
      Stream.runForEach(add),
      Effect.timeoutOption(waitMs),
      Effect.map(() => [...found.values()])
    )
  }

  #full(): NetworkError | undefined {
    const { peers, settings } = this.#state
    const full = (what: string) => new NetworkError({ reason: "Full", message: `there are ${what} already` })
    if (peers.size + this.#dialling >= settings.maxPeers) return full(`${settings.maxPeers} peers`)
    const isOut = peers.count("outbound") + this.#dialling >= settings.maxOutbound
    return isOut ? full(`${settings.maxOutbound} outbound peers`) : undefined
  }

  #discovering(): Effect.Effect<never> {
    const { discoveryIntervalMs, fewPeers } = this.#state.settings
    const round = Effect.gen({ self: this }, function* () {
      yield* this.#askAround()
      yield* this.#dialSome()
      yield* Effect.sleep(discoveryIntervalMs)
      if (this.#state.peers.size < fewPeers) yield* this.bootstrap()
    })
    return Effect.forever(round)
  }

  #askAround(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const { peers, random, settings } = this.#state
      const { book, node, overlay } = this.#running
      const { dht = false, peerExchange = true } = settings.options
      const now = this.#nowMs()
      const askable = peers.all().filter(({ peerId }) => !isWithin(this.#asked, peerId, ASK_AGAIN_MS, now))
      const one = askable[askable.length === 0 ? 0 : random.below(askable.length)]
      if (peerExchange && one !== undefined) {
        keepLast(this.#asked, one.peerId, now, MAX_TRIED)
        yield* exchangePeers(overlay, one.peerId).pipe(Effect.provideService(AddressBook, book), Effect.ignore)
      }
      if (dht === false) return
      yield* node.routing.closestPeers(random.bytes(32)).pipe(
        Stream.take(MAX_LOOKED_UP),
        Stream.runForEach(({ addresses, peerId }) => book.add({ peerId, addresses }, { via: "kademlia" })),
        Effect.timeoutOption(LOOK_UP_MS),
        Effect.ignore
      )
    })
  }

  #dialSome(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { peers, random, settings } = this.#state
      const wanted = Math.min(
        MAX_AT_ONCE,
        settings.maxPeers - peers.size,
        Math.ceil(settings.maxOutbound / 2) - peers.count("outbound")
      )
      if (wanted <= 0) return Effect.void
      const candidates = this.#running.book
        .entries()
        .map(({ peer }) => ({ peer, rank: random.u32() }))
        .filter(({ peer }) => this.#isWorthADial(peer.peerId))
        .sort((a, b) => a.rank - b.rank)
        .slice(0, wanted)
      return Effect.forEach(candidates, ({ peer }) => this.#dialFound(peer), {
        concurrency: MAX_AT_ONCE,
        discard: true
      })
    })
  }

  #isWorthADial(peerId: string): boolean {
    const { peers, removed, scores, settings } = this.#state
    if (peerId === this.#state.peerId || peers.get(peerId) !== undefined) return false
    if (scores.isBanned(peerId) || removed.has(peerId)) return false
    return !isWithin(this.#tried, peerId, ROUNDS_LEFT_ALONE * settings.discoveryIntervalMs, this.#nowMs())
  }

  /** At its addresses in turn, as who it was said to be. */
  #dialFound({ addresses, peerId }: Pick<FoundPeer, "addresses" | "peerId">): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (!this.#isWorthADial(peerId) || this.#full() !== undefined) return
      keepLast(this.#tried, peerId, this.#nowMs(), MAX_TRIED)
      for (const address of addresses.slice(0, MAX_ADDRESSES_TRIED)) {
        const whole = peerIdIn(address) === undefined ? `${address}/p2p/${peerId}` : address
        if (peerIdIn(whole) !== peerId) continue
        const exit = yield* Effect.exit(this.dial(whole))
        if (Exit.isSuccess(exit)) return
      }
    })
  }

  /** What the node finds goes to the book; who is on this LAN is dialled at once. */
  #hearFound(): Effect.Effect<void> {
    const { book, node } = this.#running
    const kept = keepFound(node.found).pipe(Effect.provideService(AddressBook, book))
    const dialled = Stream.runForEach(node.found, (peer) =>
      peer.source === "mdns" ? this.#fork(this.#dialFound(peer)) : Effect.void
    )
    return Effect.asVoid(Effect.all([kept, dialled], { concurrency: 2 }))
  }

  #pingAll(): Effect.Effect<void> {
    return Effect.suspend(() =>
      Effect.forEach(this.#state.peers.all(), (peer) => pingPeer(this.#state, this.#running.node, peer), {
        concurrency: MAX_AT_ONCE,
        discard: true
      })
    )
  }

  #nowMs(): number {
    return this.#state.now().instant
  }

  #fork(effect: Effect.Effect<unknown, unknown>): Effect.Effect<void> {
    return Effect.asVoid(Effect.forkIn(Effect.ignore(effect), this.#running.scope))
  }
}
