/**
 * Passes messages of an application from peer to peer, each to each peer once.
 *
 * ```
 *   Received ─▶ rates ─▶ decode ─▶ hops, expiry ─▶ seen? ─▶ signature ─▶ Deliver
 *                 │         │           │            │          │        Forward to others, one hop more
 *               Pause    invalid     expired …   (dropped)   forged             or Crowded (`Passing.ts`)
 * ```
 *
 * Specification: a message is delivered and passed on when its id is seen for the first time, and never else. It never goes back to whom
 * it came from, to its origin, or to a peer that has it from us. Rationale: so no message goes round, whatever the peers are joined like.
 *
 * Specification: an id counts as seen only after its signature was found valid. Rationale: the id is not over the signature, and who spoils
 * signatures could otherwise keep the true message out.
 *
 * Specification: a message for one node goes to it alone where it is connected, and else to a few; on the way nobody delivers it.
 *
 * It knows no connection: what is to be done comes out. Bytes that come in are the caller's again afterwards; those that go out are shared
 * by all outputs of a message, and nobody's to change.
 */
import { copyOut } from "@satwire/bytes"
import {
  type Envelope,
  type EnvelopeError,
  decodeEnvelope,
  encodeEnvelope,
  encodeSigned,
  envelopeId,
  isSignedBy,
  setHops
} from "@satwire/envelope"
import {
  Deadlines,
  type Flow,
  IdMap,
  type Instant,
  type Machine,
  type Now,
  type Outbox,
  PASSED_ON,
  type PeerId,
  UnixSeconds,
  after,
  assert,
  earliest,
  shuffle
} from "@satwire/machine"
import * as Result from "effect/Result"
import { type Offence, endsSession } from "./Offence.ts"
import { passing } from "./Passing.ts"
import {
  CLEAN_UP_INTERVAL_MS,
  CLOCKS_APART_SECONDS,
  RELAY_EXPIRY_SECONDS,
  type RelayOptions,
  SIGNED_COSTS,
  settingsOf
} from "./RelayOptions.ts"
import { RelayPeer } from "./RelayPeer.ts"
import { SeenIds } from "./SeenIds.ts"
import { Slab } from "./Slab.ts"

export type RelayInput =
  /** A session stands; `nodeId` is who the other end proved, or says, to be. */
  | { readonly _tag: "PeerJoined"; readonly peer: PeerId; readonly nodeId: string }
  | { readonly _tag: "PeerLeft"; readonly peer: PeerId }
  /** One encoded envelope. */
  | { readonly _tag: "Received"; readonly peer: PeerId; readonly bytes: Uint8Array }
  | {
      readonly _tag: "Send"
      readonly type: string
      readonly body: Uint8Array
      /** The one node that it is for; `undefined` for all. */
      readonly target: string | undefined
      /** At most and, where not given, {@link RELAY_EXPIRY_SECONDS}. */
      readonly expirySeconds?: number | undefined
    }
  | { readonly _tag: "Timeout" }

export type RelayOutput =
  | { readonly _tag: "Forward"; readonly peer: PeerId; readonly bytes: Uint8Array }
  /** A message for us, in memory of its own. */
  | { readonly _tag: "Deliver"; readonly envelope: Envelope; readonly id: Uint8Array; readonly from: PeerId }
  /** What we sent, and to how many; 0 where nobody is there to whom it may go. */
  | { readonly _tag: "Sent"; readonly id: Uint8Array; readonly peers: number }
  /** What we were to send is none that can be said. */
  | { readonly _tag: "Unsendable"; readonly error: EnvelopeError }
  /** What a peer did wrong. Where `isOver`, nothing more is taken of it: its session should be closed. */
  | { readonly _tag: "Offended"; readonly peer: PeerId; readonly offence: Offence; readonly isOver: boolean }
  /** A peer brought messages that went no further since it was last told so: it, or all together, bring more than is passed on. */
  | { readonly _tag: "Crowded"; readonly peer: PeerId; readonly messages: number }
  /** Whether the peer should be read. */
  | { readonly _tag: "Pause"; readonly peer: PeerId; readonly paused: boolean }

const TWO_21 = 0x20_0000

export class MessageRelay implements Machine<RelayInput, RelayOutput> {
  readonly #settings: ReturnType<typeof settingsOf>
  readonly #peers: IdMap<PeerId, RelayPeer> = new IdMap()
  /** By node id, for messages to one node; of two sessions with one node the later. */
  readonly #byNodeId: Map<string, RelayPeer> = new Map()
  readonly #freeSlots: Array<number>
  readonly #seen: SeenIds
  readonly #slab: Slab = new Slab()
  /** The same peers: going through a map of thousands of messages a second costs more than keeping a list (measured). */
  #list: ReadonlyArray<RelayPeer> = []
  /** When paused peers are read again. */
  readonly #resumes: Deadlines<PeerId> = new Deadlines()
  #cleanUpAt: Instant | undefined = undefined
  /** Of all peers together; it begins with the first. */
  #passing: Flow | undefined = undefined

  constructor(options: RelayOptions) {
    const settings = settingsOf(options)
    this.#settings = settings
    this.#freeSlots = Array.from({ length: settings.maxPeers }, (_, i) => settings.maxPeers - 1 - i)
    this.#seen = new SeenIds(settings.maxSeen, settings.maxPeers, settings.random)
  }

  handle(input: RelayInput, now: Now, out: Outbox<RelayOutput>): void {
    switch (input._tag) {
      case "PeerJoined":
        return this.#joined(input.peer, input.nodeId, now.instant)
      case "PeerLeft":
        return this.#left(input.peer)
      case "Received":
        return this.#received(input.peer, input.bytes, now, out)
      case "Send":
        return this.#send(input, now, out)
      case "Timeout":
        return this.#timeout(now, out)
    }
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#cleanUpAt, this.#resumes.earliest())
  }

  /** How many peers there are, and how many ids are remembered. */
  get size(): { readonly peers: number; readonly seen: number } {
    return { peers: this.#peers.size, seen: this.#seen.size }
  }

  /** Whether one more peer may join. */
  get hasRoom(): boolean {
    return this.#freeSlots.length > 0
  }

  #joined(id: PeerId, nodeId: string, now: Instant): void {
    const slot = this.#freeSlots.pop()
    assert(slot !== undefined && !this.#peers.has(id), "a peer joins once, and only where there is room")
    const { maxBytes, rates } = this.#settings
    const peer = new RelayPeer(id, nodeId, slot, rates, maxBytes, now)
    this.#passing ??= passing(rates, PASSED_ON, maxBytes, now)
    this.#peers.set(id, peer)
    this.#list = [...this.#list, peer]
    this.#byNodeId.set(nodeId, peer)
  }

  #left(id: PeerId): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    this.#peers.delete(id)
    this.#list = this.#list.filter((other) => other !== peer)
    if (this.#byNodeId.get(peer.nodeId) === peer) this.#foundBy(peer.nodeId)
    this.#resumes.set(id, undefined)
    this.#seen.forgetSender(peer.slot)
    this.#freeSlots.push(peer.slot)
  }

  /** Who claimed a node id and went takes nobody else of that id along. */
  #foundBy(nodeId: string): void {
    const other = this.#list.findLast((one) => one.nodeId === nodeId)
    if (other === undefined) this.#byNodeId.delete(nodeId)
    else this.#byNodeId.set(nodeId, other)
  }

  #offended(peer: RelayPeer, offence: Offence, now: Now, out: Outbox<RelayOutput>): void {
    const isOver = endsSession(offence) || peer.faulted(now.instant)
    out.push({ _tag: "Offended", peer: peer.id, offence, isOver })
    if (isOver) this.#left(peer.id)
  }

  #received(id: PeerId, bytes: Uint8Array, now: Now, out: Outbox<RelayOutput>): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    if (!this.#isWithinRates(peer, 1, bytes.length, now, out)) return
    const { maxBytes } = this.#settings
    const decoded = decodeEnvelope(bytes, maxBytes)
    if (Result.isFailure(decoded)) {
      const { kind } = decoded.failure
      const _tag = kind === "overLimit" ? "Oversized" : "Invalid"
      return this.#offended(peer, { _tag, error: decoded.failure }, now, out)
    }
    const envelope = decoded.success
    const wrong = this.#wrongTimes(envelope, now)
    if (wrong !== undefined) return this.#offended(peer, wrong, now, out)
    // Over, or too far ahead by our clock, but not by that of whoever passed it on.
    if (envelope.expires <= now.unix || envelope.expires > now.unix + RELAY_EXPIRY_SECONDS + CLOCKS_APART_SECONDS)
      return
    if (envelope.origin === this.#settings.nodeId) return this.#offended(peer, { _tag: "Looping" }, now, out)
    this.#judged(peer, bytes, envelope, now, out)
  }

  /** An envelope that is one, and in time. */
  #judged(peer: RelayPeer, bytes: Uint8Array, envelope: Envelope, now: Now, out: Outbox<RelayOutput>): void {
    const { signature, expires } = envelope
    const id = envelopeId(this.#settings.sha256, bytes, signature !== undefined)
    const place = this.#seen.find(id)
    if (place >= 0) {
      if (this.#seen.sentBy(place, peer.slot)) this.#offended(peer, { _tag: "Replayed", id }, now, out)
      return
    }
    if (signature === undefined) {
      if (this.#settings.mustBeSigned) return this.#offended(peer, { _tag: "Unsigned", id }, now, out)
    } else {
      if (!this.#isWithinRates(peer, SIGNED_COSTS, 0, now, out)) return
      if (!isSignedBy(this.#settings.signatures, envelope, id))
        return this.#offended(peer, { _tag: "Forged", id }, now, out)
    }
    this.#remember(id, expires, peer.slot, now)
    this.#passOn(peer, bytes, envelope, id, now, out)
  }

  /** Delivers and passes on, of one copy. */
  #passOn(
    peer: RelayPeer,
    bytes: Uint8Array,
    envelope: Envelope,
    id: Uint8Array,
    now: Now,
    out: Outbox<RelayOutput>
  ): void {
    const { nodeId, maxHops } = this.#settings
    const { target, origin, hops } = envelope
    const next = setHops(this.#slab.copy(bytes), hops + 1)
    if (target === undefined || target === nodeId)
      out.push({ _tag: "Deliver", envelope: ownedBy(envelope, bytes, next), id, from: peer.id })
    if (target === nodeId || hops + 1 >= maxHops) return
    const to = this.#chosen(target, origin, peer, now)
    if (to.length === 0 || !this.#mayGoOn(peer, envelope, next.length, now.instant, out)) return
    for (const one of to) out.push({ _tag: "Forward", peer: one, bytes: next })
  }

  #mayGoOn(peer: RelayPeer, { signature }: Envelope, bytes: number, now: Instant, out: Outbox<RelayOutput>): boolean {
    // What it counts for at the next relay.
    const messages = signature === undefined ? 1 : 1 + SIGNED_COSTS
    const all = this.#passing
    if (all?.has(messages, bytes, now) === true && peer.passing.take(messages, bytes, now)) {
      return all.take(messages, bytes, now)
    }
    const crowded = peer.crowded(now)
    if (crowded > 0) out.push({ _tag: "Crowded", peer: peer.id, messages: crowded })
    return false
  }

  #send(input: Extract<RelayInput, { readonly _tag: "Send" }>, now: Now, out: Outbox<RelayOutput>): void {
    const { key, nodeId, sha256, random } = this.#settings
    const { type, target, body, expirySeconds = RELAY_EXPIRY_SECONDS } = input
    const content = {
      type,
      nonce: random.below(TWO_21) * 0x1_0000_0000 + random.u32(),
      expires: UnixSeconds(Math.floor(now.unix + Math.min(expirySeconds, RELAY_EXPIRY_SECONDS))),
      target,
      body
    }
    const encoded =
      key === undefined
        ? encodeEnvelope({ ...content, origin: nodeId, hops: 0, signature: undefined })
        : encodeSigned(content, key, sha256, random.bytes(32))
    if (Result.isFailure(encoded)) {
      out.push({ _tag: "Unsendable", error: encoded.failure })
      return
    }
    const bytes = encoded.success
    const id = envelopeId(sha256, bytes, key !== undefined)
    this.#remember(id, content.expires, undefined, now)
    const peers = this.#chosen(target, nodeId, undefined, now)
    for (const peer of peers) out.push({ _tag: "Forward", peer, bytes })
    out.push({ _tag: "Sent", id, peers: peers.length })
  }

  /** To whom a message goes. */
  #chosen(target: string | undefined, origin: string, from: RelayPeer | undefined, now: Now): Array<PeerId> {
    if (target !== undefined) {
      const there = this.#byNodeId.get(target)
      if (there !== undefined) return there === from ? [] : [there.id]
    }
    const chosen: Array<PeerId> = []
    for (const peer of this.#list)
      if (peer !== from && peer.nodeId !== origin && this.#isRelayedTo(peer, now.instant)) chosen.push(peer.id)
    const { targetFanout, random } = this.#settings
    return target === undefined || chosen.length <= targetFanout
      ? chosen
      : shuffle(random, chosen).slice(0, targetFanout)
  }

  #isRelayedTo(peer: RelayPeer, now: Instant): boolean {
    const { mode, scores, validators, threshold } = this.#settings
    if (mode === "flood") return true
    return mode === "selective" ? scores.score(peer.nodeId, now) >= threshold : validators.has(peer.nodeId)
  }

  #wrongTimes({ hops, expires }: Envelope, now: Now): Offence | undefined {
    if (hops >= this.#settings.maxHops) return { _tag: "TooManyHops", hops }
    if (expires + CLOCKS_APART_SECONDS <= now.unix) return { _tag: "Expired", expires }
    return expires > now.unix + RELAY_EXPIRY_SECONDS + 2 * CLOCKS_APART_SECONDS
      ? { _tag: "ExpiresTooLate", expires }
      : undefined
  }

  #remember(id: Uint8Array, expires: UnixSeconds, slot: number | undefined, now: Now): void {
    this.#cleanUpAt ??= after(now.instant, CLEAN_UP_INTERVAL_MS)
    this.#seen.add(id, expires, slot)
  }

  #isWithinRates(peer: RelayPeer, messages: number, bytes: number, now: Now, out: Outbox<RelayOutput>): boolean {
    const verdict = peer.count(messages, bytes, now.instant)
    if (verdict === "flooding") {
      this.#offended(peer, { _tag: "Flooding" }, now, out)
      return false
    }
    if (verdict === "paused" && !peer.isPaused) {
      peer.isPaused = true
      this.#resumes.set(peer.id, after(now.instant, peer.pauseMs(now.instant)))
      out.push({ _tag: "Pause", peer: peer.id, paused: true })
    }
    return true
  }

  #timeout(now: Now, out: Outbox<RelayOutput>): void {
    for (let id = this.#resumes.takeDue(now.instant); id !== undefined; id = this.#resumes.takeDue(now.instant)) {
      const peer = this.#peers.get(id)
      if (peer === undefined) continue
      peer.isPaused = false
      out.push({ _tag: "Pause", peer: id, paused: false })
    }
    if (this.#cleanUpAt === undefined || this.#cleanUpAt > now.instant) return
    this.#seen.sweep(now.unix)
    this.#cleanUpAt = this.#seen.size === 0 ? undefined : after(now.instant, CLEAN_UP_INTERVAL_MS)
  }
}

/** The envelope with its views in a copy of what it was read from. */
const ownedBy = (envelope: Envelope, bytes: Uint8Array, copy: Uint8Array): Envelope => {
  const { type, origin, nonce, expires, target, body, hops, signature } = envelope
  const from = body.byteOffset - bytes.byteOffset
  return {
    type,
    origin,
    nonce,
    expires,
    target,
    body: copy.subarray(from, from + body.length),
    hops,
    signature: signature && { key: signature.key, bytes: copyOut(signature.bytes) }
  }
}
