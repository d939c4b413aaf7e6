/**
 * js-libp2p's QUIC with streams that hold the other end back while they are paused. It reads on whoever pauses, and leaves it to QUIC to hold the
 * other end back, which QUIC does only for what nobody reads.
 *
 * ```
 *   QUIC ─▶ read() ─▶ the stream of js-libp2p ─▶ whoever reads
 *             │ paused, and enough is kept: not before it goes on, and the other end has its window, and no more
 * ```
 *
 * Specification: of a paused stream so much is read ahead that its end is seen, where little comes before it. Resets are seen when it goes on, or
 * when somebody writes. After a small read that was full comes a large one, where there is a place for it.
 *
 * Rationale: the engine makes streams from native ones in its constructor and tells nobody; what is between the two is put there where the
 * multiplexer is made, the one place that is handed over.
 */
import type { Connection, Stream, StreamMuxer, StreamMuxerFactory, Transport, Upgrader } from "@libp2p/interface"

/**
 * @limit bytes that a libp2p node reads ahead of a stream over QUIC that is paused
 */
export const MAX_READ_AHEAD_BYTES: number = 256 * 1024

/** What the engine asks for, and a stream of which nothing comes waits with that. */
const SMALL_READ_BYTES = 4096
/** Nearly three times as much goes over a stream with such reads, where there is much (measured; `bench/RESULTS.md` §"Gossip"). */
const LARGE_READ_BYTES: number = 256 * 1024
/**
 * A read takes its room before anything is there for it, and whoever sends as much as a small one holds and no more keeps that of a large one, also
 * once we have given its stream up: the native part waits on.
 *
 * @limit reads of 256 KiB of streams over QUIC that are under way in a libp2p node; further ones have 4 KiB
 */
export const MAX_LARGE_READS = 64
/**
 * @limit reads of 256 KiB of one connection over QUIC that are under way in a libp2p node
 */
export const MAX_LARGE_READS_PER_CONNECTION = 4

/** What is used of the native part. */
interface NativeStream {
  id(): string
  read(maxBytes: number): Promise<Uint8Array | null>
  write(bytes: Uint8Array): Promise<void>
  finishWrite(): Promise<void>
  resetWrite(): Promise<void>
  stopRead(): Promise<void>
}

interface NativeConnection {
  id(): string
  inboundStream(): Promise<NativeStream>
  outboundStream(): Promise<NativeStream>
}

interface QuicFactory extends StreamMuxerFactory {
  readonly init?: { readonly connection?: NativeConnection }
}

/** A stream of js-libp2p with what it tells those who carry it. */
type CarriedStream = Stream & {
  sendResume(): void
  sendCloseRead(...options: Parameters<Stream["closeRead"]>): Promise<void>
}

/** So many at once, of all within. */
class LargeReads {
  readonly #most: number
  readonly #within: LargeReads | undefined
  #underWay = 0

  constructor(most: number, within?: LargeReads) {
    this.#most = most
    this.#within = within
  }

  begin(): boolean {
    if (this.#underWay >= this.#most || this.#within?.begin() === false) return false
    this.#underWay += 1
    return true
  }

  end(): void {
    this.#underWay -= 1
    this.#within?.end()
  }
}

/** What js-libp2p reads from, which waits while nobody wants it. */
class HeldNative implements NativeStream {
  readonly #inner: NativeStream
  readonly #large: LargeReads
  #stream: CarriedStream | undefined = undefined
  #goOn: (() => void) | undefined = undefined
  /** The last read was a small one, and full: there is more. */
  #hasMore = false

  constructor(inner: NativeStream, large: LargeReads) {
    this.#inner = inner
    this.#large = large
  }

  /** From now on it is this stream that says when there is enough. */
  carry(stream: CarriedStream): void {
    this.#stream = stream
    const resumed = stream.sendResume.bind(stream)
    const closed = stream.sendCloseRead.bind(stream)
    stream.sendResume = () => {
      resumed()
      this.#wake()
    }
    stream.sendCloseRead = (...options) => {
      this.#wake()
      return closed(...options)
    }
  }

  /** As much as suits what comes: who reads takes whatever he is given. */
  async read(): Promise<Uint8Array | null> {
    while (this.#isFull()) await new Promise<void>((resolve) => (this.#goOn = resolve))
    if (this.#hasMore && this.#large.begin()) return this.#readLarge()
    const bytes = await this.#inner.read(SMALL_READ_BYTES)
    this.#hasMore = bytes?.length === SMALL_READ_BYTES
    return bytes
  }

  async #readLarge(): Promise<Uint8Array | null> {
    this.#hasMore = false
    try {
      return await this.#inner.read(LARGE_READ_BYTES)
    } finally {
      this.#large.end()
    }
  }

  #isFull(): boolean {
    const stream = this.#stream
    return stream?.readStatus === "paused" && stream.readBufferLength >= MAX_READ_AHEAD_BYTES
  }

  #wake(): void {
    this.#goOn?.()
    this.#goOn = undefined
  }

  /** With it js-libp2p gives the stream up. */
  stopRead(): Promise<void> {
    this.#wake()
    return this.#inner.stopRead()
  }

  id(): string {
    return this.#inner.id()
  }
  write(bytes: Uint8Array): Promise<void> {
    return this.#inner.write(bytes)
  }
  finishWrite(): Promise<void> {
    return this.#inner.finishWrite()
  }
  resetWrite(): Promise<void> {
    return this.#inner.resetWrite()
  }
}

/** A connection whose streams can be held. */
class HeldConnection implements NativeConnection {
  readonly #inner: NativeConnection
  readonly #large: LargeReads
  /** Those of which js-libp2p is making streams just now, by direction and id: each side counts its own. */
  readonly #fresh: Map<string, HeldNative> = new Map()

  constructor(inner: NativeConnection, large: LargeReads) {
    this.#inner = inner
    this.#large = new LargeReads(MAX_LARGE_READS_PER_CONNECTION, large)
  }

  id(): string {
    return this.#inner.id()
  }
  async inboundStream(): Promise<NativeStream> {
    return this.#held("inbound", await this.#inner.inboundStream())
  }
  async outboundStream(): Promise<NativeStream> {
    return this.#held("outbound", await this.#inner.outboundStream())
  }

  readonly carry = (stream: Stream): void => {
    const key = `${stream.direction} ${stream.id}`
    this.#fresh.get(key)?.carry(stream as CarriedStream)
    this.#fresh.delete(key)
  }

  #held(direction: Stream["direction"], native: NativeStream): NativeStream {
    const held = new HeldNative(native, this.#large)
    this.#fresh.set(`${direction} ${native.id()}`, held)
    return held
  }
}

/** One that the engine would have made, but for what it reads from. */
const heldFactory = (factory: StreamMuxerFactory, large: LargeReads): StreamMuxerFactory => {
  const { constructor, init, protocol } = factory as QuicFactory
  if (typeof init?.connection?.outboundStream !== "function") {
    throw new TypeError("this version of @chainsafe/libp2p-quic makes its multiplexers in another way")
  }
  const connection = new HeldConnection(init.connection, large)
  const Made = constructor as new (init: object) => StreamMuxerFactory
  const inner = new Made({ ...init, connection })
  return {
    protocol,
    createStreamMuxer: (carriage) => {
      const muxer = inner.createStreamMuxer(carriage)
      muxer.addEventListener("stream", ({ detail }) => connection.carry(detail))
      return carrying(muxer, connection)
    }
  }
}

const carrying = (muxer: StreamMuxer, connection: HeldConnection): StreamMuxer => {
  const createStream = muxer.createStream.bind(muxer)
  const abort = muxer.abort.bind(muxer)
  // It passes over every second stream, as each goes from its list meanwhile.
  muxer.abort = (error) => {
    for (const stream of [...muxer.streams]) stream.abort(error)
    abort(error)
  }
  muxer.createStream = async (options) => {
    const stream = await createStream(options)
    connection.carry(stream)
    return stream
  }
  return muxer
}

const withHeld = <Options extends { readonly muxerFactory?: StreamMuxerFactory }>(
  options: Options,
  large: LargeReads
): Options =>
  options.muxerFactory === undefined ? options : { ...options, muxerFactory: heldFactory(options.muxerFactory, large) }

const holding = (upgrader: Upgrader, large: LargeReads): Upgrader => ({
  upgradeInbound: (carriage: never, options: never): Promise<void> =>
    upgrader.upgradeInbound(carriage, withHeld(options, large)),
  upgradeOutbound: (carriage: never, options: never): Promise<Connection> =>
    upgrader.upgradeOutbound(carriage, withHeld(options, large)),
  createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
  getStreamMuxers: () => upgrader.getStreamMuxers(),
  getConnectionEncrypters: () => upgrader.getConnectionEncrypters()
})

/**
 * `quic()` of `@chainsafe/libp2p-quic` 2, whose streams are held. Its dials fail with a `TypeError` where that version makes its multiplexers in
 * another way.
 */
export const heldQuic =
  <Components>(quic: (components: Components) => Transport): ((components: Components) => Transport) =>
  (components) => {
    const transport = quic(components)
    const dial = transport.dial.bind(transport)
    const listen = transport.createListener.bind(transport)
    const large = new LargeReads(MAX_LARGE_READS)
    const held = <Options extends { readonly upgrader: Upgrader }>(options: Options): Options => ({
      ...options,
      upgrader: holding(options.upgrader, large)
    })
    transport.dial = (address, options) => dial(address, held(options))
    transport.createListener = (options) => listen(held(options))
    return transport
  }
