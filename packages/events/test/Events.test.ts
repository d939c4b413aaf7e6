import { type Socket as NetSocket, connect as connectNet } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { layerHttpDoor, listenHttp } from "@satwire/http-door"
import { PeerId } from "@satwire/machine"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { type MessageSeen, type MessagesLost, Node, type NodeFact } from "@satwire/node"
import { BlockHash, genesisHeader, regtest } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { FilledChain, arbitraryMessage, rawHttp, regtestChain } from "@satwire/testkit"
import { type Dialer, type Endpoint, type Listener, layerMemory } from "@satwire/transport"
import { HashList, Inventory, MSG_WTX, type Message, encodePayload, headersMessage } from "@satwire/wire"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { unpack } from "msgpackr"
import {
  BACKLOG_BYTES,
  EVENT_READERS,
  EventBuffer,
  type EventSource,
  type EventsOptions,
  FORMATS,
  type Json,
  MESSAGES_WAITING,
  MESSAGE_BYTES_WAITING,
  type NodeEvent,
  OTHERS_WAITING,
  decodeEvent,
  encodeEvent,
  eventsOf,
  layerEvents,
  messageEvent,
  messageJson
} from "../src/index.ts"

const AT = 1_750_000_000_000
const hash = (byte: number): BlockHash => BlockHash(Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? byte : 0)))
const reversed = (byte: number): string => `${byte.toString(16).padStart(2, "0")}${"00".repeat(31)}`

const seen = (message: Message): MessageSeen => {
  const payload = encodePayload(message)
  const sizeBytes = payload.length
  const command = message._tag
  return {
    _tag: "Message",
    unixMs: AT,
    peer: PeerId(3),
    address: "[::1]:8333",
    side: "received",
    command,
    payload,
    sizeBytes
  }
}

const inv: Message = { _tag: "inv", inventory: Inventory.ofType(MSG_WTX, [hash(7)]) }

const facts: ReadonlyArray<NodeFact> = [
  { _tag: "PeerConnecting", endpoint: { host: "::1", port: 8333 }, kind: "manual" },
  { _tag: "PeerConnected", peer: PeerId(3), kind: "manual", direction: "outbound", address: "[::1]:8333" },
  {
    _tag: "PeerDisconnecting",
    peer: PeerId(3),
    address: "[::1]:8333",
    reason: { _tag: "BadCompactBlock", command: "blocktxn" } as never,
    cost: "discourage",
    retryAsV1: false
  },
  {
    _tag: "TipChanged",
    tip: { height: 5, hash: hash(5), time: 1_750_000_000 },
    forkHeight: 2,
    removed: 1,
    added: 3,
    from: PeerId(3)
  },
  { _tag: "BlockInvalid", height: 5, hash: hash(5), rule: "bad-txnmrklroot" as never, transaction: undefined },
  { _tag: "TransactionAccepted", wtxid: hash(9) as never, from: undefined },
  { _tag: "MessageDropped", peer: PeerId(3), command: "inv\u001B", why: "its checksum is wrong" },
  { _tag: "HeadersStored", count: 3 }
]

const events: ReadonlyArray<NodeEvent> = [
  ...facts.flatMap((fact) => eventsOf(fact, AT)),
  messageEvent(seen(inv), { decoded: true, payload: true })
]

describe("events", () => {
  it("come of facts, with hashes as people read them and misbehaviour beside the end of a connection", () => {
    assert.deepStrictEqual(
      events.map((event) => ("state" in event ? event.state : "what" in event ? event.what : event.topic)),
      ["connecting", "connected", "disconnecting", "discouraged", "tip", "invalid", "accepted", "dropped", "message"]
    )
    const tip = events.find(({ topic }) => topic === "tip")
    assert.deepInclude(tip, { v: 1, at: AT, height: 5, hash: reversed(5), removed: 1, from: 3 })
    const dropped = events.find(({ topic, ...event }) => topic === "misbehaviour" && "command" in event)
    assert.deepInclude(dropped, { command: "inv", sentence: "its checksum is wrong" })
    const message = events.at(-1)
    assert.deepInclude(message, { decoded: { inventory: [{ type: "MSG_WTX", hash: reversed(7) }] } })
  })

  it.each(FORMATS)("are the same behind %s as before it, but for what is not there", (format) => {
    for (const event of events) {
      const decoded = decodeEvent(encodeEvent(event, format))
      assert(Result.isSuccess(decoded), Result.isFailure(decoded) ? decoded.failure : "")
      const there = Object.entries(event).filter(([, value]) => value !== undefined)
      const got = Object.entries(decoded.success).filter(([, value]) => value !== undefined)
      assert.deepStrictEqual(Object.fromEntries(got), Object.fromEntries(there))
    }
  })

  it("are plain MessagePack, which any reader reads, and plain JSON", () => {
    const event = events.at(-1) as NodeEvent
    const packed = encodeEvent(event, "msgpack")
    // The first byte of a map of up to 15 names.
    assert.strictEqual(Number(packed[0]) & 0xf0, 0x80)
    assert.deepInclude(unpack(packed as Uint8Array), { topic: "message", v: 1, command: "inv" })
    assert.deepInclude(JSON.parse(encodeEvent(event, "json") as string), {
      topic: "message",
      payload: `0105000000${"00".repeat(31)}07`
    })
  })

  it("that are not known here, or are none, are told from those that are", () => {
    for (const data of [
      "",
      "{",
      "[]",
      "null",
      '{"v":1,"at":1,"topic":"weather"}',
      '{"v":2,"at":1,"topic":"alive"}',
      new Uint8Array([0xc1])
    ]) {
      assert(Result.isFailure(decodeEvent(data)))
    }
  })
})

const sizeOf = (json: Json): number => JSON.stringify(json).length

describe("a message as JSON", () => {
  it("is safe and bounded for any message of any command", () => {
    fc.assert(
      fc.property(arbitraryMessage, (message) => {
        const json = messageJson(message)
        assert.deepStrictEqual(JSON.parse(JSON.stringify(json)), json)
        assert.isBelow(sizeOf(json), 2_000_000)
      }),
      { numRuns: 100, seed: 7 }
    )
  })

  it("shows the beginning of long lists and how long they are", () => {
    const many: Message = {
      _tag: "inv",
      inventory: Inventory.ofType(
        MSG_WTX,
        Array.from({ length: 50_000 }, () => hash(1))
      )
    }
    const json = messageJson(many) as { readonly inventory: ReadonlyArray<Json> }
    assert.lengthOf(json.inventory, 51)
    assert.strictEqual(json.inventory.at(-1), "… 50000 in all")
    assert.isBelow(sizeOf(json), 10_000)
    const large = {
      _tag: "merkleblock",
      hashes: HashList.of([hash(2)]),
      flags: new Uint8Array(5000)
    } as unknown as Message
    assert.deepInclude(messageJson(large), { hashes: [reversed(2)] })
    assert.isBelow(sizeOf(messageJson(large)), 1000)
  })

  it("names services, and tells of a transaction what stands in it", () => {
    const addr = { _tag: "addrv2", addresses: [{ services: 1033n, time: 1 }] } as unknown as Message
    assert.deepStrictEqual(messageJson(addr), {
      addresses: [{ services: ["NETWORK", "WITNESS", "NETWORK_LIMITED"], time: 1 }]
    })
    const block = new FilledChain({ count: 1, blockBytes: 10_000, transactions: 2 }).block(1)
    const { tx } = messageJson({ _tag: "tx", tx: block.transaction(1) }) as { readonly tx: Record<string, Json> }
    assert.hasAllKeys(tx, [
      ...["txid", "wtxid", "hasWitness", "sizeBytes", "weight"],
      ...["version", "inputs", "outputs", "lockTime"]
    ])
    assert.deepInclude((tx["outputs"] as ReadonlyArray<Json>)[0], { amount: "1000" })
  })

  it("tells headers and blocks by their hashes", () => {
    const [first] = messageJson(headersMessage(genesisHeader(regtest))) as ReadonlyArray<Record<string, Json>>
    assert.strictEqual(first?.["hash"], "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")
    const chain = new FilledChain({ count: 1, blockBytes: 1_000_000, transactions: 1000 })
    const json = messageJson({ _tag: "block", block: chain.block(1) }) as Record<string, Json>
    const { block } = json as { readonly block: Record<string, Json> }
    assert.isAbove(block["transactionCount"] as number, 900)
    assert.lengthOf(block["txids"] as ReadonlyArray<Json>, 51)
    assert.isBelow(sizeOf(json), 10_000)
    assert.lengthOf(messageJson(headersMessage(regtestChain(2000))) as ReadonlyArray<Json>, 51)
  })
})

describe("a reader's buffer", () => {
  it.effect("loses what comes when it is full, of each kind for itself, and tells how many behind what it kept", () =>
    Effect.gen(function* () {
      const buffer = new EventBuffer<number>()
      for (let i = 0; i < MESSAGES_WAITING + 7; i++) buffer.offerMessage(i, 10)
      for (let i = 0; i < OTHERS_WAITING + 2; i++) buffer.offer(i)
      buffer.lost(5)
      const taken = yield* buffer.take
      assert.lengthOf(taken.items, MESSAGES_WAITING + OTHERS_WAITING)
      assert.deepStrictEqual(taken.lost, { messages: 12, others: 2 })
      buffer.offerMessage(1, MESSAGE_BYTES_WAITING)
      buffer.offerMessage(2, 1)
      buffer.offer(3)
      const again = yield* buffer.take
      assert.deepStrictEqual(again, { items: [1, 3], lost: { messages: 1, others: 0 }, hasEnded: false })
    })
  )
})

const big: MessageSeen = { ...seen(inv), payload: new Uint8Array(200_000) }
/** Who reads there has no password. */
const OPEN: EventsOptions = { path: "/guarded", openPath: "/events" }

const NOTHING: EventSource = { facts: Stream.never, messages: Stream.never }

/** The route on a free port of loopback. */
const served = (source: EventSource, options: EventsOptions = OPEN) =>
  Effect.gen(function* () {
    const door = layerHttpDoor({ credentials: [{ user: "alice", password: "x" }], onRefusal: () => Effect.void })
    const context = yield* Layer.build(door)
    const [address] = yield* listenHttp(
      layerEvents(() => source, options),
      {
        addresses: [{ host: "127.0.0.1", port: 0 }]
      }
    ).pipe(Effect.provideContext(context))
    return address !== undefined && "port" in address ? address.port : 0
  })

interface Reading {
  readonly socket: WebSocket
  /** The next event that is as wanted. */
  readonly until: (wanted: (event: NodeEvent) => boolean) => Effect.Effect<NodeEvent>
  readonly closed: Effect.Effect<number>
}

const reading = (port: number, query: string) =>
  Effect.gen(function* () {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/events${query}`)
    socket.binaryType = "arraybuffer"
    const events = yield* Queue.unbounded<NodeEvent>()
    const closed = yield* Deferred.make<number>()
    socket.addEventListener("message", ({ data }) => {
      Queue.offerUnsafe(events, Result.getOrThrow(decodeEvent(data as string | ArrayBuffer)))
    })
    socket.addEventListener("close", ({ code }) => void Effect.runSync(Deferred.succeed(closed, code)))
    yield* Effect.addFinalizer(() => Effect.sync(() => socket.close()))
    const until: Reading["until"] = (wanted) =>
      Effect.gen(function* () {
        for (;;) {
          const event = yield* Queue.take(events)
          if (wanted(event)) return event
        }
      })
    yield* until(({ topic }) => topic === "alive")
    return { socket, until, closed: Deferred.await(closed) }
  })

const isAlive = (port: number) => Effect.scoped(reading(port, ""))

/** A WebSocket that takes nothing until it is told to. */
const stubborn = (port: number, query: string): Effect.Effect<NetSocket> =>
  Effect.callback((resume) => {
    const socket = connectNet(port, "127.0.0.1", () => {
      const lines = [
        `GET /events${query} HTTP/1.1`,
        `Host: 127.0.0.1:${port}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
      ]
      socket.write(`${lines.join("\r\n")}\r\n\r\n`)
      socket.once("data", () => {
        socket.pause()
        resume(Effect.succeed(socket))
      })
    })
  })

const started = (network: Layer.Layer<Dialer | Listener>, listen: Endpoint | undefined) =>
  Effect.map(
    Layer.build(
      Layer.provide(
        Node.layer({
          params: regtest,
          roles: { headers: { serve: true, announce: true }, mining: { payTo: ANYONE_CAN_SPEND } },
          userAgent: "/test:1.0/",
          services: 0n,
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

const live = <A, E>(name: string, effect: () => Effect.Effect<A, E, Scope.Scope>): void =>
  it.live(name, () => Effect.scoped(effect()))

describe("the route of events", () => {
  live("tells what happens in a node, by topic, in either format, with messages decoded where that is asked for", () =>
    Effect.gen(function* () {
      const network = Layer.succeedContext(yield* Layer.build(layerMemory()))
      const miner = yield* started(network, { host: "127.0.0.1", port: 18444 })
      const node = yield* started(network, undefined)
      const port = yield* served(node)
      const tips = yield* reading(port, "?topics=tip&format=json")
      const peers = yield* reading(port, "?topics=peer")
      const messages = yield* reading(port, "?topics=message&decode=1&payload=1")
      yield* node.connect({ host: "127.0.0.1", port: 18444 })
      const version = yield* messages.until((event) => event.topic === "message" && event.side === "received")
      assert.deepInclude(version, { command: "version", address: "127.0.0.1:18444" })
      assert(version.topic === "message")
      assert.deepInclude(version.decoded, { userAgent: "/test:1.0/", startHeight: 0 })
      assert.isAbove(version.payload?.length ?? 0, 80)
      const ready = yield* peers.until((event) => event.topic === "peer" && event.state === "ready")
      assert.deepInclude(ready, { userAgent: "/test:1.0/", kind: "manual", direction: "outbound" })
      yield* miner.makeBlock
      const tip = yield* tips.until(() => true)
      assert.deepInclude(tip, { topic: "tip", height: 1, removed: 0, added: 1 })
    })
  )

  live("refuses who has no password, no WebSocket, or asks for what there is not", () =>
    Effect.gen(function* () {
      const guarded = yield* served(NOTHING, {})
      const port = yield* served(NOTHING)
      const get = (at: number, query: string) =>
        Effect.promise(async () => {
          const response = await fetch(`http://127.0.0.1:${at}/events${query}`)
          return [response.status, await response.text()] as const
        })
      assert.deepStrictEqual((yield* get(guarded, ""))[0], 401)
      assert.deepStrictEqual(yield* get(port, ""), [426, "this is a WebSocket\n"])
      const noAddress = "GET http://[::/events?format=json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
      assert.strictEqual((yield* Effect.promise(() => rawHttp(port, noAddress))).status, 426)
      assert.match((yield* get(port, "?topics=weather"))[1], /^topics must be of peer, message/)
      for (const query of ["?format=xml", "?decode=2", "?topic=peer"])
        assert.strictEqual((yield* get(port, query))[0], 400)
    })
  )

  live("has so many readers and no more, until one goes", () =>
    Effect.gen(function* () {
      const port = yield* served(NOTHING)
      const first = yield* reading(port, "")
      yield* Effect.forEach(Array.from({ length: EVENT_READERS - 1 }), () => reading(port, ""), { discard: true })
      const refused = new WebSocket(`ws://127.0.0.1:${port}/events`)
      yield* Effect.callback<void>((resume) => {
        refused.addEventListener("error", () => resume(Effect.void))
      })
      first.socket.close()
      yield* first.closed
      yield* Effect.retry(isAlive(port).pipe(Effect.timeout("1 second")), { times: 5 })
    })
  )

  live("tells a slow reader how much it lost, and holds no more for it than its bounds", () =>
    Effect.gen(function* () {
      const messages = yield* Queue.unbounded<MessageSeen | MessagesLost>()
      const port = yield* served({ facts: Stream.never, messages: Stream.fromQueue(messages) })
      const slow = yield* stubborn(port, "?topics=message&payload=1")
      const count = 200
      for (let i = 0; i < count; i++) {
        Queue.offerUnsafe(messages, big)
        yield* Effect.yieldNow
      }
      let got = 0
      let lost = 0
      let bytes = Buffer.alloc(0)
      yield* Effect.callback<void>((resume) => {
        slow.on("data", (chunk: Buffer) => {
          bytes = Buffer.concat([bytes, chunk])
          for (let frame = frameAt(bytes); frame !== undefined; frame = frameAt(bytes)) {
            bytes = bytes.subarray(frame.end)
            const event = Result.getOrThrow(decodeEvent(frame.payload))
            if (event.topic === "message") got += 1
            if (event.topic === "lost") lost += event.count
          }
          if (got + lost === count) resume(Effect.void)
        })
        slow.resume()
      })
      slow.destroy()
      assert.isAbove(lost, 50)
      // What the system holds of a connection is not ours to say.
      assert.isAbove(got * 200_000, BACKLOG_BYTES + MESSAGE_BYTES_WAITING)
    })
  )

  live("lets go who says something, the more so where it is much", () =>
    Effect.gen(function* () {
      const port = yield* served(NOTHING)
      const talker = yield* reading(port, "")
      talker.socket.send("hello")
      assert.strictEqual(yield* talker.closed, 1003)
      const loud = yield* reading(port, "")
      loud.socket.send(new Uint8Array(100_000))
      assert.strictEqual(yield* loud.closed, 1009)
    })
  )

  live("does not hold up the end of its server, though somebody reads and somebody does not", () =>
    Effect.gen(function* () {
      const messages = Stream.fromIterable(Array.from({ length: 100 }, () => big))
      const scope = yield* Scope.make()
      const port = yield* Scope.provide(served({ facts: Stream.never, messages }), scope)
      const reader = yield* reading(port, "")
      const slow = yield* stubborn(port, "?topics=message&payload=1")
      yield* Scope.close(scope, Exit.void)
      // Which code that is differs: nobody has said good-bye.
      yield* reader.closed
      slow.destroy()
    })
  )

  live("ends when the node does", () =>
    Effect.gen(function* () {
      const ended = yield* Deferred.make<void>()
      const told = Stream.fromIterable(facts).pipe(Stream.concat(Stream.fromEffectDrain(Deferred.await(ended))))
      const port = yield* served({ facts: told, messages: Stream.never })
      const reader = yield* reading(port, "?topics=tip")
      assert.strictEqual((yield* reader.until(() => true)).topic, "tip")
      yield* Deferred.succeed(ended, undefined)
      assert.strictEqual(yield* reader.closed, 1001)
    })
  )
})

/** The first whole frame of a server, unmasked (RFC 6455 §5.2). */
const frameAt = (bytes: Buffer): { readonly payload: Uint8Array; readonly end: number } | undefined => {
  const short = (bytes[1] ?? 127) & 127
  const head = short === 127 ? 10 : short === 126 ? 4 : 2
  if (bytes.length < head) return undefined
  const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
  if (bytes.length < head + length) return undefined
  return { payload: bytes.subarray(head, head + length), end: head + length }
}
