/**
 * The encrypted transport of BIP-0324. Nothing of it looks like anything: two random keys, garbage, and packets that only the two ends
 * can tell from noise. It is no authentication: whoever sits in between from the beginning is not noticed, unless both ends compare
 * their session ids.
 *
 * ```
 *  initiator                             responder
 *  key, garbage ───────────────────────▶ key, garbage      each side waits for the other's key: AwaitingKey
 *               ◀───────────────────────  terminator, version packet          then its terminator: AwaitingTerminator
 *  terminator, version packet ─────────▶                                      then its version packet: AwaitingVersion
 *  messages ◀──────────────────────────▶ messages                             then its messages: Ready
 * ```
 *
 * Two steps of the handshake cost a millisecond or two of mathematics, making a key and agreeing on the secret. They are done by `next`,
 * or, with `deferExchange`, by `exchange`, so that who has many connections says how often (ADR 0009).
 *
 * Source: BIP-0324; Bitcoin Core 28.1 `net.cpp`, `V2Transport`.
 */
import { equals } from "@satwire/bytes"
import {
  type Aead,
  ELL_SWIFT_SIZE,
  type EllSwiftKey,
  type XOnlyCurve,
  bip324Secrets,
  bip324SharedSecret,
  ellSwiftCreate
} from "@satwire/crypto"
import { type Random, assert } from "@satwire/machine"
import type { Framing, FramingEvent, FramingFault } from "./Framing.ts"
import { GarbageSearch, MAX_GARBAGE_LEN } from "./Garbage.ts"
import { Intake } from "./Intake.ts"
import { PacketOpener, PacketSealer } from "./PacketCipher.ts"
import { PacketReader } from "./PacketReader.ts"
import type { Sendable } from "./RawMessage.ts"
import { readContents } from "./V2Contents.ts"
import { V1_HEADER_SIZE, isCommandValid } from "./V1Header.ts"
import { V1_MAGIC_SIZE, V1_PREFIX_SIZE, v1Prefix } from "./V1Prefix.ts"
import { V2Output } from "./V2Output.ts"

/**
 * Everything that a peer may send before its first message: key, garbage, decoys and a version packet, whose contents a later version may
 * fill. Core sets a limit to each packet and none to their number.
 *
 * @limit bytes of a peer's v2 handshake
 */
export const MAX_HANDSHAKE_BYTES: number = 4 * 1024 * 1024
/**
 * Decoys between two messages. An honest peer sends a ping every two minutes, so it can fill 280 kB a second with decoys.
 *
 * @limit bytes of decoys between two messages of a v2 peer
 */
export const MAX_DECOY_BYTES: number = 32 * 1024 * 1024

export interface V2Options {
  /** The network's four bytes, as `ChainParams.magic`. */
  readonly magic: number
  /** Whether our side dialled. */
  readonly initiating: boolean
  readonly aead: Aead
  readonly curve: XOnlyCurve
  /** Draws keys and garbage: its seed must be entropy. */
  readonly random: Random
  /** Leaves the costly steps to {@link V2Framing.exchange}. */
  readonly deferExchange?: boolean
  /** At most 4,095 bytes to send behind our key, instead of random ones of random length. */
  readonly garbage?: Uint8Array
}

/**
 * What an attempt came to, should the connection end now.
 *
 * - `unsent`: too little has left for a v1 peer to notice.
 * - `unanswered`: not a byte came back. A v1 peer hangs up like this.
 * - `v1`: the answer was a v1 `version`.
 * - `answered`: something came back that is not v1.
 * - `ready`: the handshake was completed.
 */
export type V2Attempt = "unsent" | "unanswered" | "v1" | "answered" | "ready"

/** Whether who dialled should try again in v1, on the same way: a proxy stays (Core 28.1 `V2Transport::ShouldReconnectV1`). */
export const shouldRetryAsV1 = (attempt: V2Attempt): boolean => attempt === "unanswered" || attempt === "v1"

/** Modes are replaced whole. */
type Mode =
  | { readonly _tag: "AwaitingKey" }
  | { readonly _tag: "AwaitingTerminator"; readonly search: GarbageSearch; readonly packets: PacketReader }
  | { readonly _tag: "AwaitingVersion"; readonly packets: PacketReader }
  | { readonly _tag: "Ready"; readonly packets: PacketReader }
  | { readonly _tag: "Ended" }

const AWAITING_KEY: Mode = { _tag: "AwaitingKey" }
const ENDED: Mode = { _tag: "Ended" }
const NO_BYTES: Uint8Array = new Uint8Array(0)
/** A step that led to no event, but to another step. */
const AGAIN = "again"

export class V2Framing implements Framing {
  readonly #options: V2Options
  readonly #intake: Intake = new Intake()
  readonly #output: V2Output = new V2Output()
  #mode: Mode = AWAITING_KEY

  /** Our key, from when it is needed until the secret is known. */
  #ours: EllSwiftKey | undefined = undefined
  #garbage: Uint8Array = NO_BYTES
  readonly #theirs: Uint8Array = new Uint8Array(ELL_SWIFT_SIZE)
  #theirsFill = 0
  /** Their garbage, which their first packet vouches for. */
  #associated: Uint8Array = NO_BYTES
  /** The session id, which only their version packet proves to be theirs too. */
  #agreedId: Uint8Array = NO_BYTES
  #sessionId: Uint8Array | undefined = undefined

  #hasHeard = false
  #isV1 = false
  #takenBytes = 0
  #handshakeBytes = 0
  #decoyBytes = 0
  #isAfterVerack = false

  constructor(options: V2Options) {
    assert((options.garbage?.length ?? 0) <= MAX_GARBAGE_LEN, `garbage has at most ${MAX_GARBAGE_LEN} bytes`)
    this.#options = options
    if (options.initiating) this.#begin()
  }

  get transport(): "v2" | "detecting" {
    return this.#sessionId === undefined ? "detecting" : "v2"
  }

  get sessionId(): Uint8Array | undefined {
    return this.#sessionId
  }

  /** What dialling came to, should the connection end now. */
  get attempt(): V2Attempt {
    if (this.#sessionId !== undefined) return "ready"
    if (this.#isV1) return "v1"
    if (this.#hasHeard) return "answered"
    return this.#takenBytes < V1_HEADER_SIZE ? "unsent" : "unanswered"
  }

  get isUnanswered(): boolean {
    return this.#options.initiating && !this.#hasHeard && this.#takenBytes >= V1_HEADER_SIZE
  }

  /** Whether a costly step waits to be done before anything else is read. */
  get needsExchange(): boolean {
    if (this.#mode._tag !== "AwaitingKey" || this.#theirsFill === 0) return false
    return this.#ours === undefined || this.#theirsFill === ELL_SWIFT_SIZE
  }

  /** Does the step that {@link needsExchange} tells of; events and output may have come up by it. */
  exchange(): void {
    if (!this.needsExchange) return
    const ours = this.#ours ?? this.#begin()
    if (this.#theirsFill === ELL_SWIFT_SIZE) this.#agree(ours)
  }

  /** It is what it is. */
  get settled(): undefined {
    return undefined
  }

  send(message: Sendable): number {
    return this.#output.send(message)
  }

  /** Appends a packet that the other side ignores, `contentsSize` bytes and 20 more. */
  sendDecoy(contentsSize: number): void {
    this.#output.sendDecoy(contentsSize)
  }

  takeOutput(): Uint8Array | undefined {
    const bytes = this.#output.take()
    this.#takenBytes += bytes?.length ?? 0
    return bytes
  }

  receive(chunk: Uint8Array): void {
    if (this.#mode === ENDED || chunk.length === 0) return
    this.#hasHeard = true
    this.#intake.receive(chunk)
  }

  release(): void {
    this.#intake.release()
    if ("packets" in this.#mode) this.#mode.packets.release()
  }

  get bufferedBytes(): number {
    const mode = this.#mode
    const held =
      mode._tag === "AwaitingKey"
        ? this.#theirsFill
        : mode._tag === "AwaitingTerminator"
          ? mode.search.heldBytes
          : mode._tag === "Ended"
            ? 0
            : mode.packets.heldBytes + this.#associated.length
    return this.#intake.bytes + held
  }

  next(): FramingEvent | undefined {
    for (;;) {
      const step = this.#step()
      if (step !== AGAIN) return step
    }
  }

  #step(): FramingEvent | typeof AGAIN | undefined {
    const mode = this.#mode
    switch (mode._tag) {
      case "AwaitingKey":
        return this.#awaitKey()
      case "AwaitingTerminator":
        return this.#awaitTerminator(mode.search, mode.packets)
      case "AwaitingVersion":
      case "Ready":
        return this.#packet(mode.packets)
      case "Ended":
        return undefined
    }
  }

  /** Our key and garbage are made and go out. */
  #begin(): EllSwiftKey {
    const { curve, random, garbage } = this.#options
    const ours = ellSwiftCreate(curve, random)
    this.#ours = ours
    this.#garbage = garbage ?? random.bytes(random.below(MAX_GARBAGE_LEN + 1))
    this.#output.write(ours.publicKey)
    if (this.#garbage.length > 0) this.#output.write(this.#garbage)
    return ours
  }

  /** AwaitingKey ─▶ AwaitingTerminator, or the end. */
  #awaitKey(): FramingEvent | typeof AGAIN | undefined {
    const intake = this.#intake
    while (this.#theirsFill < ELL_SWIFT_SIZE && intake.hasBytes()) {
      const before = this.#theirsFill
      const taken = Math.min(ELL_SWIFT_SIZE - before, intake.chunk.length - intake.at)
      this.#theirs.set(intake.chunk.subarray(intake.at, intake.at + taken), before)
      this.#theirsFill = before + taken
      intake.at += taken
      if (before < V1_PREFIX_SIZE && this.#theirsFill >= V1_PREFIX_SIZE) {
        const fault = this.#judgePrefix()
        if (fault !== undefined) return this.#end(fault)
      }
    }
    if (!this.needsExchange || this.#options.deferExchange === true) return undefined
    this.exchange()
    return AGAIN
  }

  /** A v1 peer is no v2 peer with a strange key: of our network who dialled may try v1, and of another there is nothing to try. */
  #judgePrefix(): FramingFault | undefined {
    const { magic, initiating } = this.#options
    const prefix = v1Prefix(magic)
    const isVersion = equals(this.#theirs.subarray(V1_MAGIC_SIZE, V1_PREFIX_SIZE), prefix.subarray(V1_MAGIC_SIZE))
    const words = new DataView(this.#theirs.buffer)
    const theirMagic = words.getUint32(0, true)
    if (initiating && theirMagic === magic && isCommandAt(words, V1_MAGIC_SIZE)) {
      // Not only a `version`: bcoin complains with a `reject` before it has said anything else.
      this.#isV1 = true
      return { _tag: "PeerIsV1" }
    }
    if (!isVersion) return undefined
    if (theirMagic !== magic) return initiating ? undefined : { _tag: "WrongMagic", magic: theirMagic }
    this.#isV1 = true
    return { _tag: "PeerIsV1" }
  }

  /** Both keys ─▶ everything that is derived from them. What could tell it again is wiped. */
  #agree(ours: EllSwiftKey): void {
    const { aead, curve, magic, initiating } = this.#options
    const secret = bip324SharedSecret(curve, ours, this.#theirs, initiating)
    const keys = bip324Secrets(secret, magic, initiating)
    this.#agreedId = keys.sessionId
    const sealer = new PacketSealer(aead, keys.sendLengthKey, keys.sendPacketKey)
    const packets = new PacketReader(new PacketOpener(aead, keys.receiveLengthKey, keys.receivePacketKey))
    this.#output.begin(sealer, keys.sendTerminator, this.#garbage)
    this.#mode = { _tag: "AwaitingTerminator", search: new GarbageSearch(keys.receiveTerminator), packets }
    for (const spent of [secret, ours.privateKey, keys.sendLengthKey, keys.sendPacketKey]) spent.fill(0)
    for (const spent of [keys.receiveLengthKey, keys.receivePacketKey]) spent.fill(0)
    this.#ours = undefined
    this.#garbage = NO_BYTES
  }

  /** AwaitingTerminator ─▶ AwaitingVersion, or the end. */
  #awaitTerminator(search: GarbageSearch, packets: PacketReader): FramingEvent | typeof AGAIN | undefined {
    const garbage = search.take(this.#intake)
    if (garbage === undefined) return undefined
    if (garbage === "missing") return this.#end({ _tag: "MissingTerminator" })
    this.#associated = garbage
    this.#handshakeBytes = ELL_SWIFT_SIZE + search.heldBytes
    this.#mode = { _tag: "AwaitingVersion", packets }
    return AGAIN
  }

  #packet(packets: PacketReader): FramingEvent | typeof AGAIN | undefined {
    const isReady = this.#sessionId !== undefined
    const allowance = isReady ? Infinity : MAX_HANDSHAKE_BYTES - this.#handshakeBytes
    const read = packets.next(this.#intake, this.#associated, allowance)
    if (read === undefined) return undefined
    if (read !== "opened") return this.#end(read)
    this.#associated = NO_BYTES
    const sizeBytes = packets.packetBytes
    if (packets.isDecoy) return this.#decoy(sizeBytes, isReady)
    if (!isReady) {
      // AwaitingVersion ─▶ Ready, whatever the packet says: a later version may have more to say than we understand.
      this.#sessionId = this.#agreedId
      this.#mode = { _tag: "Ready", packets }
      return AGAIN
    }
    this.#decoyBytes = 0
    const { reader, bytes, start, end } = packets
    const event = readContents(reader, bytes, start, end, sizeBytes, this.#isAfterVerack)
    if (event._tag === "Message" && event.message._tag === "verack") this.#isAfterVerack = true
    return event
  }

  /** An event too, because a turn is to end after so many of them. */
  #decoy(sizeBytes: number, isReady: boolean): FramingEvent {
    if (isReady) this.#decoyBytes += sizeBytes
    else this.#handshakeBytes += sizeBytes
    if (this.#decoyBytes > MAX_DECOY_BYTES) return this.#end({ _tag: "DecoyFlood", sizeBytes: this.#decoyBytes })
    return { _tag: "Decoy", sizeBytes }
  }

  /** Anything ─▶ Ended: nothing that follows is looked at. */
  #end(fault: FramingFault): FramingEvent {
    this.#mode = ENDED
    this.#intake.clear()
    this.#ours?.privateKey.fill(0)
    this.#ours = undefined
    return { _tag: "Fault", fault }
  }
}

/** Whether these twelve bytes are a command as v1 writes it: once in billions of random keys. */
const isCommandAt = (words: DataView, at: number): boolean =>
  words.getUint8(at) !== 0 &&
  isCommandValid(words.getUint32(at, true), words.getUint32(at + 4, true), words.getUint32(at + 8, true))
