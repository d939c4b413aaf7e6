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
  earliest,
  wholeMs
} from "@satwire/machine"
import {
  BIP0031_VERSION,
  FEATURE_VERSION,
  type Feature,
  type Message,
  type NetAddress,
  SENDADDRV2,
  type SendTxRcncl,
  TXRECONCILIATION_VERSION,
  VERACK,
  type Version,
  WTXIDRELAY,
  WTXID_RELAY_VERSION,
  codecOf
} from "@satwire/wire"
import { type ConnectionKind, KIND_RULES, directionOf } from "./ConnectionKind.ts"
import type { DisconnectCost, PeerDisconnectReason } from "./DisconnectReason.ts"
import { FAULTS } from "./Faults.ts"
import { type Action, actionFor } from "./Handshake.ts"
import { type Introducing, infoOf, ourVersion, versionFault } from "./Introduction.ts"
import { Latency } from "./Latency.ts"
import type { MessageWatch } from "./MessageWatch.ts"
import { whyNotPermitted } from "./Negotiation.ts"
import { type HistoricAllowance, Outgoing, type Subject } from "./Outgoing.ts"
import type { PeerIdentity, PeerInfo, PeerInput, PeerOutput, PeerSnapshot } from "./PeerEvents.ts"
import { agreeOnReconciliation, offersReconciliation } from "./Reconciliation.ts"
import { Silence } from "./Silence.ts"
import {
  ADDR_FETCH_TIMEOUT_MS,
  type Patience,
  PRIVATE_BROADCAST_LIFETIME_MS,
  USUAL_PATIENCE,
  V2_ANSWER_TIMEOUT_MS
} from "./Timeouts.ts"
import { Traffic, type TrafficLabel } from "./Traffic.ts"

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

/**
 * How many bytes of replies one peer's messages may bring about in a turn; the reply that fills them is the last.
 *
 * @limit bytes of replies to one peer in a turn
 */
export const REPLY_BYTES_PER_TURN = 131_072
/**
 * How many features of a peer are kept; what more it names is ignored (BIP-0434).
 *
 * @limit features of a peer that are kept
 */
export const MAX_FEATURES_KEPT = 32

/** Modes are replaced whole. */
type Mode =
  | { readonly _tag: "AwaitingVersion" }
  | AwaitingVerack
  | { readonly _tag: "Ready"; readonly info: PeerInfo }
  | { readonly _tag: "Ended" }

interface AwaitingVerack {
  readonly _tag: "AwaitingVerack"
  readonly info: PeerInfo
  /** What came before `verack` and counts from `verack` on: one message of a kind. */
  readonly early: ReadonlyArray<Message>
  /** Our half of a salt, where we offered to reconcile. */
  readonly ourSalt: bigint | undefined
}

const AWAITING_VERSION: Mode = { _tag: "AwaitingVersion" }
const ENDED: Mode = { _tag: "Ended" }

export class Peer implements Machine<PeerInput, PeerOutput> {
  #framing: Framing
  readonly #kind: ConnectionKind
  readonly #identity: PeerIdentity
  readonly #receiver: NetAddress | undefined
  readonly #allowance: HistoricAllowance
  readonly #patience: Patience
  readonly #watch: MessageWatch | undefined
  readonly #random: Random
  readonly #openedAt: Instant
  readonly #traffic: Traffic = new Traffic()
  readonly #latency: Latency = new Latency()
  readonly #silence: Silence = new Silence()
  #mode: Mode = AWAITING_VERSION
  /** The nonce of the `version` that we sent; 0 before, and when hands are shaken. */
  #nonce = 0n
  /** Since when frames wait because a turn's share was used up or the send buffer is full. */
  #backlogSince: Instant | undefined = undefined
  /** The other end does not take what we write. */
  #sendBlocked = false
  /** Whoever takes our messages wants no more for now. */
  #held = false
  /** Frames are being handled, so whoever is handed an output acts within that. */
  #isAtWork = false
  /** A reply of several messages is being sent, and more of it comes. */
  #hasMore = false
  /** How many replies are owed that come from elsewhere. */
  #repliesOwed = 0
  /** Bytes queued since the last `takeOutput`. */
  #queuedBytes = 0
  /** What waits to be queued; most peers never have any. */
  #outgoing: Outgoing | undefined = undefined
  /** When to ask again whether a historic block may leave. */
  #askAgainAt: Instant | undefined = undefined

  constructor(options: {
    readonly kind: ConnectionKind
    readonly identity: PeerIdentity
    readonly framing: Framing
    readonly random: Random
    readonly openedAt: Instant
    /** The other end, where our `version` may name it: routable, not behind a proxy, IPv4 or IPv6. */
    readonly receiver?: NetAddress | undefined
    /** What holds historic blocks back; nothing does where it is missing. */
    readonly allowance?: HistoricAllowance | undefined
    readonly patience?: Patience | undefined
    /** Looks on; nobody does where it is missing. */
    readonly watch?: MessageWatch | undefined
  }) {
    const { kind, identity, receiver } = options
    this.#framing = options.framing
    this.#kind = kind
    this.#identity = identity
    this.#receiver = receiver
    this.#allowance = options.allowance ?? EVERYTHING
    this.#patience = options.patience ?? USUAL_PATIENCE
    this.#watch = options.watch
    this.#random = options.random
    this.#openedAt = wholeMs(options.openedAt)
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
        this.#framing = this.#framing.settled ?? this.#framing
        return
      case "Send":
        assert(this.#mode._tag === "Ready", `a ${input.message._tag} is sent before the handshake is done`)
        if (input.hasMore !== undefined) return this.#part(input.message, input.hasMore, out)
        return this.#request(input.message, input.isHistoric === true, out)
      case "Announce":
        return this.#announce(input.message, input.about, out)
      case "SendRaw":
        return this.#sendRaw(input.command, input.payload)
      case "ReplyOwed":
        return this.#owe(input.owed, now, out)
      case "SendBlocked":
        this.#sendBlocked = input.blocked
        if (input.blocked) {
          // It takes nothing now, and others are not to wait behind it.
          if (this.#outgoing !== undefined) this.#allowance.forget(this.#outgoing)
          return
        }
        // What waited has left.
        this.#silence.sent(now.instant)
        return this.#work(now, out)
      case "Hold":
        return this.#hold(input.held, now, out)
      case "Ping":
        if (this.#mode._tag === "Ready" && this.#latency.isIdle) this.#ping(this.#mode.info, now, out)
        return
      case "Close":
        return this.#forget()
      case "Timeout":
        return this.#timeout(now, out)
    }
  }

  nextTimeout(): Instant | undefined {
    const mode = this.#mode
    if (mode._tag === "Ended") return undefined
    if (this.#backlogSince !== undefined && !this.#mustWait) return this.#backlogSince
    const deadline = earliest(this.#lifeEnds, this.#sendBlocked ? undefined : this.#askAgainAt)
    if (mode._tag !== "Ready") return earliest(deadline, after(this.#openedAt, this.#handshakePatienceMs))
    const pings = this.#isPrivate ? undefined : this.#latency.nextDue(this.#patience.pingIntervalMs)
    return earliest(deadline, earliest(pings, this.#judgedAt()))
  }

  /** When it is looked at whether the peer is silent: Core's inactivity checks begin when the time for connecting is over. */
  #judgedAt(): Instant | undefined {
    const overdue = this.#isPrivate ? undefined : this.#latency.overdueAt
    const silent = earliest(overdue, this.#silence.nextTimeout(this.#isDeaf))
    const begins = after(this.#openedAt, this.#patience.connectMs)
    return silent === undefined || silent > begins ? silent : begins
  }

  /** Everything to write, in one buffer whose ownership moves; `undefined` when there is nothing. Once a turn. */
  takeOutput(now: Now): Uint8Array | undefined {
    if (this.#outgoing !== undefined && !this.#sendBlocked && !this.#hasMore) this.#flush(this.#outgoing, now)
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

  /** Whether the last reply is on its way, so that a long one may follow: what one asks for piece by piece is fetched piece by piece. */
  get takesMore(): boolean {
    return !this.#sendBlocked && this.#outgoing?.hasReplies !== true
  }

  /** Bytes of replies that were queued since the last `takeOutput`. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** The nonce of our `version` while the handshake is not done; 0 otherwise. For telling a connection to ourselves. */
  get openNonce(): bigint {
    return this.#mode._tag === "Ready" || this.#isPrivate ? 0n : this.#nonce
  }

  /** Bytes that were received and are still to be handled. */
  get receivedBytesWaiting(): number {
    return this.#framing.bufferedBytes
  }

  snapshot(): PeerSnapshot {
    const mode = this.#mode
    return {
      kind: this.#kind,
      direction: directionOf(this.#kind),
      transport: this.#framing.transport,
      state: mode._tag === "Ended" ? "disconnecting" : mode._tag === "Ready" ? "ready" : "handshaking",
      receivedBytesWaiting: this.receivedBytesWaiting,
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

  get #isPrivate(): boolean {
    return KIND_RULES[this.#kind].isPrivate
  }

  /** Whether we do not listen of our own will, so that what is not heard is nobody's fault. */
  get #isDeaf(): boolean {
    return this.#held || this.#repliesOwed > 0
  }

  /** Whether frames are left where they are until somebody says otherwise. */
  get #mustWait(): boolean {
    return this.#sendBlocked || this.#isDeaf || (this.#outgoing?.replyBytes ?? 0) > REPLY_BYTES_PER_TURN
  }

  /** Handles frames until there are none, the turn's share is used up, or it is somebody else's turn to do something first. */
  #work(now: Now, out: Outbox<PeerOutput>): void {
    this.#isAtWork = true
    this.#handleFrames(now, out)
    this.#isAtWork = false
  }

  #handleFrames(now: Now, out: Outbox<PeerOutput>): void {
    for (let frames = 0; !this.#hasEnded; frames++) {
      if (this.#mustWait || frames === FRAMES_PER_TURN || this.#queuedBytes > REPLY_BYTES_PER_TURN) {
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
        this.#count("received", event.message._tag, event.sizeBytes, event.message)
        return this.#message(event.message, now, out)
      case "Fault":
        return this.#end(event.fault, out)
      case "Undecodable":
        this.#count("received", event.command, event.sizeBytes)
        return this.#undecodable(event.command, event.error, out)
      case "Dropped":
        this.#count("received", "*dropped*", event.sizeBytes)
        out.push({ _tag: "Dropped", command: event.command, why: `bad ${event.why}` })
        return
      case "Unknown":
        this.#count("received", "*other*", event.sizeBytes)
        return
      case "Decoy":
        this.#count("received", "*decoy*", event.sizeBytes)
        return
    }
  }

  /** What a message does in this mode, on a connection of this kind. */
  #actionFor(command: Message["_tag"]): Action {
    const mode = this.#mode
    if (mode._tag === "Ended") return "ignore"
    const { hears } = KIND_RULES[this.#kind]
    if (mode._tag === "Ready" && hears !== undefined && !hears.has(command)) return "ignore"
    return actionFor(mode._tag, command)
  }

  /** What a mode does not look at it does not judge either: Core parses a message only once it is that message's time. */
  #undecodable(command: Message["_tag"], error: DecodeError, out: Outbox<PeerOutput>): void {
    const action = this.#actionFor(command)
    if (action === "takePong") this.#latency.giveUp()
    const codec = codecOf(command)
    const byKind = error.kind === "overLimit" ? codec?.overLimit : codec?.malformed
    const cost = action === "ignore" ? "ignore" : (byKind ?? "ignore")
    if (cost === "ignore") out.push({ _tag: "Dropped", command, why: error.toString() })
    else this.#end({ _tag: "BadPayload", command, error }, out, cost)
  }

  #message(message: Message, now: Now, out: Outbox<PeerOutput>): void {
    const mode = this.#mode
    const action = this.#actionFor(message._tag)
    if (action === "ignore") return
    if (mode._tag === "AwaitingVersion") return this.#acceptVersion(message as Version, now, out)
    if (mode._tag === "AwaitingVerack") return this.#beforeVerack(mode, action, message, now, out)
    switch (action) {
      case "deliver":
        out.push({ _tag: "Received", message })
        return
      case "answerPing":
        // The greatest version that both speak decides whether a ping has a nonce to answer (BIP-0031).
        if (message._tag === "ping" && mode._tag === "Ready" && mode.info.commonVersion > BIP0031_VERSION) {
          this.#request({ _tag: "pong", nonce: message.nonce }, false, out)
        }
        return
      case "takePong":
        if (message._tag === "pong") {
          const roundTripMs = this.#latency.pong(message.nonce, now)
          if (roundTripMs !== undefined) out.push({ _tag: "Pong", roundTripMs })
        }
        return
      case "refuseLateReconciliation":
        if (this.#identity.describe().reconciles !== true) return
        return this.#end({ _tag: "AfterVerack", command: message._tag }, out)
      case "refuseLate":
        return this.#end({ _tag: "AfterVerack", command: message._tag }, out)
      default:
        return
    }
  }

  /** AwaitingVersion ─▶ AwaitingVerack. */
  #acceptVersion(version: Version, now: Now, out: Outbox<PeerOutput>): void {
    const fault = versionFault(this.#introducing, version)
    if (fault !== undefined) return this.#end(fault, out)
    const kind = this.#kind
    const identity = this.#identity
    const { sessionId } = this.#framing
    // A message has come, so it is known.
    const transport = this.#framing.transport as PeerInfo["transport"]
    const info = infoOf(this.#introducing, version, { transport, sessionId }, now)
    if (kind === "inbound") this.#sendVersion(now)
    const ourSalt = offersReconciliation(identity, info) ? this.#random.u64() : undefined
    this.#sendFeatures(info, ourSalt)
    this.#send(VERACK)
    this.#mode = { _tag: "AwaitingVerack", info, early: [], ourSalt }
    out.push({ _tag: "Introduced", info, seenAs: version.receiver })
    if (KIND_RULES[kind].endsOnVersion) this.#end({ _tag: "FeelerDone" }, out)
  }

  /** What may only be said between `version` and `verack`. */
  #sendFeatures(info: PeerInfo, ourSalt: bigint | undefined): void {
    if (this.#isPrivate) return
    if (info.commonVersion >= WTXID_RELAY_VERSION) {
      this.#send(WTXIDRELAY)
      // BIP-0155 has no version of its own; nobody who knows it speaks an older one than BIP-0339's, as Core says.
      this.#send(SENDADDRV2)
    }
    if (ourSalt !== undefined) this.#send({ _tag: "sendtxrcncl", version: TXRECONCILIATION_VERSION, salt: ourSalt })
    if (info.commonVersion < FEATURE_VERSION) return
    for (const feature of this.#identity.describe().features ?? []) this.#send(feature)
  }

  #beforeVerack(mode: AwaitingVerack, action: Action, message: Message, now: Now, out: Outbox<PeerOutput>): void {
    const { info } = mode
    const learn = (learnt: Partial<PeerInfo>): void => {
      this.#mode = { ...mode, info: { ...info, ...learnt } }
    }
    switch (action) {
      case "noteWtxidRelay":
        if (info.commonVersion >= WTXID_RELAY_VERSION) learn({ wtxidRelay: true })
        return
      case "noteAddrV2":
        return learn({ addrV2: true })
      case "noteFeature": {
        const { commonVersion, features = [] } = info
        if (commonVersion < FEATURE_VERSION) return this.#end({ _tag: "EarlyFeature", commonVersion }, out)
        const feature = message as Feature
        const isKnown = features.some(({ featureId }) => featureId === feature.featureId)
        if (!isKnown && features.length < MAX_FEATURES_KEPT) learn({ features: [...features, feature] })
        return
      }
      case "noteReconciliation": {
        const identity = this.#identity
        const agreed = agreeOnReconciliation(identity, info, mode.ourSalt, message as SendTxRcncl)
        if (typeof agreed === "string") return this.#end({ _tag: "BadReconciliation", why: agreed }, out)
        if (agreed !== undefined) learn({ reconciliation: agreed })
        return
      }
      case "keepForReady":
        this.#mode = { ...mode, early: [...mode.early.filter(({ _tag }) => _tag !== message._tag), message] }
        return
      case "becomeReady":
        // Reconciliation stands on announcing by wtxid, which can no longer be agreed on (BIP-0330).
        if (!info.wtxidRelay && info.reconciliation !== undefined) learn({ reconciliation: undefined })
        return this.#becomeReady((this.#mode as AwaitingVerack).info, mode.early, now, out)
      default:
        return
    }
  }

  /** AwaitingVerack ─▶ Ready. */
  #becomeReady(info: PeerInfo, early: ReadonlyArray<Message>, now: Now, out: Outbox<PeerOutput>): void {
    this.#mode = { _tag: "Ready", info }
    this.#nonce = 0n
    // Before the managers have their say, as Core's first round of sending does.
    if (!this.#isPrivate) this.#ping(info, now, out)
    out.push({ _tag: "Ready", info })
    for (const message of early) {
      if (this.#hasEnded) return
      if (this.#actionFor(message._tag) === "deliver") out.push({ _tag: "Received", message })
    }
  }

  #ping(info: PeerInfo, now: Now, out: Outbox<PeerOutput>): void {
    const ping: Message = { _tag: "ping", nonce: this.#latency.ping(this.#random, now) }
    if (this.#sendBlocked || this.#hasMore) this.#announce(ping, "ping", out)
    else this.#send(ping)
    // To an old peer it is a sign of life and nothing more, as no pong will come; while we hold a peer, none is heard.
    if (info.commonVersion <= BIP0031_VERSION || this.#isDeaf) this.#latency.giveUp()
  }

  #owe(owed: boolean, now: Now, out: Outbox<PeerOutput>): void {
    this.#repliesOwed += owed ? 1 : -1
    assert(this.#repliesOwed >= 0, "a reply was given that nobody owed")
    if (this.#repliesOwed === 0) this.#listenAgain(now, out)
  }

  #hold(held: boolean, now: Now, out: Outbox<PeerOutput>): void {
    this.#held = held
    if (held) return this.#latency.giveUp()
    this.#listenAgain(now, out)
  }

  #listenAgain(now: Now, out: Outbox<PeerOutput>): void {
    // What it sent meanwhile is still to be read.
    if (this.#mode._tag === "Ready") this.#silence.received(now.instant)
    // Whoever says so while frames are handled is heard where they are.
    if (!this.#isAtWork) this.#work(now, out)
  }

  #sendVersion(now: Now): void {
    do this.#nonce = this.#random.u64()
    while (this.#nonce === 0n)
    this.#send(ourVersion(this.#introducing, this.#nonce, now))
  }

  /** A reply or a request: in order with all others. */
  #request(message: Message, isHistoric: boolean, out: Outbox<PeerOutput>): void {
    if (!this.#mayBeSent(message, out)) return
    if (!isHistoric && !this.#hasMore && this.#outgoing?.hasReplies !== true) return this.#send(message)
    this.#outgoing ??= new Outgoing()
    this.#outgoing.reply(message, isHistoric)
  }

  /** A message of a reply that is several: in front of what waits behind the first of them. */
  #part(message: Message, hasMore: boolean, out: Outbox<PeerOutput>): void {
    if (!this.#hasMore && this.#outgoing?.hasReplies === true) return this.#request(message, false, out)
    this.#hasMore = hasMore
    if (this.#mayBeSent(message, out)) this.#send(message)
  }

  #announce(message: Message, about: Subject, out: Outbox<PeerOutput>): void {
    if (this.#mode._tag !== "Ready" || !this.#mayBeSent(message, out)) return
    this.#outgoing ??= new Outgoing()
    for (const { _tag } of this.#outgoing.announce(message, about)) {
      out.push({ _tag: "Unsent", command: _tag, why: "the peer does not take the news that it has" })
    }
  }

  #mayBeSent(message: Message, out: Outbox<PeerOutput>): boolean {
    if (this.#mode._tag !== "Ready") return false
    const why = whyNotPermitted(this.#mode.info, message)
    if (why !== undefined) out.push({ _tag: "Unsent", command: message._tag, why })
    return why === undefined
  }

  /** Queues what waited, as far as it may go. */
  #flush(outgoing: Outgoing, now: Now): void {
    this.#askAgainAt = undefined
    for (let news = outgoing.takeAnnouncement(); news !== undefined; news = outgoing.takeAnnouncement())
      this.#send(news)
    while (this.#queuedBytes <= REPLY_BYTES_PER_TURN) {
      const next = outgoing.takeReply(this.#allowance, now)
      if (next === undefined) break
      if (typeof next === "number") {
        this.#askAgainAt = next
        return
      }
      this.#send(next)
    }
    if (outgoing.isEmpty) this.#outgoing = undefined
    else this.#askAgainAt = now.instant
  }

  #send(message: Message): void {
    const sizeBytes = this.#framing.send(message)
    this.#queuedBytes += sizeBytes
    this.#count("sent", message._tag, sizeBytes, message)
  }

  #count(side: "received" | "sent", label: TrafficLabel, sizeBytes: number, message?: Message): void {
    this.#traffic.message(side, label, sizeBytes)
    this.#watch?.({ side, label, message, sizeBytes })
  }

  #sendRaw(command: string, payload: Uint8Array): void {
    const sizeBytes = this.#framing.send({ _tag: "*raw*", command, payload })
    this.#queuedBytes += sizeBytes
    this.#traffic.message("sent", codecOf(command)?.command ?? "*other*", sizeBytes)
  }

  #isPingDue(instant: Instant): boolean {
    return instant >= (this.#latency.nextDue(this.#patience.pingIntervalMs) ?? Infinity)
  }

  #timeout(now: Now, out: Outbox<PeerOutput>): void {
    const reason = this.#lateness(now.instant)
    if (reason !== undefined) return this.#end(reason, out)
    const mode = this.#mode
    if (mode._tag === "Ready" && !this.#isPrivate && this.#isPingDue(now.instant)) this.#ping(mode.info, now, out)
    if (this.#backlogSince !== undefined) this.#work(now, out)
  }

  /** When a connection that is for one thing is over in any case. */
  get #lifeEnds(): Instant | undefined {
    const limitMs = LIFETIMES_MS[this.#kind]
    return limitMs === undefined ? undefined : after(this.#openedAt, limitMs)
  }

  /** Made when it is asked for, as it is only for the handshake. */
  get #introducing(): Introducing {
    return { kind: this.#kind, identity: this.#identity, receiver: this.#receiver }
  }

  get #handshakePatienceMs(): number {
    const { connectMs } = this.#patience
    return this.#framing.isUnanswered ? Math.min(V2_ANSWER_TIMEOUT_MS, connectMs) : connectMs
  }

  /** What the peer took too long for, if anything. */
  #lateness(instant: Instant): PeerDisconnectReason | undefined {
    const kind = this.#kind
    if (this.#mode._tag !== "Ready" && instant >= after(this.#openedAt, this.#handshakePatienceMs)) {
      if (this.#framing.isUnanswered) return { _tag: "NoAnswerInV2" }
      return { _tag: "HandshakeTimeout", heard: this.#silence.lastReceived !== undefined }
    }
    if (instant >= (this.#lifeEnds ?? Infinity)) {
      return { _tag: "LivedTooLong", kind, limitMs: LIFETIMES_MS[kind] as number }
    }
    if (this.#mode._tag !== "Ready") return undefined
    if (instant < after(this.#openedAt, this.#patience.connectMs)) return undefined
    if (instant >= (this.#latency.overdueAt ?? Infinity)) return { _tag: "PingTimeout" }
    const side = this.#silence.tooLong(instant, this.#isDeaf)
    return side === undefined ? undefined : { _tag: "Inactive", side }
  }

  #forget(): void {
    this.#mode = ENDED
    if (this.#outgoing !== undefined) this.#allowance.forget(this.#outgoing)
    this.#outgoing = undefined
  }

  #end(reason: PeerDisconnectReason, out: Outbox<PeerOutput>, payloadCost?: DisconnectCost): void {
    this.#forget()
    const cost = reason._tag === "BadPayload" ? (payloadCost as DisconnectCost) : FAULTS[reason._tag].cost
    out.push({ _tag: "Disconnect", reason, cost })
  }
}

const EVERYTHING: HistoricAllowance = { take: () => undefined, forget: () => {} }

/** How long a connection lives that is for one thing. */
const LIFETIMES_MS: { readonly [Kind in ConnectionKind]?: number } = {
  "addr-fetch": ADDR_FETCH_TIMEOUT_MS,
  "private-broadcast": PRIVATE_BROADCAST_LIFETIME_MS
}
