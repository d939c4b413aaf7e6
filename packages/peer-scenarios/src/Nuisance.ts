/**
 * A peer that never becomes one: it takes up connections, time and mathematics, and breaks no rule that could be told from bad luck. What
 * it does to a node has to stay its own trouble.
 */
import { portableAead, portableCurve } from "@satwire/crypto"
import { V1Framing, V2Framing } from "@satwire/framing"
import { type Instant, type Now, type Outbox, type PeerId, type Random, after, earliest } from "@satwire/machine"
import type { NodeCoreInput, NodeCoreOutput } from "@satwire/node-core"
import { type ChainParams, ZERO_HASH } from "@satwire/primitives"
import { type GetHeaders, NO_ADDRESS, PROTOCOL_VERSION, VERACK, type Version } from "@satwire/wire"
import { type Actor, sha256 } from "@satwire/simulator"

export type Annoyance =
  /** Opens a connection and never says a word. */
  | "says nothing"
  /** A byte of a key and of garbage now and then, for as long as it is listened to. */
  | "dribbles"
  /** A key that is good for one exchange, and nothing behind it. */
  | "buys an exchange"
  /** A `version` in either transport, and no `verack`. */
  | "stops halfway"
  /** Shakes hands in v2 and then says nothing, at length. */
  | "sends decoys"
  /** Asks and asks and takes no answer. */
  | "never reads"
  /** Hangs up after any number of a handshake's bytes. */
  | "hangs up"

export const ANNOYANCES: ReadonlyArray<Annoyance> = [
  "says nothing",
  "dribbles",
  "buys an exchange",
  "stops halfway",
  "sends decoys",
  "never reads",
  "hangs up"
]

const DRIBBLE_MS = 150
const FLOOD_MS = 20
/** Four packets of 16 KiB at a time. */
const DECOYS = 4
const DECOY_BYTES = 16_384
const QUESTIONS = 20
/** After so many rounds it rests: sealing decoys takes our time as well as the node's. */
const ROUNDS = 16

interface Victim {
  readonly peer: PeerId
  /** Says the handshake, in the transport that was drawn. */
  readonly framing: V1Framing | V2Framing
  next: Instant | undefined
  rounds: number
}

export class Nuisance implements Actor {
  readonly annoyance: Annoyance
  readonly #params: ChainParams
  readonly #random: Random
  readonly #victims: Map<PeerId, Victim> = new Map()

  constructor(annoyance: Annoyance, params: ChainParams, random: Random) {
    this.annoyance = annoyance
    this.#params = params
    this.#random = random
  }

  nextTimeout(): Instant | undefined {
    let next: Instant | undefined = undefined
    for (const victim of this.#victims.values()) next = earliest(next, victim.next)
    return next
  }

  handle(input: NodeCoreInput, now: Now, out: Outbox<NodeCoreOutput>): void {
    switch (input._tag) {
      case "ConnectionOpened": {
        const victim: Victim = { peer: input.peer, framing: this.#framing(), next: undefined, rounds: 0 }
        this.#victims.set(input.peer, victim)
        return this.#begin(victim, now, out)
      }
      case "BytesReceived": {
        const victim = this.#victims.get(input.peer)
        if (victim !== undefined) this.#hear(victim, input.chunk, now, out)
        return
      }
      case "ConnectionClosed":
        this.#victims.delete(input.peer)
        return
      case "Timeout":
        for (const victim of this.#victims.values()) {
          if ((victim.next ?? Infinity) <= now.instant) this.#goOn(victim, now, out)
        }
        return
      default:
        return
    }
  }

  #framing(): V1Framing | V2Framing {
    const { magic } = this.#params
    const isV2 = this.annoyance === "sends decoys" || (this.annoyance !== "never reads" && this.#random.below(2) === 0)
    return isV2
      ? new V2Framing({ magic, initiating: true, aead: portableAead, curve: portableCurve, random: this.#random })
      : new V1Framing({ magic, sha256 })
  }

  #begin(victim: Victim, now: Now, out: Outbox<NodeCoreOutput>): void {
    const { peer, framing } = victim
    switch (this.annoyance) {
      case "says nothing":
        return
      case "dribbles":
        victim.next = after(now.instant, DRIBBLE_MS)
        return
      case "buys an exchange":
        return write(peer, this.#random.bytes(64), out)
      case "stops halfway":
      case "sends decoys":
        framing.send(aVersion(this.#random))
        return write(peer, framing.takeOutput(), out)
      case "never reads":
        framing.send(aVersion(this.#random))
        framing.send(VERACK)
        out.push({ _tag: "Pause", peer, paused: true })
        victim.next = after(now.instant, FLOOD_MS)
        return write(peer, framing.takeOutput(), out)
      case "hangs up": {
        framing.send(aVersion(this.#random))
        framing.send(VERACK)
        const bytes = framing.takeOutput() ?? new Uint8Array(0)
        write(peer, bytes.slice(0, this.#random.below(bytes.length + 1)), out)
        this.#victims.delete(peer)
        out.push({ _tag: "Close", peer })
      }
    }
  }

  #hear(victim: Victim, chunk: Uint8Array, now: Now, out: Outbox<NodeCoreOutput>): void {
    if (this.annoyance !== "sends decoys" && this.annoyance !== "stops halfway") return
    const { framing } = victim
    framing.receive(chunk)
    while (framing.next() !== undefined);
    framing.release()
    write(victim.peer, framing.takeOutput(), out)
    if (this.annoyance === "sends decoys" && victim.rounds === 0) victim.next ??= after(now.instant, FLOOD_MS)
  }

  #goOn(victim: Victim, now: Now, out: Outbox<NodeCoreOutput>): void {
    const { peer, framing } = victim
    victim.next = after(now.instant, this.annoyance === "dribbles" ? DRIBBLE_MS : FLOOD_MS)
    if (this.annoyance === "dribbles") return write(peer, this.#random.bytes(1), out)
    victim.rounds += 1
    if (victim.rounds === ROUNDS) victim.next = undefined
    if (framing instanceof V2Framing) {
      for (let i = 0; i < DECOYS; i++) framing.sendDecoy(DECOY_BYTES)
    } else {
      for (let i = 0; i < QUESTIONS; i++) framing.send({ ...GETHEADERS, locator: [this.#params.genesisHash] })
    }
    write(peer, framing.takeOutput(), out)
  }
}

const write = (peer: PeerId, bytes: Uint8Array | undefined, out: Outbox<NodeCoreOutput>): void => {
  if (bytes !== undefined && bytes.length > 0) out.push({ _tag: "Write", peer, bytes })
}

const GETHEADERS: GetHeaders = {
  _tag: "getheaders",
  protocolVersion: PROTOCOL_VERSION,
  locator: [],
  stopHash: ZERO_HASH
}

const aVersion = (random: Random): Version => ({
  _tag: "version",
  protocolVersion: PROTOCOL_VERSION,
  services: 0n,
  time: 0n,
  receiver: NO_ADDRESS,
  sender: NO_ADDRESS,
  nonce: random.u64(),
  userAgent: "/nuisance:1.0/",
  startHeight: 0,
  relay: false
})
