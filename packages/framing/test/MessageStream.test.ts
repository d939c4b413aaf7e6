import { describe, expect, it } from "@effect/vitest"
import { concat } from "@satwire/bytes"
import { platformAead, platformSha256 } from "@satwire/crypto/node"
import { regtest } from "@satwire/primitives"
import { type CloseReason, type Connection, Dialer, Listener, MemoryNetwork } from "@satwire/transport"
import { INV_ENTRY_SIZE, Inventory, type Message, NO_ADDRESS, PROTOCOL_VERSION } from "@satwire/wire"
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import {
  type ByteDuplex,
  EVENTS_WAITING,
  type MessageStream,
  type MessageStreamError,
  UNSENT_BYTES,
  framed,
  makeFraming
} from "../src/effect.ts"
import { V1Framing } from "../src/index.ts"
import { type Ends, byteByByte, connected, duplexOf, pipe, piped, prompt, slow } from "./Duplexes.ts"

const options = { magic: regtest.magic, sha256: platformSha256, aead: platformAead }

const VERSION: Message = {
  _tag: "version",
  protocolVersion: PROTOCOL_VERSION,
  services: 0n,
  time: 0n,
  receiver: NO_ADDRESS,
  sender: NO_ADDRESS,
  nonce: 1n,
  userAgent: "/test:1/",
  startHeight: 0,
  relay: false
}
const numbered = (number: number, entries = 1): Message => {
  const raw = new Uint8Array(entries * INV_ENTRY_SIZE)
  new DataView(raw.buffer).setUint32(4, number, true)
  return { _tag: "inv", inventory: new Inventory(raw) }
}
const numberOf = (message: Message): number => {
  if (message._tag !== "inv") return -1
  const { raw } = message.inventory
  return new DataView(raw.buffer, raw.byteOffset).getUint32(4, true)
}
const entriesOf = (message: Message): number => (message._tag === "inv" ? message.inventory.count : 0)

/** Looks again each turn of the event loop until `holds`. */
const eventually = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (holds() ? Effect.void : Effect.andThen(Effect.yieldNow, eventually(holds))))

/** Waits until `value` has been the same for a thousand turns: whoever could move it is waiting for something else. */
const settled = (value: () => number): Effect.Effect<number> =>
  Effect.gen(function* () {
    let [last, turns] = [value(), 0]
    while (turns < 1000) {
      yield* Effect.yieldNow
      turns = value() === last ? turns + 1 : 0
      last = value()
    }
    return last
  })

const talk = <E>(
  ends: Ends<Connection | ByteDuplex<E>>,
  transport: "v1" | "v2"
): Effect.Effect<Ends<MessageStream<E>>, E | MessageStreamError, Scope.Scope> =>
  Effect.gen(function* () {
    const near = yield* framed<E>(ends.near, yield* makeFraming(transport, options))
    const far = yield* framed<E>(ends.far, yield* makeFraming("detect", options))
    // Every conversation begins so, and in v1 it is how one is known.
    yield* near.send(VERSION)
    expect(yield* take(far, 1)).toEqual([VERSION])
    return { near, far }
  })

const take = <E>(stream: MessageStream<E>, count: number) => Stream.runCollect(Stream.take(stream.messages, count))

const bytesOf = (...messages: ReadonlyArray<Message>): Uint8Array => {
  const framing = new V1Framing(options)
  for (const message of messages) framing.send(message)
  return framing.takeOutput() as Uint8Array
}

/** The far end in the hands of a test: it says what it is told to, and keeps what it hears. */
const rawEnd = (connection: Connection) => {
  const heard: Array<Uint8Array> = []
  let closed: CloseReason | undefined
  connection.start({
    onBytes: (bytes) => heard.push(bytes.slice()),
    onDrain: () => {},
    onClose: (reason) => (closed = reason)
  })
  return { heard: () => concat(heard), closed: () => closed }
}

describe.each(["v1", "v2"] as const)("a stream of %s messages", (transport) => {
  const carries = (ends: Ends<Connection | ByteDuplex>, entries: ReadonlyArray<number>) =>
    Effect.gen(function* () {
      const { near, far } = yield* talk(ends, transport)
      const talking = Effect.forEach(entries, (count, i) => near.send(numbered(i, count)), { discard: true })
      yield* Effect.forkScoped(talking)
      const there = yield* take(far, entries.length)
      expect(there.map(numberOf)).toEqual([...entries.keys()])
      expect(there.map(entriesOf)).toEqual(entries)
      yield* Effect.forkScoped(far.sendAll(there))
      expect((yield* take(near, entries.length)).map(entriesOf)).toEqual(entries)
      expect([yield* near.transport, yield* far.transport]).toEqual([transport, transport])
      expect(yield* near.sessionId).toEqual(yield* far.sessionId)
      expect(yield* near.sessionId).toEqual(transport === "v1" ? undefined : expect.any(Uint8Array))
    }).pipe(Effect.scoped)

  it.live.each([
    ["at once", prompt, [1, 50_000, 2, 40_000, 3]],
    ["late and in pieces", slow, [1, 50_000, 2, 3]],
    ["byte by byte", byteByByte, [1, 2, 700]]
  ] as const)("goes both ways over a connection whose bytes come %s", ([, layer, entries]) =>
    Effect.provide(
      Effect.flatMap(connected, (ends) => carries(ends, entries)),
      layer,
      { local: true }
    )
  )

  it.live("goes both ways over a stream and a write", () =>
    Effect.flatMap(piped, (ends) => carries(ends, [1, 50_000, 2, 40_000, 3]))
  )

  it.live("is read no further than its reader follows, and loses nothing", () =>
    Effect.gen(function* () {
      const ends = yield* connected
      const { near, far } = yield* talk(ends, transport)
      let sent = 0
      const total = 40
      const talking = Effect.forEach(Array(total).keys(), (i) =>
        Effect.tap(near.send(numbered(i, 10_000)), () => Effect.sync(() => sent++))
      )
      const talker = yield* Effect.forkScoped(talking)
      expect(yield* settled(() => sent)).toBeLessThan(total)
      expect(ends.near.bufferedBytes).toBeGreaterThan(UNSENT_BYTES)
      expect((yield* take(far, total)).map(numberOf)).toEqual([...Array(total).keys()])
      yield* Fiber.join(talker)
    }).pipe(Effect.scoped, Effect.provide(prompt, { local: true }))
  )

  it.live("costs no effect for each message", () =>
    Effect.gen(function* () {
      const { near, far } = yield* talk(yield* connected, transport)
      const total = 20_000
      let [messages, chunks] = [0, 0]
      const read = Stream.runForEachArray(far.messages, (some) =>
        Effect.suspend(() => {
          messages += some.length
          chunks += 1
          return messages < total ? Effect.void : Effect.fail("enough" as const)
        })
      )
      yield* near.sendAll(Array.from({ length: total }, (_, i) => numbered(i)))
      expect(yield* Effect.flip(read)).toBe("enough")
      // 1.2 MB come in chunks of 64 KiB.
      expect(chunks).toBeLessThan(30)
    }).pipe(Effect.scoped, Effect.provide(prompt, { local: true }))
  )

  it.live("ends where the other end does, after all that it sent", () =>
    Effect.gen(function* () {
      const ends = yield* connected
      const far = yield* framed(ends.far, yield* makeFraming("detect", options))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const near = yield* framed(ends.near, yield* makeFraming(transport, options))
          yield* near.send(VERSION)
          for (let i = 0; i < 3; i++) yield* near.send(numbered(i, 5000))
        })
      )
      expect((yield* Stream.runCollect(far.messages)).map(numberOf)).toEqual([-1, 0, 1, 2])
      expect(yield* Effect.flip(far.send(numbered(0)))).toMatchObject({
        _tag: "DuplexClosed",
        reason: { _tag: "Ended" }
      })
    }).pipe(Effect.scoped, Effect.provide(prompt, { local: true }))
  )

  it.live("closes in order after what it sent, though its own reader never read", () =>
    Effect.gen(function* () {
      const ends = yield* connected
      const far = yield* framed(ends.far, yield* makeFraming("detect", options))
      const near = Effect.gen(function* () {
        const near = yield* framed(ends.near, yield* makeFraming(transport, options))
        yield* near.send(VERSION)
        const flood = Array.from({ length: 4 * EVENTS_WAITING }, (_, i) => numbered(i))
        yield* far.sendAll(flood)
        yield* settled(() => ends.far.bufferedBytes)
        expect(ends.far.bufferedBytes).toBeGreaterThan(0)
        yield* near.send(numbered(1))
      })
      yield* Effect.scoped(near)
      expect((yield* Stream.runCollect(far.messages)).map(numberOf)).toEqual([-1, 1])
    }).pipe(Effect.scoped, Effect.provide(prompt, { local: true }))
  )

  it.live("fails where the network loses the connection, after what had come", () =>
    Effect.gen(function* () {
      const ends = yield* connected
      const { near, far } = yield* talk(ends, transport)
      yield* near.send(numbered(7))
      const network = yield* MemoryNetwork
      const seen: Array<number> = []
      const reading = Stream.runForEach(far.messages, (message) =>
        Effect.sync(() => {
          seen.push(numberOf(message))
          network.cut(ends.near)
        })
      )
      expect(yield* Effect.flip(reading)).toMatchObject({ _tag: "DuplexClosed", reason: { _tag: "Reset" } })
      expect(seen).toEqual([7])
      expect(yield* Effect.flip(near.send(numbered(8)))).toMatchObject({ reason: { _tag: "Reset" }, retryAsV1: false })
    }).pipe(Effect.scoped, Effect.provide(prompt, { local: true }))
  )

  it.live("leaves no connection behind when its reader is interrupted", () =>
    Effect.gen(function* () {
      const ends = yield* connected
      const reading = Effect.scoped(
        Effect.flatMap(talk(ends, transport), ({ near, far }) =>
          Effect.all([Stream.runDrain(near.messages), Stream.runDrain(far.messages)], { concurrency: 2 })
        )
      )
      const reader = yield* Effect.forkChild(reading)
      yield* settled(() => ends.near.bufferedBytes)
      yield* Fiber.interrupt(reader)
      const [dialer, listener] = [yield* Dialer, yield* Listener]
      yield* eventually(() => dialer.connections() === 0 && listener.connections() === 0)
    }).pipe(Effect.scoped, Effect.provide(prompt, { local: true }))
  )
})

describe("a stream whose other end speaks otherwise", () => {
  it.live("tells who dialled in v2 that v1 was the answer", () =>
    Effect.gen(function* () {
      const ends = yield* connected
      const far = rawEnd(ends.far)
      const near = yield* framed(ends.near, yield* makeFraming("v2", options))
      ends.far.write(bytesOf(VERSION))
      const failed = yield* Effect.flip(Stream.runDrain(near.messages))
      expect(failed).toMatchObject({ _tag: "FramingFailed", fault: { _tag: "PeerIsV1" }, retryAsV1: true })
      expect(yield* Effect.flip(near.send(numbered(0)))).toBe(failed)
      yield* eventually(() => far.closed() !== undefined)
      expect(far.heard().length).toBeGreaterThanOrEqual(64)
    }).pipe(Effect.scoped, Effect.provide(prompt, { local: true }))
  )

  it.live("tells who dialled in v2 to try v1 where the other end hangs up, and whoever waits to send", () =>
    Effect.gen(function* () {
      const ends = yield* connected
      const far = rawEnd(ends.far)
      const near = yield* framed(ends.near, yield* makeFraming("v2", options))
      const sending = yield* Effect.forkScoped(Effect.flip(near.send(numbered(0))))
      yield* eventually(() => far.heard().length >= 64)
      ends.far.end()
      const failed = yield* Effect.flip(Stream.runDrain(near.messages))
      expect(failed).toMatchObject({ _tag: "DuplexClosed", reason: { _tag: "Ended" }, retryAsV1: true })
      expect(yield* Fiber.join(sending)).toBe(failed)
    }).pipe(Effect.scoped, Effect.provide(prompt, { local: true }))
  )

  it.live("hands out what came before a fault, and hangs up", () =>
    Effect.gen(function* () {
      const ends = yield* connected
      const far = rawEnd(ends.far)
      const near = yield* framed(ends.near, yield* makeFraming("v1", options))
      ends.far.write(concat([bytesOf(numbered(1), numbered(2)), new TextEncoder().encode("HTTP")]))
      const seen: Array<number> = []
      const reading = Stream.runForEach(near.messages, (message) => Effect.sync(() => seen.push(numberOf(message))))
      expect(yield* Effect.flip(reading)).toMatchObject({ _tag: "FramingFailed", fault: { _tag: "WrongMagic" } })
      expect(seen).toEqual([1, 2])
      yield* eventually(() => far.closed() !== undefined)
    }).pipe(Effect.scoped, Effect.provide(prompt, { local: true }))
  )

  const whole = bytesOf(numbered(1))
  it.live.each([1, 24, 25, whole.length - 1])("fails where the other end ends after %i bytes of a message", (length) =>
    Effect.gen(function* () {
      const ends = yield* connected
      rawEnd(ends.far)
      const near = yield* framed(ends.near, yield* makeFraming("v1", options))
      ends.far.write(concat([whole, whole.slice(0, length)]))
      ends.far.end()
      expect(yield* take(near, 1)).toHaveLength(1)
      expect(yield* Effect.flip(Stream.runDrain(near.messages))).toMatchObject({ reason: { _tag: "Ended" } })
    }).pipe(Effect.scoped, Effect.provide(prompt, { local: true }))
  )

  it.live("tells of what did not become a message, to who asks for events", () =>
    Effect.gen(function* () {
      const ends = yield* connected
      rawEnd(ends.far)
      const near = yield* framed(ends.near, yield* makeFraming("v1", options))
      const [unknown, damaged] = [bytesOf(numbered(1)), bytesOf(numbered(2))]
      unknown.set(new TextEncoder().encode("nonsense"), 4)
      damaged[30] = (damaged[30] as number) ^ 1
      ends.far.write(concat([unknown, damaged, bytesOf(numbered(3))]))
      const events = yield* Stream.runCollect(Stream.take(near.events, 3))
      expect(events).toMatchObject([
        { _tag: "Unknown", command: "nonsense" },
        { _tag: "Dropped", why: "checksum" },
        { _tag: "Message" }
      ])
      ends.far.write(concat([unknown, damaged, bytesOf(numbered(4))]))
      expect((yield* take(near, 1)).map(numberOf)).toEqual([4])
    }).pipe(Effect.scoped, Effect.provide(prompt, { local: true }))
  )
})

describe("a stream over a stream and a write", () => {
  class Unplugged {
    readonly _tag = "Unplugged"
  }

  it.live("fails as its readable does", () =>
    Effect.gen(function* () {
      const readable = Stream.concat(Stream.make(bytesOf(numbered(5))), Stream.fail(new Unplugged()))
      const near = yield* framed({ readable, write: () => Effect.void }, yield* makeFraming("v1", options))
      expect((yield* take(near, 1)).map(numberOf)).toEqual([5])
      expect(yield* Effect.flip(Stream.runDrain(near.messages))).toBeInstanceOf(Unplugged)
    }).pipe(Effect.scoped)
  )

  it.live("fails as its write does, also for who only reads", () =>
    Effect.gen(function* () {
      const unplugged = { readable: Stream.never, write: () => Effect.fail(new Unplugged()) }
      const near = yield* framed(unplugged, yield* makeFraming("v1", options))
      yield* near.send(numbered(1))
      expect(yield* Effect.flip(Stream.runDrain(near.messages))).toBeInstanceOf(Unplugged)
      expect(yield* Effect.flip(near.send(numbered(2)))).toBeInstanceOf(Unplugged)
    }).pipe(Effect.scoped)
  )

  it.live("writes one piece after another, and lets senders wait for them", () =>
    Effect.gen(function* () {
      const [from, to] = [yield* pipe, yield* pipe]
      const near = yield* framed(duplexOf(from, to), yield* makeFraming("v1", options))
      const size = 40_000
      let sent = 0
      const talking = Effect.forEach(Array(20).keys(), (i) =>
        Effect.tap(near.send(numbered(i, size)), () => Effect.sync(() => sent++))
      )
      const talker = yield* Effect.forkScoped(talking)
      // Four lie in the pipe, a fifth is being written, and what is left until the limit waits.
      expect(yield* settled(() => sent)).toBeLessThan(8)
      const far = new V1Framing(options)
      const heard: Array<number> = []
      while (heard.length < 20) {
        far.receive(yield* Queue.take(to))
        for (let event = far.next(); event !== undefined; event = far.next()) {
          if (event._tag === "Message") heard.push(numberOf(event.message))
        }
        far.release()
      }
      expect(heard).toEqual([...Array(20).keys()])
      yield* Fiber.join(talker)
    }).pipe(Effect.scoped)
  )

  it.live.each([1, 100])("pulls no more of a readable in arrays of %i than its reader follows", (size) =>
    Effect.gen(function* () {
      let pulled = 0
      const chunk = bytesOf(...Array.from({ length: 100 }, (_, i) => numbered(i)))
      const readable = Stream.fromIterable(Array<Uint8Array>(100).fill(chunk)).pipe(
        Stream.rechunk(size),
        Stream.mapArray((chunks) => {
          pulled += chunks.length
          return chunks
        })
      )
      const near = yield* framed({ readable, write: () => Effect.void }, yield* makeFraming("v1", options))
      expect(yield* settled(() => pulled)).toBeLessThanOrEqual(Math.max(size, EVENTS_WAITING / 100 + 2))
      let [messages, most] = [0, 0]
      yield* Stream.runForEachArray(near.messages, (some) =>
        Effect.sync(() => {
          messages += some.length
          most = Math.max(most, some.length)
        })
      )
      expect([messages, pulled]).toEqual([10_000, 100])
      expect(most).toBeLessThanOrEqual(EVENTS_WAITING + 100)
    }).pipe(Effect.scoped)
  )

  it.live("is left to its maker to close, and no fiber reads on", () =>
    Effect.gen(function* () {
      const stopped = yield* Deferred.make<void>()
      const readable = Stream.never.pipe(Stream.ensuring(Deferred.succeed(stopped, undefined)))
      const written: Array<Uint8Array> = []
      const write = (bytes: Uint8Array): Effect.Effect<void> => Effect.sync(() => written.push(bytes))
      const near = yield* Effect.scoped(
        Effect.gen(function* () {
          const near = yield* framed({ readable, write }, yield* makeFraming("v1", options))
          yield* near.send(numbered(9))
          return near
        })
      )
      yield* Deferred.await(stopped)
      expect(concat(written)).toEqual(bytesOf(numbered(9)))
      expect(yield* Effect.exit(near.send(numbered(1)))).toSatisfy(isDestroyed)
      expect(yield* Effect.exit(Stream.runDrain(near.messages))).toSatisfy(isDestroyed)
    })
  )
})

const isDestroyed = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) &&
  (exit.cause as Cause.Cause<{ readonly reason: CloseReason }>).reasons.some(
    (reason) => reason._tag === "Fail" && reason.error.reason._tag === "Destroyed"
  )
