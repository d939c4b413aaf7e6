import { assert, describe, it } from "@effect/vitest"
import { concat } from "@satwire/bytes"
import { platformSha256 } from "@satwire/crypto/node"
import { PeerId } from "@satwire/machine"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { type MessageSeen, type MessagesLost, Node, type NodeFact } from "@satwire/node"
import { describeDisconnect } from "@satwire/node-core"
import { genesisHeader, regtest, toHex } from "@satwire/primitives"
import { FileError, Files, HeaderStore } from "@satwire/store"
import { type Faults, MemoryDisk, faultyFiles } from "@satwire/store/faults"
import { regtestChain } from "@satwire/testkit"
import { type Dialer, type Endpoint, type Listener, layerMemory } from "@satwire/transport"
import {
  type Message,
  NODE_NETWORK,
  NODE_WITNESS,
  NO_ADDRESS,
  PROTOCOL_VERSION,
  VERACK,
  encodePayload,
  headersMessage
} from "@satwire/wire"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import {
  CAPTURE_PIECE_BYTES,
  type CaptureRecord,
  type ReplayNews,
  type ReplayOptions,
  type ReplaySummary,
  addressOf,
  captureMessages,
  encodeRecord,
  fileOf,
  recordAt,
  replay,
  survey
} from "../src/index.ts"

const ROOT = "/data/regtest/message_capture"
const START_US = 1_750_000_000_000_000
const HERE = "192.0.2.1:18444"

const record = (atUs: number, message: Message): CaptureRecord => ({
  unixUs: START_US + atUs,
  command: message._tag,
  payload: encodePayload(message)
})

const fileWith = (...records: ReadonlyArray<CaptureRecord>): Uint8Array => concat(records.map(encodeRecord))

const VERSION: Message = {
  _tag: "version",
  protocolVersion: PROTOCOL_VERSION,
  services: 0n,
  time: BigInt(START_US / 1_000_000),
  receiver: NO_ADDRESS,
  sender: NO_ADDRESS,
  nonce: 77n,
  userAgent: "/captured:1.0/",
  startHeight: 0,
  relay: true
}

const MINUTE_US = 60_000_000
const chain = regtestChain(20)
const ping = (nonce: number): Message => ({ _tag: "ping", nonce: BigInt(nonce) })

const seen = (side: "received" | "sent", message: Message, changes: Partial<MessageSeen> = {}): MessageSeen => {
  const payload = encodePayload(message)
  const unixMs = START_US / 1000
  return {
    _tag: "Message",
    unixMs,
    peer: PeerId(1),
    address: HERE,
    side,
    command: message._tag,
    payload,
    sizeBytes: 0,
    ...changes
  }
}

const captured = (
  disk: MemoryDisk,
  items: ReadonlyArray<MessageSeen | MessagesLost>,
  { faults = {}, maxBytes }: { readonly faults?: Faults; readonly maxBytes?: number } = {}
) =>
  captureMessages({ root: ROOT, messages: Stream.fromIterable(items).pipe(Stream.rechunk(1)), maxBytes }).pipe(
    Effect.provide(faultyFiles(faults).pipe(Layer.provide(disk.layer)), { local: true })
  )

const replayed = (disk: MemoryDisk, paths: ReadonlyArray<string>, changes: Partial<ReplayOptions> = {}) =>
  replay({ paths, params: regtest, sha256: platformSha256, seed: 1, ...changes }).pipe(
    Stream.runCollect,
    Effect.provide(disk.layer, { local: true })
  )

const summaryOf = (news: ReadonlyArray<ReplayNews>): ReplaySummary => {
  const last = news.at(-1)
  if (last?._tag !== "Ended") throw new Error("there is no summary")
  return last
}

const factsOf = (news: ReadonlyArray<ReplayNews>): ReadonlyArray<string> =>
  news.flatMap((one) => (one._tag === "Fact" ? [one.fact._tag] : []))

const ends = (news: ReadonlyArray<ReplayNews>): ReadonlyArray<string> =>
  news.flatMap((one) =>
    one._tag === "Fact" && one.fact._tag === "PeerDisconnecting" ? [describeDisconnect(one.fact.reason)] : []
  )

describe("the format of a capture", () => {
  it("is that of Bitcoin Core: time, command, length, payload", () => {
    const bytes = encodeRecord({ unixUs: 0x01_02_03, command: "ping", payload: Uint8Array.of(9, 8) })
    assert.strictEqual(
      Buffer.from(bytes).toString("hex"),
      ["0302010000000000", "70696e670000000000000000", "02000000", "0908"].join("")
    )
  })

  it("comes back record by record, and says at each other length how many bytes it needs", () => {
    const records = [record(1, VERSION), record(2, VERACK), record(3, ping(5))]
    const bytes = fileWith(...records)
    let at = 0
    for (const expected of records) {
      for (let length = at; ; length++) {
        const found = recordAt(bytes.subarray(0, length), at)
        if (found._tag === "Record") {
          assert.deepStrictEqual(found.record, expected)
          at = found.end
          break
        }
        assert(found._tag === "Short" && found.needs > length)
      }
    }
    assert.strictEqual(at, bytes.length)
  })

  it("names a folder as Core does, lets no name lead out of it, and tells the address back", () => {
    const names = ["192.0.2.1:8333", "[2001:db8::1]:8333", "abcdefghij.onion:8333"]
    assert.strictEqual(fileOf("/m", names[1] ?? "", "sent"), "/m/[2001_db8__1]_8333/msgs_sent.dat")
    for (const name of names) assert.strictEqual(addressOf(name.replaceAll(":", "_")), name)
    assert.strictEqual(fileOf("/m", "../../etc:1", "received"), "/m/.._.._etc_1/msgs_recv.dat")
  })

  it.effect("is read piece by piece, also where a record is larger than a piece", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      const big = { unixUs: START_US, command: "block", payload: new Uint8Array(3 * CAPTURE_PIECE_BYTES).fill(7) }
      const many = Array.from({ length: 5000 }, (_, i) => record(i, ping(i)))
      disk.put("/f/msgs_recv.dat", fileWith(...many, big, ...many))
      const found = yield* survey("/f/msgs_recv.dat").pipe(Effect.provide(disk.layer))
      assert.deepStrictEqual(found, {
        records: 10_001,
        bytes: 10_000 * 8 + big.payload.length,
        firstUs: START_US,
        commands: new Set(["ping", "block"])
      })
    })
  )

  it.effect("says which file ends in the middle of a record, where, and what to do", () =>
    Effect.gen(function* () {
      const whole = fileWith(record(1, VERSION), record(2, VERACK))
      const second = whole.length - 24
      for (const length of [whole.length - 1, second + 1]) {
        const disk = new MemoryDisk()
        disk.put("/f/msgs_recv.dat", whole.subarray(0, length))
        const { message } = yield* Effect.flip(replayed(disk, ["/f"]))
        assert.include(message, `/f/msgs_recv.dat is damaged at byte ${second}: `)
        assert.include(message, `truncate -s ${second}`)
      }
    })
  )

  it.effect("says where a file is no capture any more, by its length, its command or its time", () =>
    Effect.gen(function* () {
      const first = fileWith(record(1, VERSION))
      for (const [at, what] of [
        [23, "more than any message"],
        [8, "no text"],
        [7, "beyond any calendar"]
      ] as const) {
        const bytes = concat([first, fileWith(record(2, VERACK))])
        bytes[first.length + at] = 0xff
        const disk = new MemoryDisk()
        disk.put("/f/msgs_recv.dat", bytes)
        const { message } = yield* Effect.flip(replayed(disk, ["/f"]))
        assert.match(message, new RegExp(`damaged at byte ${first.length}: .*${what}`))
      }
      const { message } = yield* Effect.flip(replayed(new MemoryDisk(), ["/nowhere"]))
      assert.match(message, /No file of a capture lies in \/nowhere/)
    })
  )
})

describe("a capture", () => {
  it.effect(
    "has a file for each side of each address, goes on where it ended, and keeps the order within a millisecond",
    () =>
      Effect.gen(function* () {
        const disk = new MemoryDisk()
        const other = { address: "[::1]:5" }
        yield* captured(disk, [seen("sent", VERSION), seen("received", VERSION), seen("received", ping(1), other)])
        const end = yield* captured(disk, [seen("received", VERACK, { unixMs: START_US / 1000 + 9 })])
        assert.deepStrictEqual(end, { end: { _tag: "Ended" }, records: 1, lost: 0 })
        assert.deepStrictEqual(disk.paths().toSorted(), [
          fileOf(ROOT, HERE, "received"),
          fileOf(ROOT, HERE, "sent"),
          fileOf(ROOT, "[::1]:5", "received")
        ])
        assert.deepStrictEqual(disk.read(fileOf(ROOT, HERE, "sent")), fileWith(record(0, VERSION)))
        assert.deepStrictEqual(
          disk.read(fileOf(ROOT, HERE, "received")),
          fileWith(record(1, VERSION), record(9000, VERACK))
        )
      })
  )

  it.effect("leaves out what did not decode, and counts what it was too slow for", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      const unknown = { ...seen("received", VERACK), command: "*other*", payload: undefined } as const
      const end = yield* captured(disk, [unknown, { _tag: "Lost", count: 7 }, seen("sent", VERACK)])
      assert.deepStrictEqual(end, { end: { _tag: "Ended" }, records: 1, lost: 7 })
      assert.lengthOf(disk.paths(), 1)
    })
  )

  it.effect("ends at its limit with whole records, and what lies there already counts", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      const pings = Array.from({ length: 10 }, (_, i) => seen("received", ping(i)))
      const first = yield* captured(disk, pings, { maxBytes: 8192 + 3 * 32 })
      assert.deepStrictEqual(first, { end: { _tag: "LimitReached", maxBytes: 8192 + 96 }, records: 3, lost: 0 })
      const size = disk.read(fileOf(ROOT, HERE, "received"))?.length
      const again = yield* captured(disk, pings, { maxBytes: 8192 + 3 * 32 })
      assert.strictEqual(again.records, 0)
      assert.strictEqual(disk.read(fileOf(ROOT, HERE, "received"))?.length, size)
    })
  )

  it.effect("that is interrupted has what had come by then", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      const messages = yield* Queue.unbounded<MessageSeen>()
      const capturing = yield* captureMessages({ root: ROOT, messages: Stream.fromQueue(messages) }).pipe(
        Effect.provide(disk.layer, { local: true }),
        Effect.forkScoped({ startImmediately: true })
      )
      for (let i = 0; i < 100; i++) Queue.offerUnsafe(messages, seen("received", ping(i)))
      yield* Fiber.interrupt(capturing)
      assert.strictEqual(disk.read(fileOf(ROOT, HERE, "received"))?.length, 100 * 32)
    })
  )

  it.effect("listens from its first moment on, however long the disk takes to say what lies there", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      const slow = Layer.effect(
        Files,
        Effect.map(Files, (files) => ({ ...files, list: (path: string) => Effect.delay(files.list(path), 1000) }))
      ).pipe(Layer.provide(disk.layer))
      const network = yield* PubSub.unbounded<MessageSeen>()
      const capturing = yield* captureMessages({ root: ROOT, messages: Stream.fromPubSub(network) }).pipe(
        Effect.provide(slow, { local: true }),
        Effect.forkScoped({ startImmediately: true })
      )
      PubSub.publishUnsafe(network, seen("sent", VERSION))
      yield* TestClock.adjust(1000)
      yield* Fiber.interrupt(capturing)
      assert.deepStrictEqual(disk.read(fileOf(ROOT, HERE, "sent")), fileWith(record(0, VERSION)))
      // Who stops it before anything came does not wait for the disk.
      const idle = yield* captureMessages({ root: ROOT, messages: Stream.never }).pipe(
        Effect.provide(slow, { local: true }),
        Effect.forkScoped({ startImmediately: true })
      )
      yield* Fiber.interrupt(idle)
    })
  )

  it.effect("ends at once where what lies there cannot be looked at", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      const list = (path: string) =>
        Effect.fail(new FileError({ path, operation: "list", code: "EACCES", message: "it is another's" }))
      const closed = Layer.effect(
        Files,
        Effect.map(Files, (files) => ({ ...files, list }))
      ).pipe(Layer.provide(disk.layer))
      const { end } = yield* captureMessages({ root: ROOT, messages: Stream.never }).pipe(
        Effect.provide(closed, { local: true })
      )
      assert.strictEqual(end._tag, "DiskFailed")
    })
  )

  it.effect("ends when the disk is full, without half a record", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      const pings = Array.from({ length: 10 }, (_, i) => seen("received", ping(i)))
      const { end, records } = yield* captured(disk, pings, { faults: { freeBytes: 100 } })
      assert.isTrue(end._tag === "DiskFailed" && end.error._tag === "DiskFull")
      assert.strictEqual(records, 3)
      assert.strictEqual(disk.read(fileOf(ROOT, HERE, "received"))?.length, 96)
    })
  )
})

const isAtThree = (fact: NodeFact): boolean => fact._tag === "BlockTipChanged" && fact.tip.height === 3

/** A node with blocks that mines, in memory. */
const started = (network: Layer.Layer<Dialer | Listener>, listen: Endpoint | undefined) =>
  Effect.map(
    Layer.build(
      Layer.provide(
        Node.layer({
          params: regtest,
          roles: { headers: { serve: true, announce: true }, mining: { payTo: ANYONE_CAN_SPEND } },
          blocks: { serve: true },
          userAgent: "/test:1.0/",
          services: NODE_NETWORK | NODE_WITNESS,
          connect: [],
          listen,
          maxInbound: 8,
          dialTimeoutMs: 5000
        }),
        Layer.merge(network, Layer.fresh(HeaderStore.layerMemory))
      )
    ),
    Context.get(Node)
  )

/** A peer that dialled us, told of 20 headers, and answered pings each two minutes. */
const conversation = (minutes: number, answers = true): ReadonlyArray<CaptureRecord> => [
  record(0, VERSION),
  record(1000, VERACK),
  record(2000, headersMessage(chain)),
  ...Array.from({ length: minutes }, (_, i) =>
    record((i + 1) * MINUTE_US, i % 2 === 0 && answers ? { _tag: "pong", nonce: BigInt(i) } : ping(i))
  )
]

describe("a replay", () => {
  it.effect("has the core say what it heard: hands are shaken, headers taken, and the end is that of the records", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      disk.put(fileOf(ROOT, HERE, "received"), fileWith(...conversation(2)))
      const news = yield* replayed(disk, [ROOT])
      assert.includeMembers([...factsOf(news)], ["PeerConnected", "PeerReady", "HeadersAccepted", "TipChanged"])
      assert.deepStrictEqual(ends(news), ["the connection was closed by the other side (its capture ends here)"])
      const { commands, tip, ...counts } = summaryOf(news)
      assert.strictEqual(tip?.height, 20)
      assert.deepStrictEqual(Object.fromEntries(commands), { version: 1, verack: 1, headers: 1, pong: 1, ping: 1 })
      assert.deepInclude(counts, { addresses: 1, connections: 1, records: 5, received: 5, passedOver: 0 })
      assert.strictEqual(counts.toMs - counts.fromMs, 120_000)
    })
  )

  it.effect("is the same again with the same seed, fact by fact and message by message", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      disk.put(fileOf(ROOT, HERE, "received"), fileWith(...conversation(30)))
      disk.put(fileOf(ROOT, "[::1]:5", "received"), fileWith(...conversation(10)))
      const options = { showsMessages: true }
      const first = yield* replayed(disk, [ROOT], options)
      assert.deepStrictEqual(yield* replayed(disk, [ROOT], options), first)
      assert.isAbove(first.filter((one) => one._tag === "Message" && one.side === "sent").length, 10)
    })
  )

  it.effect(
    "answers its own pings with the pongs of the capture, and ends on their absence at the time of the capture",
    () =>
      Effect.gen(function* () {
        const talks = new MemoryDisk()
        talks.put(fileOf(ROOT, HERE, "received"), fileWith(...conversation(60)))
        assert.lengthOf(ends(yield* replayed(talks, [ROOT])), 1)
        const silent = new MemoryDisk()
        silent.put(fileOf(ROOT, HERE, "received"), fileWith(...conversation(60, false)))
        const news = yield* replayed(silent, [ROOT])
        assert.match(ends(news)[0] ?? "", /pong|ping/)
        const at = news.find((one) => one._tag === "Fact" && one.fact._tag === "PeerDisconnecting")
        assert.isTrue(at?._tag === "Fact" && at.unixMs - START_US / 1000 > 20 * 60_000)
        assert.isAbove(summaryOf(news).passedOver, 20)
      })
  )

  it.effect("takes who said version first for the one that dialled, and another version for another connection", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      const later = 90 * 24 * 60 * MINUTE_US
      disk.put(fileOf(ROOT, HERE, "sent"), fileWith(record(0, VERSION), record(later + 5, VERSION)))
      disk.put(fileOf(ROOT, HERE, "received"), fileWith(record(1, VERSION), record(2, VERACK), record(later, VERSION)))
      const news = yield* replayed(disk, [ROOT])
      const opened = news.flatMap((one) =>
        one._tag === "Fact" && one.fact._tag === "PeerConnected" ? [one.fact.direction] : []
      )
      assert.deepStrictEqual(opened, ["outbound", "inbound"])
      const closed = news.find((one) => one._tag === "Fact" && one.fact._tag === "PeerDisconnecting")
      assert.isTrue(closed?._tag === "Fact" && closed.unixMs === START_US / 1000)
      assert.lengthOf(ends(news), 2)
    })
  )

  it.effect("understands what builds on headers that the node had before", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk()
      const later = record(2000, headersMessage(chain.subarray(80 * 15)))
      disk.put(fileOf(ROOT, HERE, "received"), fileWith(record(0, VERSION), record(1000, VERACK), later))
      assert.strictEqual(summaryOf(yield* replayed(disk, [ROOT])).tip?.height, 0)
      const before = concat([genesisHeader(regtest), chain.subarray(0, 80 * 15)])
      assert.strictEqual(summaryOf(yield* replayed(disk, [ROOT], { headers: before })).tip?.height, 20)
    })
  )

  it.live("of what a real node heard ends at the node's own tip, blocks and all", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const disk = new MemoryDisk()
        const network = Layer.succeedContext(yield* Layer.build(layerMemory()))
        const miner = yield* started(network, { host: "127.0.0.1", port: 18444 })
        for (let i = 0; i < 3; i++) yield* miner.makeBlock
        const follower = yield* started(network, undefined)
        let blocks = 0
        const messages = Stream.takeUntil(follower.messages, (item) => {
          if (item._tag === "Message" && item.side === "received" && item.command === "block") blocks++
          return blocks === 3
        })
        const capturing = yield* captureMessages({ root: ROOT, messages }).pipe(
          Effect.provide(disk.layer, { local: true }),
          Effect.forkScoped({ startImmediately: true })
        )
        yield* follower.connect({ host: "127.0.0.1", port: 18444 })
        yield* Fiber.join(capturing)
        yield* Stream.runHead(Stream.filter(follower.facts, isAtThree))
        const tip = (yield* follower.query("blocks"))?.tip
        const summary = summaryOf(yield* replayed(disk, [ROOT]))
        assert.strictEqual(summary.blockTip?.height, 3)
        assert.strictEqual(toHex(summary.blockTip?.hash ?? new Uint8Array(32)), toHex(tip?.hash ?? new Uint8Array(0)))
        assert.strictEqual(summary.passedOver, 0)
      })
    )
  )
})
