/** What is read of a native stream while the stream of js-libp2p is paused, with a transport that is made as js-libp2p's QUIC is. */
import { assert, describe, it } from "@effect/vitest"
import type { Stream, StreamMuxer, StreamMuxerFactory, Transport, Upgrader } from "@libp2p/interface"
import { MAX_LARGE_READS, MAX_READ_AHEAD_BYTES, heldQuic } from "../src/index.ts"

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
  readonly id: string
  readonly native: Native

  constructor(native: Native) {
    this.native = native
    this.id = native.id()
    void this.#run()
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

  constructor(made: Made) {
    super()
    this.made = made
  }
  readonly accept = async (): Promise<Carried> => {
    const stream = new Carried(await this.made.connection.inboundStream())
    this.dispatchEvent(Object.assign(new Event("stream"), { detail: stream }))
    return stream
  }
  createStream = async (): Promise<Carried> => new Carried(await this.made.connection.outboundStream())
}

class Factory {
  readonly protocol = "quic"
  readonly init: Made

  constructor(init: Made) {
    this.init = init
  }
  readonly createStreamMuxer = (): Muxer => new Muxer(this.init)
}

/** The multiplexer that a dial gets, and the native streams below. */
const dialled = async (
  there: number = Infinity
): Promise<{ readonly muxer: Muxer; readonly natives: ReadonlyArray<Native> }> => {
  const natives: Array<Native> = []
  const next = async (): Promise<Native> => {
    const native = new Native(`stream ${natives.length}`)
    native.there = there
    natives.push(native)
    return native
  }
  let muxer: StreamMuxer | undefined
  const upgrader = {
    upgradeOutbound: async (_carriage: object, { muxerFactory }: { readonly muxerFactory: StreamMuxerFactory }) => {
      muxer = muxerFactory.createStreamMuxer({} as never)
    }
  }
  const transport = {
    dial: (_address: object, options: { readonly upgrader: Upgrader }) =>
      options.upgrader.upgradeOutbound(
        {} as never,
        {
          muxerFactory: new Factory({ connection: { inboundStream: next, outboundStream: next } })
        } as never
      ),
    createListener: () => undefined
  }
  const held = heldQuic(() => transport as unknown as Transport)({})
  await held.dial({} as never, { upgrader: upgrader as unknown as Upgrader, signal: AbortSignal.any([]) })
  return { muxer: muxer as unknown as Muxer, natives }
}

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

it("much is read at once where there is much, of no more streams at once than may be", async () => {
  const { muxer, natives } = await dialled(SMALL)
  for (let i = 0; i < MAX_LARGE_READS + 10; i++) await muxer.accept()
  await turns(3)
  // All have had a full read, and so there may be more; nothing comes.
  const asked = natives.map((native) => native.asked)
  assert.lengthOf(
    asked.filter((bytes) => bytes === LARGE),
    MAX_LARGE_READS
  )
  assert.lengthOf(
    asked.filter((bytes) => bytes === SMALL),
    10
  )
  const idle = await dialled(SMALL - 1)
  await idle.muxer.accept()
  await turns(3)
  const [native] = idle.natives
  assert.deepStrictEqual([native?.asked, native?.reads], [SMALL, 2])
})
