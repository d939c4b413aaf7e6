/**
 * One connection's whole life: bytes in, messages out, and back. It shakes hands, answers and sends pings, judges what the peer sends
 * and ends the connection by Bitcoin Core's rules. It is not a socket, and it does not know what the messages are about.
 *
 * ```
 *   bytes ─▶ framing ─▶ handshake table ─▶ Received(message)
 *                              │
 *   Write ◀─ framing ◀─ replies, pings, Send(message)
 * ```
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`ProcessMessage`, `MaybeSendPing`), `net.cpp` (`InactivityCheck`).
 */
import type { DecodeError } from "@satwire/bytes"
import type { Framing, FramingEvent } from "@satwire/framing"
import {
  type Instant,
  type Machine,
  type Now,
  type Outbox,
  type Random,
  after,
  assert,
  earliest
} from "@satwire/machine"
import {
  type Message,
  SENDADDRV2,
  VERACK,
  type Version,
  WTXIDRELAY,
  BIP0031_VERSION,
  MIN_PEER_PROTO_VERSION,
  WTXID_RELAY_VERSION,
  codecOf,
  NO_ADDRESS,
  messageSize
} from "@satwire/wire"
import { type ConnectionKind, directionOf } from "./ConnectionKind.ts"
import type { DisconnectCost, PeerDisconnectReason } from "./DisconnectReason.ts"
import { actionFor } from "./Handshake.ts"
import { Latency } from "./Latency.ts"
import type { PeerIdentity, PeerInfo, PeerInput, PeerOutput, PeerSnapshot } from "./PeerEvents.ts"
import { Silence } from "./Silence.ts"
import { DEFAULT_PEER_CONNECT_TIMEOUT_MS } from "./Timeouts.ts"
import { Traffic } from "./Traffic.ts"

/**
 * How many frames of one peer a turn handles before others have theirs.
 *
 * @limit frames of one peer in a turn
 */
export const FRAMES_PER_TURN = 256
/**
 * Core's `DEFAULT_MAXSENDBUFFER` (net.h): while more than this waits to be written, nothing more is read from the peer.
 *
 * @limit bytes that wait to be written to one peer before reading from it stops
 */
export const MAX_SEND_BUFFER_BYTES = 1_000_000

/** Modes are replaced whole. */
type Mode =
  | { readonly _tag: "AwaitingVersion" }
  /** What came before `verack` and counts from `verack` on waits in `early`: one message of a kind. */
  | { readonly _tag: "AwaitingVerack"; readonly info: PeerInfo; readonly early: ReadonlyArray<Message> }
  | { readonly _tag: "Ready"; readonly info: PeerInfo }
  | { readonly _tag: "Ended" }

const AWAITING_VERSION: Mode = { _tag: "AwaitingVersion" }
const ENDED: Mode = { _tag: "Ended" }

export class Peer implements Machine<PeerInput, PeerOutput> {
  readonly #framing: Framing
  readonly #identity: PeerIdentity
  readonly #kind: ConnectionKind
  readonly #random: Random
  readonly #openedAt: Instant
  readonly #traffic: Traffic = new Traffic()
  readonly #latency: Latency = new Latency()
  readonly #silence: Silence = new Silence()
  #mode: Mode = AWAITING_VERSION
  /** The nonce of the `version` that we sent; 0 before. */
  #nonce = 0n
  /** Since when frames wait because a turn's share was used up or the send buffer is full. */
  #backlogSince: Instant | undefined = undefined
  /** The other end does not take what we write. */
  #sendBlocked = false
  /** Whoever takes our messages wants no more for now. */
  #held = false
  /** Payload bytes queued since the last `takeOutput`. */
  #queuedBytes = 0

  constructor(options: {
    readonly kind: ConnectionKind
    readonly identity: PeerIdentity
    readonly framing: Framing
    readonly random: Random
    readonly openedAt: Instant
  }) {
    this.#framing = options.framing
    this.#identity = options.identity
    this.#kind = options.kind
    this.#random = options.random
    this.#openedAt = options.openedAt
  }

  handle(input: PeerInput, now: Now, out: Outbox<PeerOutput>): void {
    if (this.#hasEnded) return
    switch (input._tag) {
      case "Opened":
        // An inbound peer speaks first: our version would tell a scanner what we are (Core sends it on theirs).
        if (this.#kind !== "inbound") this.#sendVersion(now)
        return
      case "Bytes":
        this.#silence.received(now.instant)
        this.#traffic.received(input.chunk.length)
        this.#framing.receive(input.chunk)
        this.#work(now, out)
        this.#framing.release()
        return
      case "Send":
        assert(this.#mode._tag === "Ready", `a ${input.message._tag} is sent before the handshake is done`)
        return this.#send(input.message)
      case "SendBlocked":
        this.#sendBlocked = input.blocked
        if (input.blocked) return
        // What waited has left.
        this.#silence.sent(now.instant)
        return this.#work(now, out)
      case "Hold":
        return this.#hold(input.held, now, out)
      case "Ping":
        if (this.#mode._tag === "Ready" && this.#latency.isIdle) this.#ping(this.#mode.info, now)
        return
      case "Close":
        this.#mode = ENDED
        return
      case "Timeout":
        return this.#timeout(now, out)
    }
  }

  nextTimeout(): Instant | undefined {
    const mode = this.#mode
    if (mode._tag === "Ended") return undefined
    if (this.#backlogSince !== undefined && !this.#mustWait) return this.#backlogSince
    if (mode._tag !== "Ready") return after(this.#openedAt, DEFAULT_PEER_CONNECT_TIMEOUT_MS)
    return earliest(this.#latency.nextTimeout(), this.#silence.nextTimeout(this.#held))
  }

  /** Everything to write, in one buffer whose ownership moves; `undefined` when there is nothing. Once a turn. */
  takeOutput(now: Now): Uint8Array | undefined {
    this.#queuedBytes = 0
    const bytes = this.#framing.takeOutput()
    if (bytes === undefined) return undefined
    // A write that only waits behind others is no sign of life (Core counts what the socket took).
    if (!this.#sendBlocked) this.#silence.sent(now.instant)
    this.#traffic.sent(bytes.length)
    return bytes
  }

  /** Whether reading should stop for now: what was received waits, or what is to be written does. */
  get shouldPause(): boolean {
    return this.#backlogSince !== undefined || this.#mustWait
  }

  /** The nonce of our `version` while the handshake is not done; 0 otherwise. For telling a connection to ourselves. */
  get openNonce(): bigint {
    return this.#mode._tag === "Ready" ? 0n : this.#nonce
  }

  snapshot(): PeerSnapshot {
    const mode = this.#mode
    return {
      kind: this.#kind,
      direction: directionOf(this.#kind),
      transport: this.#framing.transport,
      state: mode._tag === "Ended" ? "disconnecting" : mode._tag === "Ready" ? "ready" : "handshaking",
      info: mode._tag === "Ready" ? mode.info : undefined,
      openedAt: this.#openedAt,
      lastReceived: this.#silence.lastReceived,
      lastSent: this.#silence.lastSent,
      ...this.#latency.snapshot(),
      ...this.#traffic.snapshot()
    }
  }

  get #hasEnded(): boolean {
    return this.#mode._tag === "Ended"
  }

  /** Whether frames are left where they are until somebody says otherwise. */
  get #mustWait(): boolean {
    return this.#sendBlocked || this.#held
  }

  /** Handles frames until there are none, the turn's share is used up, or the replies fill the send buffer. */
  #work(now: Now, out: Outbox<PeerOutput>): void {
    for (let frames = 0; !this.#hasEnded; frames++) {
      if (this.#mustWait || frames === FRAMES_PER_TURN || this.#queuedBytes > MAX_SEND_BUFFER_BYTES) {
        this.#backlogSince = now.instant
        return
      }
      const event = this.#framing.next()
      if (event === undefined) {
        this.#backlogSince = undefined
        return
      }
      this.#event(event, now, out)
    }
  }

  #event(event: FramingEvent, now: Now, out: Outbox<PeerOutput>): void {
    switch (event._tag) {
      case "Message":
        this.#traffic.message("received", event.message._tag, event.sizeBytes)
        return this.#message(event.message, now, out)
      case "Fault":
        return this.#end(event.fault, "disconnect", out)
      case "Undecodable":
        this.#traffic.message("received", event.command, event.sizeBytes)
        return this.#undecodable(event.command, event.error, out)
      case "Dropped":
        this.#traffic.message("received", "*dropped*", event.sizeBytes)
        out.push({ _tag: "Dropped", command: event.command, why: `bad ${event.why}` })
        return
      case "Unknown":
        this.#traffic.message("received", "*other*", event.sizeBytes)
        return
      case "Decoy":
        this.#traffic.message("received", "*decoy*", event.sizeBytes)
        return
    }
  }

  /** What a mode does not look at it does not judge either: Core parses a message only once it is that message's time. */
  #undecodable(command: Message["_tag"], error: DecodeError, out: Outbox<PeerOutput>): void {
    const mode = this.#mode
    const action = mode._tag === "Ended" ? "ignore" : actionFor(mode._tag, command)
    if (action === "takePong") this.#latency.giveUp()
    const codec = codecOf(command)
    const byKind = error.kind === "overLimit" ? codec?.overLimit : codec?.malformed
    const cost = action === "ignore" ? "ignore" : (byKind ?? "ignore")
    if (cost === "ignore") out.push({ _tag: "Dropped", command, why: error.toString() })
    else this.#end({ _tag: "BadPayload", command, error }, cost, out)
  }

  #message(message: Message, now: Now, out: Outbox<PeerOutput>): void {
    const mode = this.#mode
    if (mode._tag === "Ended") return
    switch (actionFor(mode._tag, message._tag)) {
      case "acceptVersion":
        return this.#acceptVersion(message as Version, now, out)
      case "noteWtxidRelay":
        if (mode._tag === "AwaitingVerack" && mode.info.commonVersion >= WTXID_RELAY_VERSION) {
          this.#mode = { ...mode, info: { ...mode.info, wtxidRelay: true } }
        }
        return
      case "noteAddrV2":
        if (mode._tag === "AwaitingVerack") this.#mode = { ...mode, info: { ...mode.info, addrV2: true } }
        return
      case "keepForReady":
        if (mode._tag === "AwaitingVerack") {
          const others = mode.early.filter(({ _tag }) => _tag !== message._tag)
          this.#mode = { ...mode, early: [...others, message] }
        }
        return
      case "becomeReady":
        if (mode._tag === "AwaitingVerack") this.#becomeReady(mode.info, mode.early, now, out)
        return
      case "refuseLate":
        return this.#end({ _tag: "AfterVerack", command: message._tag }, "disconnect", out)
      case "answerPing":
        // The greatest version that both speak decides whether a ping has a nonce to answer (BIP-0031).
        if (message._tag === "ping" && mode._tag === "Ready" && mode.info.commonVersion > BIP0031_VERSION) {
          this.#send({ _tag: "pong", nonce: message.nonce })
        }
        return
      case "takePong":
        if (message._tag === "pong") {
          const roundTripMs = this.#latency.pong(message.nonce, now)
          if (roundTripMs !== undefined) out.push({ _tag: "Pong", roundTripMs })
        }
        return
      case "deliver":
        out.push({ _tag: "Received", message })
        return
      case "ignore":
        return
    }
  }

  /** AwaitingVersion ─▶ AwaitingVerack. */
  #acceptVersion(version: Version, now: Now, out: Outbox<PeerOutput>): void {
    const { protocolVersion } = version
    if (protocolVersion < MIN_PEER_PROTO_VERSION) {
      return this.#end({ _tag: "ObsoleteVersion", protocolVersion }, "disconnect", out)
    }
    if (this.#kind === "inbound") {
      if (this.#identity.isOwnNonce(version.nonce)) return this.#end({ _tag: "SelfConnection" }, "disconnect", out)
      this.#sendVersion(now)
    }
    const info = this.#infoOf(version, now)
    if (info.commonVersion >= WTXID_RELAY_VERSION) {
      this.#send(WTXIDRELAY)
      // BIP-0155 has no version of its own; nobody who knows it speaks an older one than BIP-0339's, as Core says.
      this.#send(SENDADDRV2)
    }
    this.#send(VERACK)
    this.#mode = { _tag: "AwaitingVerack", info, early: [] }
  }

  #infoOf(version: Version, now: Now): PeerInfo {
    return {
      kind: this.#kind,
      direction: directionOf(this.#kind),
      // A message has come, so it is known.
      transport: this.#framing.transport as PeerInfo["transport"],
      sessionId: this.#framing.sessionId,
      protocolVersion: version.protocolVersion,
      commonVersion: Math.min(version.protocolVersion, this.#identity.describe().protocolVersion),
      services: version.services,
      userAgent: version.userAgent,
      startHeight: version.startHeight,
      relay: version.relay,
      wtxidRelay: false,
      addrV2: false,
      // Core takes a time before 1970 for 1970.
      timeOffsetSeconds: Math.max(0, Number(version.time)) - now.unix
    }
  }

  /** AwaitingVerack ─▶ Ready. */
  #becomeReady(info: PeerInfo, early: ReadonlyArray<Message>, now: Now, out: Outbox<PeerOutput>): void {
    this.#mode = { _tag: "Ready", info }
    // Before the managers have their say, as Core's first round of sending does.
    this.#ping(info, now)
    out.push({ _tag: "Ready", info })
    for (const message of early) {
      if (this.#hasEnded) return
      out.push({ _tag: "Received", message })
    }
  }

  #ping(info: PeerInfo, now: Now): void {
    this.#send({ _tag: "ping", nonce: this.#latency.ping(this.#random, now) })
    // To an old peer it is a sign of life and nothing more, as no pong will come; while we hold a peer, none is heard.
    if (info.commonVersion <= BIP0031_VERSION || this.#held) this.#latency.giveUp()
  }

  #hold(held: boolean, now: Now, out: Outbox<PeerOutput>): void {
    this.#held = held
    if (held) return this.#latency.giveUp()
    // What it sent meanwhile is still to be read.
    if (this.#mode._tag === "Ready") this.#silence.received(now.instant)
    this.#work(now, out)
  }

  #sendVersion(now: Now): void {
    do this.#nonce = this.#random.u64()
    while (this.#nonce === 0n)
    const { protocolVersion, services, userAgent, startHeight, relay } = this.#identity.describe()
    const message: Version = {
      _tag: "version",
      protocolVersion,
      services,
      time: BigInt(now.unix),
      receiver: NO_ADDRESS,
      sender: NO_ADDRESS,
      nonce: this.#nonce,
      userAgent,
      startHeight,
      relay
    }
    this.#send(message)
  }

  #send(message: Message): void {
    this.#framing.send(message)
    const sizeBytes = messageSize(message)
    this.#queuedBytes += sizeBytes
    this.#traffic.message("sent", message._tag, sizeBytes)
  }

  #timeout(now: Now, out: Outbox<PeerOutput>): void {
    const reason = this.#lateness(now.instant)
    if (reason !== undefined) return this.#end(reason, "disconnect", out)
    const mode = this.#mode
    if (mode._tag === "Ready" && this.#latency.isDue(now.instant)) this.#ping(mode.info, now)
    if (this.#backlogSince !== undefined) this.#work(now, out)
  }

  /** What the peer took too long for, if anything. */
  #lateness(instant: Instant): PeerDisconnectReason | undefined {
    if (this.#mode._tag !== "Ready") {
      if (instant < after(this.#openedAt, DEFAULT_PEER_CONNECT_TIMEOUT_MS)) return undefined
      return { _tag: "HandshakeTimeout", heard: this.#silence.lastReceived !== undefined }
    }
    if (this.#latency.isOverdue(instant)) return { _tag: "PingTimeout" }
    const side = this.#silence.tooLong(instant, this.#held)
    return side === undefined ? undefined : { _tag: "Inactive", side }
  }

  #end(reason: PeerDisconnectReason, cost: DisconnectCost, out: Outbox<PeerOutput>): void {
    this.#mode = ENDED
    out.push({ _tag: "Disconnect", reason, cost })
  }
}
