/**
 * One peer as a machine that asks for everything it needs: `Peer`, with its bytes and its wish to pause as outputs, and the questions that
 * are put to it.
 *
 * ```
 *   Opened, Bytes, Send, … ─▶ Peer ─▶ Ready, Pong, …
 *                              │ ▲
 *                     Received ▼ │ Send
 *   Ask, Cancel ───────────▶ Requests ─▶ Answered, Failed, Received
 *                              └───▶ one Write, then Pause where it changed
 * ```
 */
import type { Aead, Sha256, XOnlyCurve } from "@satwire/crypto"
import { InboundFraming, V1Framing, V2Framing, shouldRetryAsV1 } from "@satwire/framing"
import { type Instant, type Machine, type Now, type Outbox, type Random, assert, earliest } from "@satwire/machine"
import {
  type ConnectionKind,
  Peer,
  type PeerIdentity,
  type PeerInfo,
  type PeerInput,
  type PeerOutput,
  type PeerSnapshot,
  whyNotPermitted
} from "@satwire/peer"
import { firstMessage } from "./Request.ts"
import { Requests, type RequestsInput, type RequestsOutput } from "./Requests.ts"

export type SessionInput = PeerInput | Extract<RequestsInput, { readonly _tag: "Ask" | "Cancel" }>

export type SessionOutput =
  | PeerOutput
  | Extract<RequestsOutput, { readonly _tag: "Answered" | "Failed" }>
  /** To the connection. */
  | { readonly _tag: "Write"; readonly bytes: Uint8Array }
  /** Reading from the connection is to stop (`true`) or to go on. */
  | { readonly _tag: "Pause"; readonly paused: boolean }

/** Which transport protocol is spoken: one of both, or, where the other end began, whichever it did. */
export type Spoken = "v1" | "v2" | "either"

export interface SessionMachineOptions {
  readonly kind: ConnectionKind
  readonly spoken: Spoken
  readonly identity: PeerIdentity
  readonly magic: number
  readonly sha256: Sha256
  readonly aead: Aead
  readonly curve: XOnlyCurve
  readonly random: Random
}

export class SessionMachine implements Machine<SessionInput, SessionOutput> {
  readonly #options: SessionMachineOptions
  readonly #framing: V1Framing | V2Framing | InboundFraming
  readonly #requests: Requests
  /** Made with the first input, since only then the time is known. */
  #made: Peer | undefined = undefined
  #info: PeerInfo | undefined = undefined
  #paused = false
  /** Those of the turn that is under way. */
  #now: Now | undefined = undefined
  #out: Outbox<SessionOutput> = { push: () => {} }
  readonly #fromPeer: Outbox<PeerOutput> = { push: (output) => this.#peerSays(output) }
  readonly #fromRequests: Outbox<RequestsOutput> = { push: (output) => this.#requestsSay(output) }

  constructor(options: SessionMachineOptions) {
    this.#options = options
    this.#framing = framingOf(options)
    this.#requests = new Requests(options.sha256)
  }

  handle(input: SessionInput, now: Now, out: Outbox<SessionOutput>): void {
    this.#now = now
    this.#out = out
    if (input._tag === "Opened") this.#made = this.#makePeer(now)
    const peer = this.#peer
    if (input._tag === "Ask") this.#ask(input)
    else if (input._tag === "Cancel") this.#requests.handle(input, now, this.#fromRequests)
    else {
      if (input._tag === "Timeout") this.#requests.handle({ _tag: "Timeout" }, now, this.#fromRequests)
      peer.handle(input, now, this.#fromPeer)
    }
    this.#write()
    const paused = peer.shouldPause
    if (paused === this.#paused) return
    this.#paused = paused
    out.push({ _tag: "Pause", paused })
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#made?.nextTimeout(), this.#requests.nextTimeout())
  }

  snapshot(): PeerSnapshot {
    return this.#peer.snapshot()
  }

  /** Whether this was v2 with somebody who seems to know only v1, so that dialling again in that is worth it (BIP-0324). */
  get shouldRetryAsV1(): boolean {
    return this.#framing instanceof V2Framing && shouldRetryAsV1(this.#framing.attempt)
  }

  get #peer(): Peer {
    assert(this.#made !== undefined, "a session begins with Opened")
    return this.#made
  }

  #makePeer(now: Now): Peer {
    const { kind, identity, random } = this.#options
    return new Peer({ kind, identity, framing: this.#framing, random, openedAt: now.instant })
  }

  /** What the peer cannot be asked fails at once, before it is sent and costs the connection. */
  #ask(input: SessionInput & { readonly _tag: "Ask" }): void {
    const why =
      this.#info === undefined ? "the session is over" : whyNotPermitted(this.#info, firstMessage(input.request))
    if (why !== undefined) {
      this.#out.push({ _tag: "Failed", id: input.id, fault: { _tag: "NotPermitted", why } })
      return
    }
    this.#requests.handle(input, this.#now as Now, this.#fromRequests)
  }

  #peerSays(output: PeerOutput): void {
    switch (output._tag) {
      case "Received":
        return this.#requests.handle(output, this.#now as Now, this.#fromRequests)
      case "Disconnect":
        // What was said before the end is still to leave.
        this.#write()
        break
      case "Ready":
        this.#info = output.info
        break
      default:
        break
    }
    this.#out.push(output)
  }

  #requestsSay(output: RequestsOutput): void {
    switch (output._tag) {
      case "Send":
        return this.#peer.handle(output, this.#now as Now, this.#fromPeer)
      case "Unclaimed":
        return this.#out.push({ _tag: "Received", message: output.message })
      default:
        return this.#out.push(output)
    }
  }

  #write(): void {
    const bytes = this.#peer.takeOutput(this.#now as Now)
    if (bytes !== undefined) this.#out.push({ _tag: "Write", bytes })
  }
}

const framingOf = (options: SessionMachineOptions): V1Framing | V2Framing | InboundFraming => {
  const { kind, spoken, magic, sha256, aead, curve, random } = options
  switch (spoken) {
    case "v1":
      return new V1Framing({ magic, sha256 })
    case "v2":
      return new V2Framing({ magic, initiating: kind !== "inbound", aead, curve, random })
    case "either":
      return new InboundFraming({ magic, sha256, aead, curve, random })
  }
}
