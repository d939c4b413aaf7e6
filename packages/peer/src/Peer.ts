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
import type { Framing, FramingEvent } from "@satwire/framing"
import { type Instant, type Machine, type Now, type Outbox, type Random, after, earliest } from "@satwire/machine"
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
import type { DisconnectCost, PeerDisconnectReason } from "./DisconnectReason.ts"
import { type ModeTag, actionFor } from "./Handshake.ts"
import { Latency } from "./Latency.ts"
import type { Direction, PeerIdentity, PeerInfo, PeerInput, PeerOutput, PeerSnapshot } from "./PeerEvents.ts"
import { DEFAULT_PEER_CONNECT_TIMEOUT_MS, TIMEOUT_INTERVAL_MS } from "./Timeouts.ts"
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
  | {
      readonly _tag: "AwaitingVerack"
      readonly version: Version
      readonly wtxidRelay: boolean
      readonly addrV2: boolean
    }
  | { readonly _tag: "Ready"; readonly info: PeerInfo }
  | { readonly _tag: "Ended" }

export class Peer implements Machine<PeerInput, PeerOutput> {
  readonly #framing: Framing
  readonly #identity: PeerIdentity
  readonly #direction: Direction
  readonly #random: Random
  readonly #traffic: Traffic
  readonly #latency: Latency = new Latency()
  #mode: Mode = { _tag: "AwaitingVersion" }
  /** The nonce of the `version` that we sent. */
  #nonce = 0n
  #openedAt: Instant
  #lastReceived: Instant | undefined = undefined
  #lastSent: Instant | undefined = undefined
  /** More frames wait than a turn may handle. */
  #backlog = false
  /** The other end does not take what we write. */
  #sendBlocked = false
  /** Whoever takes our messages wants no more for now. */
  #held = false
  /** Bytes queued since the last `takeOutput`. */
  #queuedBytes = 0

  constructor(options: {
    readonly direction: Direction
    readonly identity: PeerIdentity
    readonly framing: Framing
    readonly random: Random
    readonly openedAt: Instant
  }) {
    this.#framing = options.framing
    this.#identity = options.identity
    this.#direction = options.direction
    this.#random = options.random
    this.#openedAt = options.openedAt
    this.#traffic = new Traffic()
  }

  handle(input: PeerInput, now: Now, out: Outbox<PeerOutput>): void {
    if (this.#mode._tag === "Ended") return
    switch (input._tag) {
      case "Opened":
        // An inbound peer speaks first: our version would tell a scanner what we are (Core sends it on theirs).
        if (this.#direction === "outbound") this.#sendVersion(now)
        return
      case "Bytes":
        this.#lastReceived = now.instant
        this.#traffic.received(input.chunk.length)
        this.#framing.receive(input.chunk)
        this.#work(now, out)
        this.#framing.release()
        return
      case "Send":
        return this.#send(input.message, now)
      case "SendBlocked":
        this.#sendBlocked = input.blocked
        if (!input.blocked) this.#work(now, out)
        return
      case "Hold":
        this.#held = input.held
        if (!input.held) this.#work(now, out)
        return
      case "Ping":
        if (this.#latency.isIdle) this.#ping(now)
        return
      case "Timeout":
        return this.#timeout(now, out)
    }
  }

  nextTimeout(): Instant | undefined {
    if (this.#mode._tag === "Ended") return undefined
    if (this.#backlog && !this.#sendBlocked && !this.#held) return this.#openedAt
    const silent = earliest(this.#silentAt(this.#lastReceived), this.#silentAt(this.#lastSent))
    if (this.#mode._tag === "Ready") return earliest(this.#latency.nextTimeout(), silent)
    return after(this.#openedAt, DEFAULT_PEER_CONNECT_TIMEOUT_MS)
  }

  /** Everything to write, in one buffer whose ownership moves; `undefined` when there is nothing. Once a turn. */
  takeOutput(now: Now): Uint8Array | undefined {
    this.#queuedBytes = 0
    const bytes = this.#framing.takeOutput()
    if (bytes === undefined) return undefined
    this.#lastSent = now.instant
    this.#traffic.sent(bytes.length)
    return bytes
  }

  /** Whether reading should stop for now: what was received waits, or what is to be written does. */
  get shouldPause(): boolean {
    return this.#backlog || this.#sendBlocked || this.#held
  }

  /** The nonce of our `version` while the handshake is not done; 0 otherwise. For telling a connection to ourselves. */
  get openNonce(): bigint {
    return this.#mode._tag === "Ready" ? 0n : this.#nonce
  }

  snapshot(): PeerSnapshot {
    const mode = this.#mode
    return {
      direction: this.#direction,
      transport: this.#framing.transport,
      state: mode._tag === "Ended" ? "disconnecting" : mode._tag === "Ready" ? "ready" : "handshaking",
      info: mode._tag === "Ready" ? mode.info : undefined,
      openedAt: this.#openedAt,
      lastReceived: this.#lastReceived,
      lastSent: this.#lastSent,
      ...this.#latency.snapshot(),
      ...this.#traffic.snapshot()
    }
  }

  /** Handles frames until there are none, the turn's share is used up, or the replies fill the send buffer. */
  #work(now: Now, out: Outbox<PeerOutput>): void {
    for (let frames = 0; ; frames++) {
      if (this.#mode._tag === "Ended") return
      const waiting = this.#sendBlocked || this.#held
      if (waiting || frames === FRAMES_PER_TURN || this.#queuedBytes > MAX_SEND_BUFFER_BYTES) {
        this.#backlog = true
        return
      }
      const event = this.#framing.next()
      if (event === undefined) {
        this.#backlog = false
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
      case "Undecodable": {
        this.#traffic.message("received", event.command, event.sizeBytes)
        const codec = codecOf(event.command)
        const cost = (event.error.kind === "overLimit" ? codec?.overLimit : codec?.malformed) ?? "ignore"
        if (cost === "ignore") out.push({ _tag: "Dropped", command: event.command, why: event.error.toString() })
        else this.#end({ _tag: "BadPayload", command: event.command, error: event.error }, cost, out)
        return
      }
      case "Dropped":
        this.#traffic.message("received", "*dropped*", event.sizeBytes)
        out.push({ _tag: "Dropped", command: event.command, why: `bad ${event.why}` })
        return
      case "Unknown":
        this.#traffic.message("received", "*other*", event.sizeBytes)
        return
    }
  }

  #message(message: Message, now: Now, out: Outbox<PeerOutput>): void {
    const mode = this.#mode
    if (mode._tag === "Ended") return
    switch (actionFor(mode._tag as ModeTag, message._tag)) {
      case "acceptVersion":
        return this.#acceptVersion(message as Version, now, out)
      case "noteWtxidRelay":
        if (mode._tag === "AwaitingVerack" && this.#commonVersion(mode.version) >= WTXID_RELAY_VERSION) {
          this.#mode = { ...mode, wtxidRelay: true }
        }
        return
      case "noteAddrV2":
        if (mode._tag === "AwaitingVerack") this.#mode = { ...mode, addrV2: true }
        return
      case "becomeReady":
        if (mode._tag === "AwaitingVerack") this.#becomeReady(mode.version, mode.wtxidRelay, mode.addrV2, now, out)
        return
      case "refuseLate":
        return this.#end({ _tag: "AfterVerack", command: message._tag }, "disconnect", out)
      case "answerPing":
        // The greatest version that both speak decides whether a ping has a nonce to answer (BIP-0031).
        if (message._tag === "ping" && mode._tag === "Ready" && mode.info.commonVersion > BIP0031_VERSION) {
          this.#send({ _tag: "pong", nonce: message.nonce }, now)
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
    if (version.protocolVersion < MIN_PEER_PROTO_VERSION) {
      return this.#end({ _tag: "ObsoleteVersion", protocolVersion: version.protocolVersion }, "disconnect", out)
    }
    if (this.#direction === "inbound") {
      if (this.#identity.isOwnNonce(version.nonce)) return this.#end({ _tag: "SelfConnection" }, "disconnect", out)
      this.#sendVersion(now)
    }
    const common = this.#commonVersion(version)
    if (common >= WTXID_RELAY_VERSION) this.#send(WTXIDRELAY, now)
    if (common >= WTXID_RELAY_VERSION) this.#send(SENDADDRV2, now)
    this.#send(VERACK, now)
    this.#mode = { _tag: "AwaitingVerack", version, wtxidRelay: false, addrV2: false }
  }

  /** AwaitingVerack ─▶ Ready. */
  #becomeReady(version: Version, wtxidRelay: boolean, addrV2: boolean, now: Now, out: Outbox<PeerOutput>): void {
    const info: PeerInfo = {
      direction: this.#direction,
      transport: this.#framing.transport,
      sessionId: this.#framing.sessionId,
      protocolVersion: version.protocolVersion,
      commonVersion: this.#commonVersion(version),
      services: version.services,
      userAgent: version.userAgent,
      startHeight: version.startHeight,
      relay: version.relay,
      wtxidRelay,
      addrV2,
      timeOffsetSeconds: Number(version.time) - now.unix
    }
    this.#mode = { _tag: "Ready", info }
    out.push({ _tag: "Ready", info })
    this.#ping(now)
  }

  #ping(now: Now): void {
    const mode = this.#mode
    if (mode._tag !== "Ready") return
    if (mode.info.commonVersion <= BIP0031_VERSION) return
    const nonce = this.#latency.ping(this.#random, now)
    this.#send({ _tag: "ping", nonce }, now)
  }

  #sendVersion(now: Now): void {
    this.#nonce = this.#random.u64()
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
    this.#send(message, now)
  }

  #send(message: Message, now: Now): void {
    if (this.#mode._tag === "Ended") return
    // The send side counts as silent only once something waits to be sent.
    this.#lastSent ??= now.instant
    this.#framing.send(message)
    const sizeBytes = messageSize(message)
    this.#queuedBytes += sizeBytes
    this.#traffic.message("sent", message._tag, sizeBytes)
  }

  /** The greatest protocol version that both sides speak. */
  #commonVersion(version: Version): number {
    return Math.min(version.protocolVersion, this.#identity.describe().protocolVersion)
  }

  #silentAt(last: Instant | undefined): Instant | undefined {
    return last === undefined ? undefined : after(last, TIMEOUT_INTERVAL_MS)
  }

  #timeout(now: Now, out: Outbox<PeerOutput>): void {
    const { instant } = now
    if (this.#mode._tag !== "Ready") {
      if (instant >= after(this.#openedAt, DEFAULT_PEER_CONNECT_TIMEOUT_MS)) {
        const heard = this.#lastReceived !== undefined
        return this.#end({ _tag: "HandshakeTimeout", heard }, "disconnect", out)
      }
    } else {
      if (this.#latency.isOverdue(instant)) return this.#end({ _tag: "PingTimeout" }, "disconnect", out)
      if (instant >= (this.#silentAt(this.#lastReceived) ?? Infinity)) {
        return this.#end({ _tag: "Inactive", side: "receive" }, "disconnect", out)
      }
      if (instant >= (this.#silentAt(this.#lastSent) ?? Infinity)) {
        return this.#end({ _tag: "Inactive", side: "send" }, "disconnect", out)
      }
      if (this.#latency.isDue(instant)) this.#ping(now)
    }
    if (this.#backlog) this.#work(now, out)
  }

  #end(reason: PeerDisconnectReason, cost: DisconnectCost, out: Outbox<PeerOutput>): void {
    this.#mode = { _tag: "Ended" }
    out.push({ _tag: "Disconnect", reason, cost })
  }
}
