/**
 * How the sync goes, in at most one line a second: the first change is told at once, what comes within the second after it in one line
 * at its end.
 *
 * Specification: while the tip is more than a day old, how far the chain is in time, from genesis to now, and how long the rest
 * takes at the pace of the last half minute, reckoned in the time of the chain as well. A chain that has yet to show its work has no
 * time that we know, so of that one heights are told, and both times that it is fetched count.
 *
 * Rationale: time needs nobody's word, while any peer can claim any height. Headers are spread about evenly over it: Core's share of
 * synced headers, `height / (height + (now - tip time) / spacing)`, comes to the same on mainnet. On a network where the target never
 * changes, time says nothing.
 */
import type { NodeFact } from "@satwire/node"
import type { PeerId } from "@satwire/machine"
import { type ChainParams, toHex } from "@satwire/primitives"
import type * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { counted } from "../Numbers.ts"
import { Pace, leftOf } from "./Pace.ts"
import { LINE_INTERVAL_MS, type Moment, everySecond } from "./EverySecond.ts"

/** From such an age of the tip on there is more to tell than its height. */
const FAR_BEHIND_SECONDS = 24 * 60 * 60

interface Reached {
  readonly height: number
  readonly hash: Uint8Array
  /** Seconds since 1970. */
  readonly time: number
  /** ` from 192.0.2.1:8333`, or nothing. */
  readonly from: string
}

/** A chain that has yet to show its work. */
interface Looked {
  readonly peer: PeerId
  readonly address: string
  readonly phase: "presync" | "redownload"
  readonly height: number
}

export class Progress {
  readonly #params: Pick<ChainParams, "genesis" | "powNoRetargeting" | "powTargetSpacing">
  readonly #news: Latch.Latch = Latch.makeUnsafe(false)
  readonly #addresses: Map<PeerId, string> = new Map()
  /** The height that each peer named in its handshake, for telling how far it is. */
  readonly #claimed: Map<PeerId, number> = new Map()
  #tip: Reached | undefined
  #isTipTold = true
  /** Of the best chain. */
  #height = 0
  #headers = 0
  #removed = 0
  readonly #tipPace: Pace = new Pace()
  #looked: Looked | undefined
  #lookedBefore: Looked | undefined
  readonly #lookPace: Pace = new Pace()

  constructor(params: Pick<ChainParams, "genesis" | "powNoRetargeting" | "powTargetSpacing">) {
    this.#params = params
  }

  /** Takes a fact in. */
  observe(fact: NodeFact): void {
    switch (fact._tag) {
      case "PeerReady":
        this.#addresses.set(fact.peer, fact.address)
        this.#claimed.set(fact.peer, fact.info.startHeight)
        return
      case "PeerDisconnecting":
        this.#addresses.delete(fact.peer)
        this.#claimed.delete(fact.peer)
        if (this.#looked?.peer === fact.peer) this.#looked = undefined
        return
      case "HeadersLoaded":
        this.#height = fact.height
        return
      case "HeadersAccepted":
        this.#headers += fact.count
        return
      case "Presynced":
        this.#observeLook(fact)
        return
      case "TipChanged": {
        const { height, hash, time } = fact.tip
        this.#tip = { height, hash, time, from: fact.from === undefined ? "" : ` from ${this.#addressOf(fact.from)}` }
        this.#height = height
        this.#removed += fact.removed
        this.#isTipTold = false
        this.#news.openUnsafe()
        return
      }
      default:
        return
    }
  }

  /** Of several peers whose chains are looked at, whoever is furthest is told of. */
  #observeLook({ height, peer, phase }: Pick<Looked, "peer" | "phase" | "height">): void {
    const looked = this.#looked
    if (looked !== undefined && looked.peer !== peer && !isFurther({ phase, height }, looked)) return
    if (looked?.peer !== peer || looked.phase !== phase) this.#lookPace.restart()
    this.#looked = { peer, phase, height, address: this.#addressOf(peer) }
    this.#news.openUnsafe()
  }

  /** Writes lines until it is interrupted. */
  lines(write: (line: string) => Effect.Effect<void>): Effect.Effect<never> {
    return everySecond(this.#news, (now, elapsedMs) => this.#line(now, elapsedMs), write)
  }

  /** What is new, and of two things the one that is kept. */
  #line(now: Moment, elapsedMs: number): string | undefined {
    const looked = this.#looked
    const isNew = looked !== this.#lookedBefore
    const before = this.#lookedBefore
    this.#lookedBefore = looked
    if (isNew && looked !== undefined) this.#lookPace.note(now.ms, looked.height)
    if (this.#tip !== undefined && !this.#isTipTold) return this.#tipLine(this.#tip, now, elapsedMs)
    return isNew && looked !== undefined ? this.#lookLine(looked, before, now, elapsedMs) : undefined
  }

  /** The rate where it was measured without a pause, and the rest where that is far. */
  #tipLine(tip: Reached, now: Moment, elapsedMs: number): string {
    const rate = rateOf(this.#headers, elapsedMs)
    const replaced = this.#removed > 0 ? `, ${counted(this.#removed, "header")} left for another chain` : ""
    const behind = now.unix - tip.time
    const isFar = behind > FAR_BEHIND_SECONDS && !this.#params.powNoRetargeting
    let far = this.#claimedShare(tip.height)
    let left = ""
    if (isFar) {
      this.#tipPace.note(now.ms, tip.time)
      far = `${this.#ofClaimed(tip.height)}${this.#timeShare(tip.time, now.unix)}`
      left = leftOf(this.#tipPace.msFor(behind))
    } else this.#tipPace.restart()
    this.#isTipTold = true
    this.#headers = 0
    this.#removed = 0
    return `Headers: height ${counted(tip.height)}${far}${rate}${tip.from}${left}${replaced}, tip ${toHex(tip.hash)}.`
  }

  #lookLine(
    { address, height, peer, phase }: Looked,
    before: Looked | undefined,
    now: Moment,
    elapsedMs: number
  ): string {
    const isSame = before?.peer === peer && before.phase === phase
    const rate = isSame ? rateOf(height - before.height, elapsedMs) : ""
    const claimed = this.#claimed.get(peer) ?? 0
    const { genesis, powTargetSpacing } = this.#params
    const goal = claimed > height ? claimed : Math.floor((now.unix - genesis.time) / powTargetSpacing)
    const named = claimed > height ? ` of ${counted(claimed)}` : ""
    const share = goal > height ? ` (~${Math.floor((100 * height) / goal)} %)` : ""
    const second = phase === "presync" ? goal - this.#height : 0
    const left = goal > height ? leftOf(this.#lookPace.msFor(goal - height + second)) : ""
    return `Headers: ${LOOKING[phase](address)}: height ${counted(height)}${named}${share}${rate}${left}.`
  }

  #addressOf(peer: PeerId): string {
    return this.#addresses.get(peer) ?? `peer ${peer}`
  }

  get #mostClaimed(): number {
    return Math.max(0, ...this.#claimed.values())
  }

  /** The highest height that a connected peer has named. */
  #ofClaimed(height: number): string {
    return this.#mostClaimed > height ? ` of ${counted(this.#mostClaimed)}` : ""
  }

  /** How much of it that is. */
  #claimedShare(height: number): string {
    const claimed = this.#mostClaimed
    return claimed > height ? ` of ${counted(claimed)} (${Math.floor((100 * height) / claimed)} %)` : ""
  }

  /** Up to which day the chain goes, and which share of the time since genesis that is. */
  #timeShare(time: number, unix: number): string {
    const genesis = this.#params.genesis.time
    const percent = Math.max(0, Math.floor((100 * (time - genesis)) / (unix - genesis)))
    return `, up to ${dayOf(time)} (~${percent} % of the time)`
  }
}

const LOOKING: Readonly<Record<Looked["phase"], (address: string) => string>> = {
  presync: (address) => `checking the work of the chain of ${address}`,
  redownload: (address) => `fetching the chain of ${address} again, to keep it`
}

const isFurther = (a: Pick<Looked, "phase" | "height">, b: Looked): boolean =>
  a.phase === b.phase ? a.height > b.height : a.phase === "redownload"

const rateOf = (headers: number, elapsedMs: number): string =>
  headers > 1 && elapsedMs < 2 * LINE_INTERVAL_MS ? `, ${counted((headers * 1000) / elapsedMs, "header")}/s` : ""

/** `2016-02-25`, in UTC. */
const dayOf = (unix: number): string => new Date(unix * 1000).toISOString().slice(0, 10)
