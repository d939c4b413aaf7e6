/** The gate alone, before something that stands for gossipsub. */
import type { GossipSub } from "@libp2p/gossipsub"
import { RPC } from "@libp2p/gossipsub/message"
import type { PeerId } from "@libp2p/interface"
import { assert, it, onTestFinished, vi } from "@effect/vitest"
import * as fc from "fast-check"
import { MAX_FRAME_FIELDS, MESSAGE_ID_BYTES, entriesOf } from "../src/FrameFields.ts"
import { FrameReader } from "../src/FrameReader.ts"
import { type PeerLimits, PeerTurns } from "../src/PeerTurns.ts"
import { type GateKeeper, type Rpc, gated } from "../src/RpcGate.ts"
import { boundSeen } from "../src/SeenBound.ts"

const peer = { toString: () => "peer" } as PeerId
const many = <A>(count: number, one: A): Array<A> => Array.from({ length: count }, () => one)

const id = new Uint8Array(32)
const NOTHING = { ihave: [], iwant: [], graft: [], prune: [], idontwant: [] }
const encoded = (rpc: Partial<Parameters<typeof RPC.encode>[0]>): Uint8Array =>
  RPC.encode({ subscriptions: [], messages: [], ...rpc })

/** A field of a number, with nothing in it. */
const empty = (number: number): ReadonlyArray<number> => [8 * number + 2, 0]

it("counts all that a frame says: a small one holds thousands of words about a mesh", () => {
  const subscription = { topic: "words", subscribe: true }
  const message = { topic: "words", data: new Uint8Array(100_000) }
  const has = (ids: number) => ({ ...NOTHING, ihave: [{ topicID: "words", messageIDs: many(ids, id) }] })
  /** In fiftieths, which is what an id counts. */
  const entries = (frame: Uint8Array): unknown => {
    const counted = entriesOf(frame)
    return typeof counted === "number" ? Math.round(50 * counted) : counted
  }
  assert.strictEqual(entries(encoded({})), 50)
  assert.strictEqual(entries(encoded({ subscriptions: many(7, subscription) })), 7 * (50 + 2))
  assert.strictEqual(entries(encoded({ messages: many(3, message) })), 3 * (50 + 2))
  const words = { ...NOTHING, graft: many(4000, {}), prune: many(1000, { peers: [] }) }
  assert.strictEqual(entries(encoded({ control: words })), 50 * 5001)
  assert.strictEqual(entries(encoded({ control: has(5000) })), 50 * 2 + 5001)
  assert.strictEqual(entries(encoded({ control: has(MAX_FRAME_FIELDS - 3) })), 50 * 2 + MAX_FRAME_FIELDS - 2)
  assert.strictEqual(entries(encoded({ control: has(MAX_FRAME_FIELDS - 2) })), "flood")
})

it("finds many fields wherever they lie", () => {
  const within = (number: number, inside: ReadonlyArray<number>): ReadonlyArray<number> => {
    const { length } = inside
    return [8 * number + 2, 128 + (length % 128), 128 + (Math.floor(length / 128) % 128), length >> 14, ...inside]
  }
  const crowd = (number: number): ReadonlyArray<number> => many(MAX_FRAME_FIELDS + 1, empty(number)).flat()
  const crowded = [
    crowd(1),
    crowd(9),
    within(1, crowd(2)),
    within(2, crowd(2)),
    within(3, crowd(3)),
    within(3, within(1, crowd(2))),
    within(3, within(4, within(2, crowd(1))))
  ]
  for (const bytes of crowded) {
    assert.strictEqual(entriesOf(Uint8Array.from(bytes)), "flood")
    // What is no message of gossip's is passed over by its length.
    assert.isBelow(entriesOf(Uint8Array.from(within(9, bytes))) as number, 2)
  }
})

it("takes for gossip whatever gossipsub writes, and counts no less in it", () => {
  const some = fc.uint8Array({ maxLength: 20 })
  const topicID = fc.string({ maxLength: 6 })
  const id = fc.uint8Array({ maxLength: MESSAGE_ID_BYTES })
  const ids = fc.array(id, { maxLength: 4 })
  const listOf = <A>(one: fc.Arbitrary<A>) => fc.array(one, { maxLength: 3 })
  const control = fc.record({
    ihave: listOf(fc.record({ topicID, messageIDs: ids })),
    iwant: listOf(fc.record({ messageIDs: ids })),
    graft: listOf(fc.record({ topicID })),
    prune: listOf(
      fc.record({
        topicID,
        peers: listOf(fc.record({ peerID: some, signedPeerRecord: some })),
        backoff: fc.maxSafeNat()
      })
    ),
    idontwant: listOf(fc.record({ messageIDs: ids }))
  })
  const message = fc.record(
    { from: some, data: some, seqno: some, topic: fc.string(), signature: some, key: some },
    { requiredKeys: ["topic"] }
  )
  const rpcs = fc.record(
    {
      subscriptions: listOf(fc.record({ subscribe: fc.boolean(), topic: topicID })),
      messages: listOf(message),
      control
    },
    { requiredKeys: ["subscriptions", "messages"] }
  )
  fc.assert(
    fc.property(rpcs, (rpc) => {
      const words = rpc.control === undefined ? [] : Object.values(rpc.control).flat()
      const said = rpc.subscriptions.length + rpc.messages.length + words.length
      assert.isAtLeast(entriesOf(RPC.encode(rpc)) as number, said)
    }),
    { numRuns: 500 }
  )
})

it("never throws, and counts no less in what it takes for gossip than gossipsub finds", () => {
  // What ends in the middle, tags and lengths of more than 32 bits, and ids of other lengths are all around.
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.constantFrom(
      [0x1a, 4, 0x0a, 2, 0x12, 0],
      [0x9a, 0x80, 0x80, 0x80, 0xf0, 0x7f, 4],
      [0x12, 2, 0x12, 0],
      [0x0a, 0]
    ),
    // Fields that are known, written in other ways.
    fc.constantFrom(
      [0x09, 0, 0x48, 0, 0x48, 0, 0x48, 0, 0x48],
      [0x0d, 0, 0, 0, 0],
      [0x13],
      [0x18, 0],
      [0x4b, 0x4c],
      [0x4a, 2]
    )
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const bytes = Uint8Array.from(parts.flatMap((some) => [...some]))
      const counted = entriesOf(bytes)
      if (typeof counted === "string") return
      const rpc = decodedBy(bytes)
      if (rpc === undefined) return
      const { subscriptions, messages, control } = rpc
      const words = control === undefined ? [] : Object.values(control)
      assert.isAtLeast(counted, subscriptions.length + messages.length + words.flat().length)
    }),
    { numRuns: 2000 }
  )
})

const decodedBy = (bytes: Uint8Array): RPC | undefined => {
  try {
    return RPC.decode(bytes)
  } catch {
    return undefined
  }
}

it("takes no tag that the decoder reads in another way, and no id that is none", () => {
  // Ten bytes, of which the decoder takes the lower 32 bits: field 3, which is control.
  const tag = [0x9a, 0x80, 0x80, 0x80, 0xf0, 0xff, 0xff, 0xff, 0xff, 0x01]
  assert.strictEqual(entriesOf(Uint8Array.from([...tag, 2, 0x1a, 0])), "malformed")
  // Eight bytes to whom looks how it is written, an empty subscription and more to whom does not.
  const hidden = [0x09, 0, 0x48, 0, 0x48, 0, 0x48, 0, 0x48, 0x4a, 4, 0, 0x12, 0, 0x12, 0]
  assert.strictEqual(entriesOf(Uint8Array.from(hidden)), "malformed")
  const ids = (bytes: number) =>
    encoded({ control: { ...NOTHING, idontwant: [{ messageIDs: [new Uint8Array(bytes)] }] } })
  assert.isNumber(entriesOf(ids(36)))
  assert.strictEqual(entriesOf(ids(37)), "malformed")
})

/** A stream in place of libp2p's. */
class OneStream extends EventTarget {
  readStatus: "readable" | "paused" | "closed" = "readable"
  maxReadBufferLength = 0
  held: Array<Uint8Array> = []
  pause(): void {
    this.readStatus = "paused"
  }
  resume(): void {
    this.readStatus = "readable"
    for (const bytes of this.held.splice(0)) this.bring(bytes)
  }
  abort(): void {
    this.readStatus = "closed"
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
  bring(data: Uint8Array): void {
    if (this.readStatus === "paused") this.held.push(data)
    else this.dispatchEvent(Object.assign(new Event("message"), { data }))
  }
}

/** A frame as it is on the wire. */
const framed = (frame: Uint8Array): Uint8Array => {
  const length: Array<number> = []
  let left = frame.length
  for (; left > 127; left >>= 7) length.push((left % 128) + 128)
  return Uint8Array.from([...length, left, ...frame])
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

const setUp = (keeper: Partial<GateKeeper> = {}, limits: Partial<PeerLimits> = {}) => {
  const clock = { nowMs: 0 }
  const boundless = { perSecond: 1e9, burst: 1e9 }
  const turns = new PeerTurns({ messages: boundless, bytes: boundless, maxValidating: 4, ...limits }, () => clock.nowMs)
  const [decoded, faults]: [Array<number>, Array<string>] = [[], []]
  const sent: Array<Rpc> = []
  const under: Array<() => void> = []
  const stream = new OneStream()
  const idle: (from: PeerId, rpc: Rpc) => Promise<void> = () => Promise.resolve()
  const judge: (from: PeerId, message: { data?: Uint8Array }) => Promise<void> = () =>
    new Promise((resolve) => under.push(resolve))
  const engine = {
    isStarted: () => true,
    peers: new Map([["peer", peer]]),
    streamsInbound: new Map<string, unknown>(),
    seenCache: { entries: new Map(), put: () => false },
    score: { deliveryRecords: { records: new Map(), ensureRecord: () => undefined, queue: [] } },
    decodeRpc: (frame: Uint8Array): Rpc => {
      decoded.push(frame.length)
      return RPC.decode(frame)
    },
    acceptFrom: () => true,
    handleReceivedRpc: idle,
    handleReceivedMessage: judge,
    handlePeerReadStreamError: () => undefined,
    createInboundStream: (from: PeerId, one: OneStream): unknown => [from, one],
    sendRpc: (_: string, rpc: Rpc) => sent.push(rpc) > 0
  }
  gated(engine as unknown as GossipSub, {
    fault: (_, fault, detail) => void faults.push(`${fault} at ${clock.nowMs}: ${detail}`),
    isBanned: () => false,
    mayRead: (one, bytes, entries) => turns.mayRead(one, bytes, entries),
    hasTopic: () => true,
    onMessage: () => true,
    turn: (one) => turns.free(one),
    begin: (one) => turns.begin(one),
    end: (one) => turns.end(one),
    nowMs: () => clock.nowMs,
    nextTurn: settled,
    maxMessageBytes: 1000,
    maxFrameBytes: 100_000,
    ...keeper
  })
  engine.createInboundStream(peer, stream)
  return { clock, decoded, engine, faults, sent, stream, under }
}

it("decodes no frame that says too much or is none, nor any of a peer that is over its rate", async () => {
  const { clock, decoded, faults, stream } = setUp(
    {},
    { messages: { perSecond: 100, burst: 100 }, bytes: { perSecond: 1000, burst: 10_000 } }
  )
  const words = (count: number): Uint8Array => Uint8Array.from(many(count, empty(1)).flat())
  for (const [nowMs, frame] of [
    [0, words(60)],
    [0, words(60)],
    [0, words(MAX_FRAME_FIELDS + 1)],
    [0, Uint8Array.of(0x0a, 9)],
    [500, words(61)],
    [900, Uint8Array.of(0x4a, 0xa0, 0x9c, 0x01, ...new Uint8Array(20_000))]
  ] as const) {
    clock.nowMs = nowMs
    stream.bring(framed(frame))
    await settled()
  }
  assert.deepStrictEqual(decoded, [120, 122])
  assert.deepStrictEqual(faults, [
    "flood at 0: more than a peer may send",
    "flood at 0: a frame that says more than any has to",
    "malformed at 0: no gossip",
    "flood at 900: more than a peer may send"
  ])
})

const message = (bytes = 5) => ({ topic: "words", data: new Uint8Array(bytes) })

it("has no more messages of a peer under way than it may, pauses its stream meanwhile, and goes on", async () => {
  const { stream, under } = setUp()
  stream.bring(framed(encoded({ messages: many(6, message()) })))
  await settled()
  assert.strictEqual(under.length, 4)
  for (let n = 0; n < 3; n++) stream.bring(framed(encoded({ messages: [message()] })))
  // One piece is kept here, the rest where the other end is held back.
  assert.deepStrictEqual([stream.readStatus, stream.held.length], ["paused", 2])
  for (let n = 0; n < 9; n++) {
    under[n]?.()
    await settled()
  }
  assert.deepStrictEqual([stream.readStatus, stream.held.length, under.length], ["readable", 0, 9])
})

it("hears nothing more of who is banned in the middle of a frame, or whose stream was replaced", async () => {
  let isBanned = false
  const first = setUp({ isBanned: () => isBanned })
  first.stream.bring(framed(encoded({ messages: many(9, message()) })))
  isBanned = true
  for (const done of first.under) done()
  await settled()
  assert.strictEqual(first.under.length, 4)
  const second = setUp()
  second.engine.createInboundStream(peer, new OneStream())
  second.stream.bring(framed(encoded({ messages: [message()] })))
  await settled()
  assert.deepStrictEqual([second.under.length, second.stream.readStatus], [0, "closed"])
})

it("lets others have their turn while a peer's messages take long", async () => {
  const { clock, stream, under } = setUp({ turn: () => undefined })
  const judge = under.push.bind(under)
  under.push = (...done) => {
    clock.nowMs += 3
    return judge(...done)
  }
  stream.bring(framed(encoded({ messages: many(9, message()) })))
  const inOneTurn = under.length
  await settled()
  assert.isAtMost(inOneTurn, 2)
  while (under.length < 9) await settled()
})

it("hands over one word about the mesh of each topic, and messages that hold no frame", async () => {
  const words: Array<unknown> = []
  const { engine, stream } = setUp({ hasTopic: (topic) => topic === "words" })
  const kept: Array<number> = []
  engine.handleReceivedRpc = (_: PeerId, { control }: Rpc) => {
    words.push(control?.prune?.length, control?.graft?.length, control?.prune?.[0]?.backoff)
    return Promise.resolve()
  }
  engine.handleReceivedMessage = (_: PeerId, { data }: { data?: Uint8Array }) => {
    kept.push(data?.buffer.byteLength ?? 0)
    return Promise.resolve()
  }
  const prune = (topicID: string) => ({ topicID, peers: [], backoff: 1e9 })
  const control = {
    ...NOTHING,
    prune: [...many(100, prune("words")), prune("others")],
    graft: many(9, { topicID: "words" })
  }
  stream.bring(framed(encoded({ control, messages: [message(), { topic: "others", data: new Uint8Array(5000) }] })))
  await settled()
  assert.deepStrictEqual(words, [1, 1, 3600])
  assert.deepStrictEqual(kept, [5])
})

it("wakes whoever counts though many that do not wait before it", async () => {
  const { engine, stream, under } = setUp()
  stream.bring(framed(encoded({ messages: many(4, message()) })))
  const streams = Array.from({ length: 9 }, () => new OneStream())
  for (const one of streams) {
    engine.createInboundStream(peer, one)
    one.bring(framed(encoded({ messages: [message()] })))
  }
  for (let n = 0; n < 4; n++) under[n]?.()
  await settled()
  await settled()
  assert.strictEqual(under.length, 5)
})

it("sends what somebody asked for in frames that he can read", () => {
  const { engine, sent } = setUp()
  engine.sendRpc("peer", { subscriptions: [], messages: many(7, message(400)), control: {} })
  assert.deepStrictEqual(
    sent.map(({ messages }) => messages.length),
    [2, 2, 2, 1]
  )
  assert.deepStrictEqual(
    sent.map(({ control }) => control !== undefined),
    [true, false, false, false]
  )
})

it("frames come out whole, whatever pieces they come in", () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 })
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }), (all, sizes) => {
      const bytes = Uint8Array.from(all.flatMap((frame) => [...framed(frame)]))
      const reader = new FrameReader(300)
      const out: Array<Uint8Array | string> = []
      for (let at = 0, n = 0; at < bytes.length; n++) {
        const size = sizes[n % sizes.length] as number
        // A piece is a view of what is written over later on, as nothing may rely on.
        reader.push(bytes.slice(at, at + size))
        for (let frame = reader.next(); frame !== undefined; frame = reader.next()) out.push(frame)
        at += size
      }
      assert.deepStrictEqual(out, all)
    }),
    { numRuns: 300 }
  )
  const large = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 60_000, max: 200_000 })), {
    maxLength: 6
  })
  const pieces = fc.array(fc.tuple(fc.integer({ min: 1, max: 150_000 }), fc.boolean()), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(large, pieces, (lengths, each) => {
      const all = lengths.map((length, i) => new Uint8Array(length).fill(i + 1))
      const bytes = Buffer.concat(all.map(framed))
      const reader = new FrameReader(200_000)
      const out: Array<Uint8Array | string> = []
      const read = (): void => {
        for (let frame = reader.next(); frame !== undefined; frame = reader.next()) out.push(frame)
      }
      for (let at = 0, n = 0; at < bytes.length; n++) {
        const [size, isRead] = each[n % each.length] as [number, boolean]
        reader.push(bytes.subarray(at, at + size))
        if (isRead) read()
        at += size
      }
      read()
      assert.isTrue(
        out.length === all.length &&
          out.every((one, i) => Buffer.compare(one as Uint8Array, all[i] as Uint8Array) === 0)
      )
      assert.strictEqual(reader.held, 0)
    }),
    { numRuns: 200 }
  )
  const reader = new FrameReader(300)
  reader.push(Uint8Array.of(0xad, 0x02))
  assert.strictEqual(reader.next(), "oversized")
})

/** How many bytes `body` copies from one place to another. */
const copiedBy = (body: () => void): number => {
  const set = vi.spyOn(Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array, "set")
  onTestFinished(() => set.mockRestore())
  body()
  const copied = set.mock.calls.reduce((sum, [from]) => sum + from.length, 0)
  set.mockClear()
  return copied
}

it("copies a frame in pieces of one byte a few times at most", () => {
  const bytes = framed(new Uint8Array(100_000))
  const reader = new FrameReader(100_000)
  const copied = copiedBy(() => {
    for (let at = 0; at < bytes.length; at++) reader.push(bytes.subarray(at, at + 1))
  })
  assert.strictEqual((reader.next() as Uint8Array).length, 100_000)
  assert.isAbove(copied, bytes.length - 10)
  assert.isBelow(copied, 3 * bytes.length)
})

it("copies large frames once, each to where nothing else lies; and those that nobody takes a few times", () => {
  const [length, piece, count] = [1_000_000, 260_000, 8]
  const one = framed(new Uint8Array(length))
  const bytes = Buffer.concat(many(count, one))
  const reader = new FrameReader(length)
  const taken: Array<Uint8Array> = []
  const take = (): void => {
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) taken.push(frame as Uint8Array)
  }
  const push = (isRead: boolean) => (): void => {
    for (let at = 0; at < bytes.length; at += piece) {
      reader.push(bytes.subarray(at, at + piece))
      if (isRead) take()
    }
  }
  assert.isAtMost(copiedBy(push(true)), bytes.length)
  assert.lengthOf(taken, count)
  for (const { buffer } of taken) assert.strictEqual(buffer.byteLength, one.length)
  reader.push(bytes.subarray(0, piece))
  take()
  assert.isBelow(copiedBy(push(false)), 3 * bytes.length)
})

it("remembers so many ids and no more", () => {
  const [entries, records, queue] = [
    new Map<string, unknown>(),
    new Map<string, unknown>(),
    new Array<{ msgId: string }>()
  ]
  const engine = {
    seenCache: { entries, put: (id: string) => entries.set(id, 1) === undefined },
    score: {
      deliveryRecords: {
        records,
        queue,
        ensureRecord: (id: string) => {
          if (!records.has(id)) queue.push({ msgId: id })
          records.set(id, 1)
        }
      }
    }
  }
  boundSeen(engine as unknown as GossipSub, 3)
  for (const id of ["a", "b", "c", "a", "d", "e"]) {
    engine.seenCache.put(id)
    engine.score.deliveryRecords.ensureRecord(id)
  }
  assert.isAtMost(entries.size, 3)
  assert.deepStrictEqual([...records.keys()], ["c", "d", "e"])
})
