/**
 * All sessions of a node and the relay over them, as one machine: bytes of each in, one write for each a turn out.
 *
 * ```
 *   Opened ─▶ awaiting hello ─▶ awaiting proof ─▶ joined ─▶ gone
 *                    │        (of a key)  │          │
 *                    └────────────────────┴──────────┴──▶ Ended, with the reason
 * ```
 *
 * Specification: who is too fast is not read on, and who does not take what is sent gets nothing more until it does, and is let go after
 * half a minute. Rationale: so neither holds up anybody else, and what waits for each is bounded.
 */
import type { SchnorrKey } from "@satwire/crypto"
import { MAX_ENVELOPE_BYTES } from "@satwire/envelope"
import {
  Deadlines,
  type Instant,
  type Machine,
  type Now,
  type Outbox,
  type PeerId,
  after,
  earliest
} from "@satwire/machine"
import { MessageRelay, type RelayInput, type RelayOptions, type RelayOutput } from "@satwire/message-relay"
import type { CloseReason } from "@satwire/transport"
import { FrameKind } from "./Frame.ts"
import { Capability, type Hello, decodeHello, encodeHello, isProven, keyOf, prove } from "./Hello.ts"
import { COMPRESS_FROM_BYTES, type Deflate, Packer, Unpacker } from "./Packing.ts"
import type { SessionEnd } from "./SessionEnd.ts"
import { HANDSHAKE_TIMEOUT_MS, PING_AFTER_MS, SessionState } from "./SessionState.ts"

/**
 * Sessions that came in and have not introduced themselves. Of more the oldest ends: who says nothing would else keep all others out.
 *
 * @limit overlay sessions that came in and are in their handshake
 */
export const MAX_UNINTRODUCED = 32

/** Who a session is with. */
export interface SessionInfo {
  readonly nodeId: string
  /** Whether it has proven that id, which is its key; any other id is what it says. */
  readonly isProven: boolean
}

export type OverlayInput =
  | { readonly _tag: "Opened"; readonly peer: PeerId; readonly isInbound: boolean }
  | { readonly _tag: "Bytes"; readonly peer: PeerId; readonly chunk: Uint8Array }
  /** Too much that was written waits, or nothing any more. */
  | { readonly _tag: "Behind"; readonly peer: PeerId; readonly isBehind: boolean }
  | { readonly _tag: "Gone"; readonly peer: PeerId; readonly reason: CloseReason }
  | { readonly _tag: "Leave"; readonly peer: PeerId }
  | Extract<RelayInput, { readonly _tag: "Send" }>
  | { readonly _tag: "Timeout" }

export type OverlayOutput =
  | { readonly _tag: "Write"; readonly peer: PeerId; readonly bytes: Uint8Array }
  | { readonly _tag: "Joined"; readonly peer: PeerId; readonly info: SessionInfo }
  /** The session is over: its connection is to be closed. `missed` messages did not reach it, because it was behind. */
  | { readonly _tag: "Ended"; readonly peer: PeerId; readonly end: SessionEnd; readonly missed: number }
  | Exclude<RelayOutput, { readonly _tag: "Forward" }>

export interface OverlayOptions extends RelayOptions {
  readonly deflate?: Deflate | undefined
}

export class OverlayMachine implements Machine<OverlayInput, OverlayOutput> {
  readonly #options: OverlayOptions
  readonly #maxBytes: number
  readonly #capabilities: number
  readonly #relay: MessageRelay
  readonly #sessions: Map<PeerId, SessionState> = new Map()
  readonly #nodeIds: Set<string> = new Set()
  readonly #deadlines: Deadlines<PeerId> = new Deadlines()
  /** Whom this turn has bytes for. */
  readonly #written: Set<SessionState> = new Set()
  readonly #relayed: Array<RelayOutput> = []
  /** The oldest first. */
  readonly #unintroduced: Set<PeerId> = new Set()

  constructor(options: OverlayOptions) {
    this.#options = options
    this.#maxBytes = options.maxBytes ?? MAX_ENVELOPE_BYTES
    this.#capabilities = Capability.delta | (options.deflate === undefined ? 0 : Capability.deflate)
    this.#relay = new MessageRelay(options)
  }

  /** What it holds. */
  get size(): { readonly sessions: number; readonly peers: number; readonly seen: number } {
    return { sessions: this.#sessions.size, ...this.#relay.size }
  }

  handle(input: OverlayInput, now: Now, out: Outbox<OverlayOutput>): void {
    this.#take(input, now, out)
    for (const session of this.#written) {
      const bytes = session.takeWritten()
      if (bytes !== undefined) out.push({ _tag: "Write", peer: session.peer, bytes })
    }
    this.#written.clear()
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#relay.nextTimeout(), this.#deadlines.earliest())
  }

  #take(input: OverlayInput, now: Now, out: Outbox<OverlayOutput>): void {
    switch (input._tag) {
      case "Opened":
        return this.#opened(input.peer, input.isInbound, now, out)
      case "Bytes":
        return this.#bytes(input.peer, input.chunk, now, out)
      case "Behind":
        return this.#behind(input.peer, input.isBehind, now)
      case "Gone":
        return this.#end(input.peer, { _tag: "Closed", reason: input.reason }, now, out)
      case "Leave":
        return this.#end(input.peer, { _tag: "Left" }, now, out)
      case "Send":
        return this.#tell(input, now, out)
      case "Timeout":
        this.#tell(input, now, out)
        return this.#timeouts(now, out)
    }
  }

  #opened(peer: PeerId, isInbound: boolean, now: Now, out: Outbox<OverlayOutput>): void {
    const { nodeId, random } = this.#options
    const ours: Hello = { nodeId, capabilities: this.#capabilities, challenge: random.bytes(32) }
    const session = new SessionState(peer, isInbound, this.#maxBytes, ours)
    session.heardAt = now.instant
    this.#sessions.set(peer, session)
    if (isInbound) {
      if (!this.#relay.hasRoom) return this.#end(peer, { _tag: "NoRoom" }, now, out)
      const [oldest] = this.#unintroduced
      if (oldest !== undefined && this.#unintroduced.size >= MAX_UNINTRODUCED) {
        this.#end(oldest, { _tag: "NoRoom" }, now, out)
      }
      this.#unintroduced.add(peer)
    }
    this.#deadlines.set(peer, after(now.instant, HANDSHAKE_TIMEOUT_MS))
    this.#write(session, FrameKind.hello, encodeHello(ours))
  }

  #bytes(peer: PeerId, chunk: Uint8Array, now: Now, out: Outbox<OverlayOutput>): void {
    const session = this.#sessions.get(peer)
    if (session === undefined) return
    session.heardAt = now.instant
    const isWhole = session.reader.read(chunk, (kind, payload) => {
      const wrong = this.#frame(session, kind, payload, now, out)
      if (wrong !== undefined) this.#end(peer, { _tag: wrong }, now, out)
      return !session.isOver
    })
    if (!isWhole) this.#end(peer, { _tag: "BadFrame" }, now, out)
  }

  /** What a frame breaks, if anything. */
  #frame(
    session: SessionState,
    kind: number,
    payload: Uint8Array,
    now: Now,
    out: Outbox<OverlayOutput>
  ): Exclude<SessionEnd["_tag"], "Closed" | "Offence"> | undefined {
    if (session.unpacker === undefined) return this.#introduced(session, kind, payload, now, out)
    if (kind === FrameKind.ping) {
      if (payload.length > 0) return "BadFrame"
      // A ping costs us an answer: it counts among what a peer may send.
      if (session.mayPong(now.instant)) this.#write(session, FrameKind.pong, payload)
      return undefined
    }
    if (kind === FrameKind.pong) return payload.length > 0 ? "BadFrame" : undefined
    if (kind !== FrameKind.envelope && kind !== FrameKind.deflated && kind !== FrameKind.delta) return "BadFrame"
    const bytes = session.unpacker.unpack(kind, payload)
    if (bytes === undefined) return "BadCompression"
    this.#tell({ _tag: "Received", peer: session.peer, bytes }, now, out)
    return undefined
  }

  /** One of the first frames. */
  #introduced(
    session: SessionState,
    kind: number,
    payload: Uint8Array,
    now: Now,
    out: Outbox<OverlayOutput>
  ): Exclude<SessionEnd["_tag"], "Closed" | "Offence"> | undefined {
    const { theirs, ours } = session
    const { key, signatures, random, nodeId } = this.#options
    if (theirs === undefined) {
      if (kind !== FrameKind.hello) return "OtherProtocol"
      const hello = decodeHello(payload)
      if (typeof hello === "string") return hello
      if (hello.nodeId === nodeId) return "Ourselves"
      session.theirs = hello
      if (key !== undefined && keyOf(nodeId) !== undefined)
        this.#write(session, FrameKind.proof, prove(key, ours, hello, random.bytes(32)))
      return keyOf(hello.nodeId) === undefined ? this.#join(session, hello, false, now, out) : undefined
    }
    if (kind !== FrameKind.proof || !isProven(signatures, payload, theirs, ours)) return "BadProof"
    return this.#join(session, theirs, true, now, out)
  }

  #join(
    session: SessionState,
    { nodeId, capabilities }: Hello,
    isProven: boolean,
    now: Now,
    out: Outbox<OverlayOutput>
  ): "KnownAlready" | "NoRoom" | undefined {
    if (this.#nodeIds.has(nodeId)) return "KnownAlready"
    if (!this.#relay.hasRoom) return "NoRoom"
    this.#nodeIds.add(nodeId)
    this.#unintroduced.delete(session.peer)
    session.packer = new Packer(this.#options.deflate, capabilities & this.#capabilities)
    session.unpacker = new Unpacker(this.#options.deflate, this.#capabilities, this.#maxBytes)
    this.#deadlines.set(session.peer, after(now.instant, PING_AFTER_MS))
    this.#tell({ _tag: "PeerJoined", peer: session.peer, nodeId }, now, out)
    out.push({ _tag: "Joined", peer: session.peer, info: { nodeId, isProven } })
    return undefined
  }

  #end(peer: PeerId, end: SessionEnd, now: Now, out: Outbox<OverlayOutput>): void {
    const session = this.#sessions.get(peer)
    if (session === undefined) return
    session.isOver = true
    this.#sessions.delete(peer)
    this.#deadlines.set(peer, undefined)
    this.#written.delete(session)
    this.#unintroduced.delete(peer)
    if (session.unpacker !== undefined && session.theirs !== undefined) {
      this.#nodeIds.delete(session.theirs.nodeId)
      this.#tell({ _tag: "PeerLeft", peer }, now, out)
    }
    out.push({ _tag: "Ended", peer, end, missed: session.missed })
  }

  /** Tells the relay, and does what it says. */
  #tell(input: RelayInput, now: Now, out: Outbox<OverlayOutput>): void {
    // A relay's own outputs make no inputs of it, but for a session that ends.
    const from = this.#relayed.length
    this.#relay.handle(input, now, this.#relayed)
    const outputs = this.#relayed.splice(from)
    for (const output of outputs) {
      if (output._tag === "Forward") {
        this.#forward(output.peer, output.bytes)
        continue
      }
      out.push(output)
      if (output._tag === "Offended" && output.isOver)
        this.#end(output.peer, { _tag: "Offence", offence: output.offence }, now, out)
    }
  }

  #forward(peer: PeerId, bytes: Uint8Array): void {
    const session = this.#sessions.get(peer)
    if (session?.packer === undefined) return
    if (session.behindSince !== undefined) {
      session.missed += 1
      return
    }
    if (bytes.length < COMPRESS_FROM_BYTES) return this.#write(session, FrameKind.envelope, bytes)
    const { kind, payload } = session.packer.pack(bytes)
    this.#write(session, kind, payload)
  }

  #write(session: SessionState, kind: FrameKind, payload: Uint8Array): void {
    session.write(kind, payload)
    this.#written.add(session)
  }

  #behind(peer: PeerId, isBehind: boolean, now: Now): void {
    const session = this.#sessions.get(peer)
    if (session === undefined) return
    session.behindSince = isBehind ? (session.behindSince ?? now.instant) : undefined
    if (session.unpacker !== undefined) this.#deadlines.set(peer, session.nextLook())
  }

  #timeouts(now: Now, out: Outbox<OverlayOutput>): void {
    for (
      let peer = this.#deadlines.takeDue(now.instant);
      peer !== undefined;
      peer = this.#deadlines.takeDue(now.instant)
    ) {
      const session = this.#sessions.get(peer)
      if (session === undefined) continue
      const end = session.overdue(now.instant)
      if (end !== undefined) {
        this.#end(peer, { _tag: end }, now, out)
        continue
      }
      if (now.instant - session.heardAt >= PING_AFTER_MS && session.pingedAt < session.heardAt) {
        session.pingedAt = now.instant
        this.#write(session, FrameKind.ping, new Uint8Array(0))
      }
      this.#deadlines.set(peer, session.nextLook())
    }
  }
}

/** Whether `key` is the key of `nodeId`: a node that is named by a key must be able to prove it. */
export const canProve = (nodeId: string, key: SchnorrKey | undefined): boolean => {
  const named = keyOf(nodeId)
  return named === undefined || (key !== undefined && named.every((byte, i) => byte === key.publicKey[i]))
}
