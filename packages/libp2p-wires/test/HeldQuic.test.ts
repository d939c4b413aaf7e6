/** What is read of a native stream while the stream of js-libp2p is paused, with a transport that is made as js-libp2p's QUIC is. */
import { assert, describe, it } from "@effect/vitest"
import type { Stream, StreamMuxerFactory, Transport, Upgrader } from "@libp2p/interface"
import { MAX_LARGE_READS, MAX_LARGE_READS_PER_CONNECTION, MAX_READ_AHEAD_BYTES, heldQuic } from "../src/index.ts"

const [SMALL, LARGE] = [4096, 262_144]

/** The native part: what there is of whatever is asked of it is there at once, and then nothing. */
class Native {
  reads = 0
  isStopped = false
  there = Infinity
  /** How much was asked for, the last time. */
  asked = 0
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
  readonly id = (): string => this.name
  readonly read = async (maxBytes: number): Promise<Uint8Array | null> => {
    this.reads++
    this.asked = maxBytes
    if (this.isStopped) return null
    if (this.there === 0) return new Promise(() => undefined)
    const bytes = new Uint8Array(Math.min(maxBytes, this.there))
    this.there -= bytes.length
    return bytes
  }
  readonly stopRead = async (): Promise<void> => {
    this.isStopped = true
  }
}

/** A stream of js-libp2p: it reads from its first moment on, whatever it is told. */
class Carried {
  readStatus: Stream["readStatus"] = "readable"
  readBufferLength = 0
  isOver = false
  isAborted = false
  onClose: () => void = () => undefined
  readonly id: string
  readonly direction: Stream["direction"]
  readonly native: Native

  constructor(native: Native, direction: Stream["direction"]) {
    this.native = native
    this.direction = direction
    this.id = native.id()
    void this.#run()
  }
  readonly abort = (): void => {
    this.isAborted = true
    this.onClose()
  }
  async #run(): Promise<void> {
    for (let chunk = await this.native.read(SMALL); chunk !== null; chunk = await this.native.read(SMALL)) {
      if (this.readStatus === "paused") this.readBufferLength += chunk.length
      // One turn of the event loop for a chunk.
      await new Promise(setImmediate)
    }
    this.isOver = true
  }
  sendResume(): void {
    // QUIC's has nothing to do.
  }
  async sendCloseRead(): Promise<void> {
    // Nor here.
  }
  readonly resume = (): void => {
    this.readStatus = "readable"
    this.readBufferLength = 0
    this.sendResume()
  }
}

interface Made {
  readonly connection: { readonly inboundStream: () => Promise<Native>; readonly outboundStream: () => Promise<Native> }
}

class Muxer extends EventTarget {
  readonly made: Made
  readonly streams: Array<Carried> = []

  constructor(made: Made) {
    super()
    this.made = made
  }
  readonly accept = async (): Promise<Carried> => {
    const stream = this.#kept(new Carried(await this.made.connection.inboundStream(), "inbound"))
    this.dispatchEvent(Object.assign(new Event("stream"), { detail: stream }))
    return stream
  }
  createStream = async (): Promise<Carried> =>
    this.#kept(new Carried(await this.made.connection.outboundStream(), "outbound"))
  /** As js-libp2p's does: each goes from the list as it is told. */
  abort(): void {
    for (const stream of this.streams) stream.abort()
  }
  #kept(stream: Carried): Carried {
    this.streams.push(stream)
    stream.onClose = () => void this.streams.splice(this.streams.indexOf(stream), 1)
    return stream
  }
}

class Factory {
  readonly protocol = "quic"
  readonly init: Made

  constructor(init: Made) {
    this.init = init
  }
  readonly createStreamMuxer = (): Muxer => new Muxer(this.init)
}

interface Dialled {
  readonly muxer: Muxer
  readonly natives: ReadonlyArray<Native>
}

/** A connection, of whose native streams each end counts its own. */
const connectionOf = (there: number): { readonly factory: StreamMuxerFactory; readonly natives: Array<Native> } => {
  const natives: Array<Native> = []
  const next = (): (() => Promise<Native>) => {
    let count = 0
    return async () => {
      const native = new Native(`${count++}`)
      native.there = there
      natives.push(native)
      return native
    }
  }
  const factory = new Factory({ connection: { inboundStream: next(), outboundStream: next() } })
  return { factory: factory as unknown as StreamMuxerFactory, natives }
}

/** The multiplexers that dials of one node get, and the native streams below. */
const dials = async (count: number, there: number): Promise<ReadonlyArray<Dialled>> => {
  const made: Array<Dialled> = []
  const transport = {
    dial: async (_address: object, options: { readonly upgrader: Upgrader }) => {
      const { factory, natives } = connectionOf(there)
      const carriage = { natives }
      await options.upgrader.upgradeOutbound(carriage as never, { muxerFactory: factory } as never)
    },
    createListener: () => undefined
  }
  const upgrader = {
    upgradeOutbound: async (
      { natives }: Pick<Dialled, "natives">,
      { muxerFactory }: { readonly muxerFactory: StreamMuxerFactory }
    ) => {
      made.push({ muxer: muxerFactory.createStreamMuxer({} as never) as unknown as Muxer, natives })
    }
  }
  const held = heldQuic(() => transport as unknown as Transport)({})
  for (let i = 0; i < count; i++) {
    await held.dial({} as never, { upgrader: upgrader as unknown as Upgrader, signal: AbortSignal.any([]) })
  }
  return made
}

const dialled = async (): Promise<Dialled> => (await dials(1, Infinity))[0] as Dialled

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise(setImmediate)
}
/** One is under way when it pauses, and every second one is large. */
const MOST = 2 * Math.ceil(MAX_READ_AHEAD_BYTES / LARGE) + 2

describe.each(["createStream", "accept"] as const)("a stream of QUIC from %s", (way) => {
  it("that is paused is read no further than so far ahead, and goes on when it is resumed", async () => {
    const { muxer, natives } = await dialled()
    const stream = await muxer[way]()
    const [native] = natives as [Native]
    await turns(50)
    assert.isAtLeast(native.reads, 40)
    const before = native.reads
    stream.readStatus = "paused"
    await turns(50)
    assert.isAtMost(native.reads - before, MOST)
    assert.isAtLeast(stream.readBufferLength, MAX_READ_AHEAD_BYTES)
    assert.isAtMost(stream.readBufferLength, MAX_READ_AHEAD_BYTES + LARGE)
    const paused = native.reads
    stream.resume()
    await turns(50)
    assert.isAtLeast(native.reads, paused + 40)
  })

  it("that is paused lets go of it when nobody reads any more, and when it is given up", async () => {
    for (const end of ["closeRead", "reset"] as const) {
      const { muxer, natives } = await dialled()
      const stream = await muxer[way]()
      const [native] = natives as [Native]
      stream.readStatus = "paused"
      await turns(50)
      const paused = native.reads
      stream.readStatus = "closed"
      await (end === "reset" ? stream.native.stopRead() : stream.sendCloseRead())
      await turns(50)
      assert.strictEqual(native.isStopped, end === "reset")
      if (end === "reset") assert.isTrue(stream.isOver)
      else assert.isAtLeast(native.reads, paused + 40)
    }
  })
})

it("other streams are read on while one is held", async () => {
  const { muxer, natives } = await dialled()
  const one = await muxer.accept()
  await muxer.accept()
  one.readStatus = "paused"
  await turns(50)
  assert.isAtMost((natives[0] as Native).reads, MOST + 1)
  assert.isAtLeast((natives[1] as Native).reads, 40)
})

it("one is held by itself, whatever numbers the ends give to theirs", async () => {
  const { muxer, natives } = await dialled()
  const [one, other] = await Promise.all([muxer.accept(), muxer.createStream()])
  assert.strictEqual(one.id, other.id)
  one.readStatus = "paused"
  await turns(50)
  const [theirs, ours] = natives.map(({ reads }) => reads)
  assert.isAtMost(theirs ?? Infinity, MOST + 1)
  assert.isAtLeast(ours ?? 0, 40)
})

it("all streams of a connection learn that it is gone", async () => {
  const { muxer } = await dialled()
  const streams = [await muxer.accept(), await muxer.createStream(), await muxer.accept(), await muxer.accept()]
  muxer.abort()
  assert.deepStrictEqual(
    streams.map(({ isAborted }) => isAborted),
    [true, true, true, true]
  )
})

it("much is read at once where there is much, of no more streams at once than may be", async () => {
  const connections = await dials(MAX_LARGE_READS / MAX_LARGE_READS_PER_CONNECTION + 2, SMALL)
  for (const { muxer } of connections) for (let i = 0; i < 10; i++) await muxer.accept()
  await turns(3)
  // All have had a full read, and so there may be more; nothing comes.
  const large = connections.map(({ natives }) => natives.filter(({ asked }) => asked === LARGE).length)
  assert.deepStrictEqual(
    large,
    large.map((_, i) => (i < connections.length - 2 ? MAX_LARGE_READS_PER_CONNECTION : 0))
  )
  const [idle] = (await dials(1, SMALL - 1)) as [Dialled]
  await idle.muxer.accept()
  await turns(3)
  const [native] = idle.natives
  assert.deepStrictEqual([native?.asked, native?.reads], [SMALL, 2])
})
