/**
 * Fewer and larger writes below js-libp2p's multiplexer, which sends each frame by itself, twelve bytes of a window update for every message
 * included; Noise makes a packet of each, and its carriage writes length, text and tag of a packet one after the other.
 *
 * ```
 *   frames of a turn ─▶ joiningMuxer ─▶ Noise, one packet ─▶ joiningEncrypter ─▶ one write
 * ```
 *
 * Specification: what is sent waits for the end of its turn of the event loop, or for as much as one packet of Noise holds. Once the multiplexer
 * or the connection is not open any more nothing waits, and what waits goes before what comes. Where the connection is full its streams are told
 * so by the next frame, which waits in the connection itself.
 *
 * Rationale: bytes and order are the same to the other end, and packets of Noise are no messages. Of gossip in small messages a write to the kernel
 * and a packet of Noise for each frame are half of all work, and joined ones are not seen in a profile (measured; `bench/RESULTS.md` §"Gossip").
 */
import {
  type ConnectionEncrypter,
  StreamBufferError,
  type StreamMuxer,
  type StreamMuxerFactory,
  serviceCapabilities
} from "@libp2p/interface"
import { type Corkable, corkThisTurn } from "@satwire/transport-tcp"
import { Uint8ArrayList } from "uint8arraylist"
import { ForwardedStream } from "./ForwardedStream.ts"
import { inFewerPieces } from "./Pieces.ts"

type Bytes = Uint8Array | Uint8ArrayList

/**
 * What one packet of Noise holds: 65,535 bytes with a tag of 16.
 *
 * @limit bytes of a connection of a libp2p node that wait for the end of a turn; more go at once
 */
export const MAX_JOINED_BYTES = 65_519

/**
 * Streams wait while their connection is full, so what waits in it of those is a frame or two; but whoever asks for answers of the multiplexer itself,
 * and reads none, is answered all the same: pings, 12 bytes each, had 20 MB wait more each second (measured).
 *
 * @limit bytes that wait in a connection of a libp2p node to be written; of more it is aborted
 */
export const MAX_UNWRITTEN_BYTES: number = 16 * 1024 * 1024

/** A packet of Noise with its length. */
const PACKET_BYTES = 65_537

/** The same bytes in as few pieces as there are packets. What is longer than one is not copied. */
const joined = (pieces: ReadonlyArray<Uint8Array>): Bytes => new Uint8ArrayList(...inFewerPieces(pieces, PACKET_BYTES))

/** Between a multiplexer and its connection. */
class TurnStream extends ForwardedStream implements Corkable {
  muxer: StreamMuxer | undefined = undefined
  #waiting: Array<Uint8Array> = []
  #waitingBytes = 0
  #isCorked = false

  override get writeBufferLength(): number {
    return this.inner.writeBufferLength + this.#waitingBytes
  }

  send(bytes: Bytes): boolean {
    if (bytes instanceof Uint8Array) this.#waiting.push(bytes)
    else for (const piece of bytes) this.#waiting.push(piece)
    this.#waitingBytes += bytes.byteLength
    if (this.writeBufferLength > MAX_UNWRITTEN_BYTES) return this.#overrun()
    const isOpen = this.muxer?.status === "open" && this.inner.status === "open"
    if (!isOpen || this.#waitingBytes >= MAX_JOINED_BYTES) return this.#flush()
    if (!this.#isCorked) corkThisTurn(this)
    return !this.inner.writableNeedsDrain
  }

  override abort(error: Error): void {
    this.uncork()
    super.abort(error)
  }

  cork(): void {
    this.#isCorked = true
  }

  uncork(): void {
    this.#isCorked = false
    if (this.#waitingBytes === 0) return
    try {
      this.#flush()
    } catch {
      // The connection is gone since, or has aborted itself: its end tells the multiplexer.
    }
  }

  #overrun(): false {
    this.#waiting = []
    this.#waitingBytes = 0
    this.inner.abort(new StreamBufferError("more waits to be written than may"))
    return false
  }

  #flush(): boolean {
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    return this.inner.send(joined(waiting))
  }
}

/** Between Noise and its carriage. */
class PacketStream extends ForwardedStream {
  send(bytes: Bytes): boolean {
    return this.inner.send(bytes instanceof Uint8Array ? bytes : joined([...bytes]))
  }
}

/** A multiplexer whose frames of one turn are sent together. */
export const joiningMuxer = (factory: StreamMuxerFactory): StreamMuxerFactory => ({
  ...capabilitiesOf(factory),
  protocol: factory.protocol,
  createStreamMuxer: (connection) => {
    const turns = new TurnStream(connection)
    turns.muxer = factory.createStreamMuxer(turns)
    return turns.muxer
  }
})

/** An encrypter whose packets are one write each. */
export const joiningEncrypter = (inner: ConnectionEncrypter): ConnectionEncrypter => ({
  ...capabilitiesOf(inner),
  protocol: inner.protocol,
  secureInbound: (stream, options) => inner.secureInbound(new PacketStream(stream), options),
  secureOutbound: (stream, options) => inner.secureOutbound(new PacketStream(stream), options)
})

/** By which js-libp2p sees that nothing is missing. */
const capabilitiesOf = (part: object): object =>
  serviceCapabilities in part ? { [serviceCapabilities]: part[serviceCapabilities] } : {}
