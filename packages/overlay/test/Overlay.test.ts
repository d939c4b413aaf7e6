import { decodeFrame } from "@satwire/requests"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { describe, expect, it } from "vitest"
import { type RequestError, Vote, kind, method, refused } from "../src/index.ts"
import { connect, join, keyOf, makeNode, run, runTimed, stranger, text } from "./Bench.ts"

const Chat = kind("chat", Schema.Struct({ text: Schema.String }))
const Sum = method(
  "sum",
  kind("sum-request", Schema.Struct({ a: Schema.Int, b: Schema.Int })),
  kind("sum-answer", Schema.Int)
)
const Count = method("count", kind("count-request", Schema.Int), kind("count-part", Schema.Int))

const vote = {
  height: 1,
  round: 0,
  step: "prevote" as const,
  block: null,
  validator: new Uint8Array(33),
  signature: new Uint8Array(64)
}

const pair = Effect.gen(function* () {
  const alice = yield* makeNode(keyOf(1))
  const bob = yield* makeNode(keyOf(2))
  const [toBob, toAlice] = yield* join(alice.messenger, bob.messenger)
  return { alice, bob, toBob, toAlice }
})

/** Serves sums by beginning with them and never ending. */
const serveForEver = ({ overlay }: Effect.Success<ReturnType<typeof makeNode>>) =>
  Effect.gen(function* () {
    const begun = yield* Deferred.make<void>()
    const interrupted = yield* Deferred.make<void>()
    yield* overlay.serve(Sum, () =>
      Deferred.succeed(begun, undefined).pipe(
        Effect.andThen(Effect.never),
        Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
      )
    )
    return { begun, interrupted }
  })

/** Why a request has no answer. */
const failureOf = <A, E>(effect: Effect.Effect<A, RequestError | E>) =>
  Effect.map(Effect.flip(effect), (error) => (error as RequestError).reason)

const nextOf = <A>(stream: Stream.Stream<A>) =>
  stream.pipe(Stream.take(1), Stream.runCollect, Effect.forkScoped({ startImmediately: true }))

describe("messages", () => {
  it("go to one peer, and to all", () =>
    run(
      Effect.gen(function* () {
        const { alice, bob, toAlice, toBob } = yield* pair
        const carol = yield* makeNode()
        yield* join(alice.messenger, carol.messenger)
        const atBob = yield* nextOf(bob.overlay.messages(Chat))
        yield* alice.overlay.send(toBob, Chat, { text: "hello" })
        expect(yield* Fiber.join(atBob)).toEqual([{ peer: toAlice, signer: undefined, message: { text: "hello" } }])
        const both = yield* Effect.all([nextOf(bob.overlay.messages(Chat)), nextOf(carol.overlay.messages(Chat))])
        expect(yield* alice.overlay.broadcast(Chat, { text: "all" })).toBe(2)
        for (const fiber of both) expect((yield* Fiber.join(fiber))[0]?.message.text).toBe("all")
      })
    ))

  it("that have to be signed come with the key that signed them", () =>
    run(
      Effect.gen(function* () {
        const { alice, bob, toBob } = yield* pair
        const votes = yield* nextOf(bob.overlay.messages(Vote))
        yield* alice.overlay.send(toBob, Vote, vote)
        expect((yield* Fiber.join(votes))[0]?.signer).toEqual(keyOf(1).publicKey)
      })
    ))

  it("that have to be signed are not sent without a key, and not taken without a signature", () =>
    run(
      Effect.gen(function* () {
        const bob = yield* makeNode()
        const mallory = yield* stranger(bob)
        yield* nextOf(bob.overlay.messages(Vote))
        const unsent = yield* Effect.flip(bob.overlay.send(mallory.name, Vote, vote))
        expect(unsent).toMatchObject({ _tag: "KindError", reason: "unsigned" })
        mallory.says("vote", Result.getOrThrow(Vote.encode(vote)))
        expect(yield* bob.faulted("unsigned")).toMatchObject({ peer: mallory.name })
      })
    ))

  it("that are not of their kind cost themselves and are told by type", () =>
    run(
      Effect.gen(function* () {
        const bob = yield* makeNode()
        const mallory = yield* stranger(bob)
        const chats = yield* nextOf(bob.overlay.messages(Chat))
        mallory.says("chat", text("\u00c1"))
        yield* bob.faulted("malformed")
        mallory.says("chat", new Uint8Array(Chat.maxBytes + 1))
        yield* bob.faulted("oversize")
        mallory.says("unheard-of", text("a"))
        yield* bob.faulted("unknown kind")
        mallory.says("request", text("\u0009"))
        yield* bob.faulted("malformed frame")
        mallory.says("chat", Result.getOrThrow(Chat.encode({ text: "still here" })))
        expect((yield* Fiber.join(chats))[0]?.message.text).toBe("still here")
      })
    ))

  it("are not sent to who is gone", () =>
    run(
      Effect.gen(function* () {
        const { alice } = yield* pair
        const error = yield* Effect.flip(alice.overlay.send("nobody", Chat, { text: "?" }))
        expect(error._tag).toBe("SendError")
      })
    ))
})

describe("envelopes", () => {
  /** Everything that Alice's signed vote is on the wire. */
  const recorded = Effect.gen(function* () {
    const alice = yield* makeNode(keyOf(1))
    const [here, there] = yield* connect
    const bytes = yield* Deferred.make<Uint8Array>()
    there.start({
      onBytes: (chunk) => Deferred.doneUnsafe(bytes, Effect.succeed(new Uint8Array(chunk))),
      onDrain: () => undefined,
      onClose: () => undefined
    })
    yield* alice.overlay.send(alice.messenger.join(here) as string, Vote, vote)
    return yield* Deferred.await(bytes)
  })
  /** A connection to a node that raw bytes are written to. */
  const raw = (node: Effect.Success<ReturnType<typeof makeNode>>) =>
    Effect.gen(function* () {
      const [here, there] = yield* connect
      const closed = yield* Deferred.make<void>()
      here.start({
        onBytes: () => undefined,
        onDrain: () => undefined,
        onClose: () => Deferred.doneUnsafe(closed, Effect.void)
      })
      node.messenger.join(there)
      return { write: (bytes: Uint8Array) => here.write(bytes), closed: Deferred.await(closed) }
    })

  it("that are signed come once, by whichever way", () =>
    run(
      Effect.gen(function* () {
        const bytes = yield* recorded
        const bob = yield* makeNode()
        const votes = yield* nextOf(bob.overlay.messages(Vote))
        const first = yield* raw(bob)
        first.write(new Uint8Array(bytes))
        yield* Fiber.join(votes)
        const second = yield* raw(bob)
        second.write(new Uint8Array(bytes))
        yield* bob.faulted("replayed")
      })
    ))

  it("that are signed count for a minute, and half of one for clocks that are behind", () =>
    runTimed(
      Effect.gen(function* () {
        const bytes = yield* recorded
        yield* TestClock.adjust("92 seconds")
        const bob = yield* makeNode()
        const late = yield* raw(bob)
        late.write(bytes)
        yield* bob.faulted("expired")
      })
    ))

  it("of another version are passed over, and told of", () =>
    run(
      Effect.gen(function* () {
        const bytes = yield* recorded
        const bob = yield* makeNode()
        const votes = yield* nextOf(bob.overlay.messages(Vote))
        const later = new Uint8Array(bytes)
        later[5] = 2
        const someone = yield* raw(bob)
        someone.write(later)
        someone.write(new Uint8Array(bytes))
        yield* bob.faulted("other version")
        yield* Fiber.join(votes)
      })
    ))

  it("with a signature that does not hold end the session", () =>
    run(
      Effect.gen(function* () {
        const bytes = yield* recorded
        const last = bytes.length - 1
        bytes[last] = (bytes[last] as number) ^ 1
        const bob = yield* makeNode()
        const forger = yield* raw(bob)
        forger.write(bytes)
        yield* bob.faulted("forged")
        yield* forger.closed
        expect(bob.overlay.peers()).toEqual([])
      })
    ))

  it("that are none, or longer than any, end the session before they are held", () =>
    run(
      Effect.gen(function* () {
        for (const bytes of [
          [0, 0, 0, 0],
          [1, 0, 64, 0],
          [2, 0, 0, 0, 1, 2]
        ]) {
          const bob = yield* makeNode()
          const liar = yield* raw(bob)
          liar.write(new Uint8Array(bytes))
          yield* bob.faulted("not an envelope")
          yield* liar.closed
        }
      })
    ))
})

describe("requests", () => {
  it("are answered, many at once, each by its own answer", () =>
    run(
      Effect.gen(function* () {
        const { alice, bob, toBob } = yield* pair
        yield* bob.overlay.serve(Sum, ({ a, b }) => Effect.andThen(Effect.yieldNow, Effect.succeed(a + b)))
        const sums = yield* Effect.forEach(
          Array.from({ length: 50 }, (_, i) => i),
          (i) => alice.overlay.request(toBob, Sum, { a: i, b: 1 }),
          { concurrency: "unbounded" }
        )
        expect(sums).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
        expect(alice.overlay.counts()).toMatchObject({ asked: 0 })
        expect(bob.overlay.counts()).toMatchObject({ served: 0 })
      })
    ))

  it("fail by type: refused, unknown, failed, not there", () =>
    run(
      Effect.gen(function* () {
        const { alice, bob, toBob } = yield* pair
        expect(yield* failureOf(alice.overlay.request(toBob, Sum, { a: 1, b: 1 }))).toEqual({ _tag: "UnknownMethod" })
        expect(yield* failureOf(alice.overlay.request("nobody", Sum, { a: 1, b: 1 }))).toEqual({ _tag: "Disconnected" })
        const served = (handler: Parameters<typeof bob.overlay.serve<{ a: number; b: number }, number>>[1]) =>
          Effect.scoped(
            Effect.andThen(
              bob.overlay.serve(Sum, handler),
              failureOf(alice.overlay.request(toBob, Sum, { a: 1, b: 1 }))
            )
          )
        expect(yield* served(() => Effect.fail(refused("not today")))).toEqual({
          _tag: "Refused",
          code: "refused",
          message: "not today"
        })
        const silenced = served(() => Effect.die("a secret"))
        expect(yield* silenced).toMatchObject({ code: "failed" })
      })
    ))

  it("that make no sense never reach a handler", () =>
    run(
      Effect.gen(function* () {
        const bob = yield* makeNode()
        const mallory = yield* stranger(bob)
        yield* bob.overlay.serve(Sum, () => Effect.die("was reached"))
        mallory.frame({ _tag: "request", id: 1, timeoutMs: 1000, credit: 1, method: "sum", body: text("x") })
        const answer = Result.getOrThrow(decodeFrame((yield* mallory.hears).body)).value
        expect(answer).toMatchObject({ _tag: "refusal", code: "malformed request" })
      })
    ))

  it("end at their deadline when nobody answers, and the handler is interrupted", () =>
    runTimed(
      Effect.gen(function* () {
        const { alice, bob, toBob } = yield* pair
        const { begun, interrupted } = yield* serveForEver(bob)
        const fiber = yield* Effect.forkScoped(
          failureOf(alice.overlay.request(toBob, Sum, { a: 1, b: 1 }, { timeoutMs: 700 }))
        )
        yield* Deferred.await(begun)
        yield* TestClock.adjust("701 millis")
        expect(yield* Fiber.join(fiber)).toEqual({ _tag: "TimedOut" })
        yield* Deferred.await(interrupted)
      })
    ))

  it("that are interrupted here are interrupted there", () =>
    run(
      Effect.gen(function* () {
        const { alice, bob, toBob } = yield* pair
        const { begun, interrupted } = yield* serveForEver(bob)
        const fiber = yield* Effect.forkScoped(alice.overlay.request(toBob, Sum, { a: 1, b: 1 }))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
        yield* Deferred.await(interrupted)
        expect(alice.overlay.counts()).toMatchObject({ asked: 0 })
      })
    ))

  it("of a peer that goes fail, and those of an overlay that closes", () =>
    run(
      Effect.gen(function* () {
        const { alice, bob, toAlice, toBob } = yield* pair
        yield* bob.overlay.serve(Sum, () =>
          Effect.andThen(
            Effect.sync(() => bob.overlay.drop(toAlice)),
            Effect.never
          )
        )
        expect(yield* failureOf(alice.overlay.request(toBob, Sum, { a: 1, b: 1 }))).toEqual({ _tag: "Disconnected" })
        expect(alice.overlay.counts()).toMatchObject({ peers: 0, asked: 0 })
        const closed = yield* Effect.scoped(makeNode())
        expect(yield* failureOf(closed.overlay.request("bob", Sum, { a: 1, b: 1 }))).toEqual({ _tag: "Disconnected" })
      })
    ))

  it("of which a thousand come at once are served within bounds, and the others are told", () =>
    run(
      Effect.gen(function* () {
        const bob = yield* makeNode()
        const mallory = yield* stranger(bob)
        let running = 0
        yield* bob.overlay.serve(Sum, () =>
          Effect.andThen(
            Effect.sync(() => running++),
            Effect.never
          )
        )
        const body = Result.getOrThrow(Sum.request.encode({ a: 1, b: 1 }))
        for (let id = 1; id <= 1000; id++) {
          mallory.frame({ _tag: "request", id, timeoutMs: 60_000, credit: 1, method: "sum", body })
        }
        for (let busy = 0; busy < 1000 - 64; busy++) {
          const frame = Result.getOrThrow(decodeFrame((yield* mallory.hears).body)).value
          expect(frame).toMatchObject({ _tag: "refusal", code: "busy" })
        }
        expect(running).toBe(64)
        expect(bob.overlay.counts()).toMatchObject({ served: 64 })
        mallory.frame({ _tag: "request", id: 7, timeoutMs: 1000, credit: 1, method: "sum", body })
        yield* bob.faulted("replayed request")
        mallory.frame({ _tag: "answer", id: 1, body })
        yield* bob.faulted("unasked answer")
      })
    ))

  it("whose answer is malformed fail by type", () =>
    run(
      Effect.gen(function* () {
        const bob = yield* makeNode()
        const mallory = yield* stranger(bob)
        const asked = yield* Effect.forkScoped(failureOf(bob.overlay.request(mallory.name, Sum, { a: 1, b: 1 })))
        yield* mallory.hears
        mallory.frame({ _tag: "answer", id: 1, body: text("no number") })
        expect(yield* Fiber.join(asked)).toMatchObject({ _tag: "MalformedAnswer" })
        const again = yield* Effect.forkScoped(failureOf(bob.overlay.request(mallory.name, Sum, { a: 1, b: 1 })))
        yield* mallory.hears
        mallory.frame({ _tag: "part", id: 2, body: text("no number") })
        expect(yield* Fiber.join(again)).toEqual({ _tag: "MalformedAnswer", what: "more parts than one" })
      })
    ))
})

describe("answers in parts", () => {
  it("come whole and in order", () =>
    run(
      Effect.gen(function* () {
        const { alice, bob, toBob } = yield* pair
        yield* bob.overlay.serveParts(Count, (to) => Stream.range(1, to))
        const parts = yield* Stream.runCollect(alice.overlay.requestParts(toBob, Count, 100))
        expect(parts).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
        expect(yield* Stream.runCollect(alice.overlay.requestParts(toBob, Count, 0))).toEqual([])
        expect(bob.overlay.counts()).toMatchObject({ served: 0 })
      })
    ))

  it("wait for their reader, and end when he has enough", () =>
    run(
      Effect.gen(function* () {
        const { alice, bob, toBob } = yield* pair
        let made = 0
        const stopped = yield* Deferred.make<void>()
        yield* bob.overlay.serveParts(Count, () =>
          Stream.forever(Stream.fromEffect(Effect.sync(() => ++made))).pipe(
            Stream.ensuring(Deferred.succeed(stopped, undefined))
          )
        )
        const read = yield* alice.overlay.requestParts(toBob, Count, 0).pipe(Stream.take(10), Stream.runCollect)
        expect(read.length).toBe(10)
        yield* Deferred.await(stopped)
        // Ten that were read, and at most a window on each side of the wire.
        expect(made).toBeLessThan(10 + 20)
      })
    ))

  it("from a peer that answers for ever end at the bytes that are allowed", () =>
    run(
      Effect.gen(function* () {
        const { alice, bob, toBob } = yield* pair
        yield* bob.overlay.serveParts(Count, () => Stream.forever(Stream.succeed(1)))
        const read = Stream.runDrain(alice.overlay.requestParts(toBob, Count, 0, { maxBytes: 500 }))
        expect(yield* failureOf(read)).toEqual({ _tag: "MalformedAnswer", what: "more bytes than are allowed" })
      })
    ))
})
