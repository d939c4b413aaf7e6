/** Topics over real nodes on loopback: what is passed on, what is not, and what becomes of those who break the rules. */
import * as Net from "node:net"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { platformSha256 } from "@satwire/crypto/node"
import { type Topic, type Verdict, bytesCodec } from "../src/index.ts"
import { addressOf, eventually, gathered, gossipNode, lawless, meshed, reasonsOf, wasBanned } from "./Nodes.ts"

const words = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const TOPIC = "words"

/** A message that begins with a word has the verdict of that name. */
const VERDICTS: Readonly<Record<string, Verdict>> = {
  bad: "reject",
  odd: "ignore",
  forged: { reject: "forged" },
  expired: { reject: "expired" },
  replayed: { reject: "replayed" }
}

let validating = 0
let mostValidating = 0

const validate = (message: Uint8Array): Verdict | Effect.Effect<Verdict> => {
  const [word = ""] = text(message.subarray(0, 40)).split(" ")
  if (word !== "slow") return VERDICTS[word] ?? "accept"
  mostValidating = Math.max(mostValidating, ++validating)
  return Effect.never.pipe(Effect.onInterrupt(() => Effect.sync(() => void validating--)))
}

const makeLine = Effect.gen(function* () {
  const open = Effect.gen(function* () {
    const gossip = yield* gossipNode({
      limits: { messages: { perSecond: 10, burst: 800 }, maxValidating: 4 },
      maxMessageBytes: 100_000,
      mesh: { heartbeatInterval: 1000 }
    })
    const topic: Topic<Uint8Array> = yield* gossip.topic(TOPIC, {
      codec: bytesCodec,
      validate,
      maxBytes: 2000,
      deadlineMs: 50,
      maxWaiting: 20
    })
    return [gossip, topic] as const
  })
  const [first, middle, last] = [yield* open, yield* open, yield* open]
  yield* meshed(first, middle)
  yield* meshed(middle, last)
  return {
    first,
    middle,
    last,
    heard: yield* gathered(last[1].messages),
    facts: yield* gathered(middle[0].facts)
  }
})

type Made = Effect.Success<typeof makeLine>
const Line = Context.Service<Made>("Line")
const line = Layer.effect(Line, makeLine)

/** Someone who follows no rule, connected to the middle. */
const stranger = Effect.gen(function* () {
  const { middle } = yield* Line
  const one = yield* lawless(TOPIC)
  yield* one.node.connect(addressOf(middle[0].node))
  yield* eventually(() => middle[1].peers().includes(one.node.peerId))
  yield* eventually(() => {
    const pubsub = one.node.engine.services["gossip"] as { getSubscribers: (topic: string) => ReadonlyArray<unknown> }
    return pubsub.getSubscribers(TOPIC).length > 0
  })
  return one
})

const isConnected = ({ middle }: Made, peer: string): boolean =>
  middle[0].node.connections().some(({ peerId }) => peerId === peer)

/** Afterwards the honest ones still hear one another. */
const unharmed = (word: string) =>
  Effect.gen(function* () {
    const { first, heard } = yield* Line
    yield* first[1].publish(words(`still ${word}`))
    yield* eventually(() => heard.some(({ message }) => text(message) === `still ${word}`))
  })

layer(line, { excludeTestServices: true })("gossip along a line of three", (it) => {
  it.effect("brings a message to everybody once, by its content's id", () =>
    Effect.gen(function* () {
      const { first, middle, heard } = yield* Line
      const published = yield* first[1].publish(words("hello"))
      assert.strictEqual(published.recipients, 1)
      yield* eventually(() => heard.length > 0)
      const [one] = heard
      const id = new Uint8Array(32)
      platformSha256.sha256(words("hello"), 0, 5, id, 0)
      assert.deepStrictEqual(
        { ...one, message: text(one?.message as Uint8Array) },
        {
          message: "hello",
          from: middle[0].node.peerId,
          id,
          sizeBytes: 5
        }
      )
      assert.deepStrictEqual(published.id, id)
      // Another one would keep all that comes.
      const streams = middle[0].node.engine.getConnections().flatMap((connection) => connection.streams)
      const inbound = streams.filter(
        ({ direction, protocol }) => direction === "inbound" && protocol.startsWith("/meshsub")
      )
      assert.deepStrictEqual(
        inbound.map((stream) => stream.listenerCount("message")),
        [1, 1]
      )
      assert.strictEqual((yield* first[1].publish(words("hello"))).recipients, 0)
      yield* first[1].publish(words("after"))
      yield* eventually(() => heard.length > 1)
      assert.strictEqual(heard.filter(({ message }) => text(message) === "hello").length, 1)
    })
  )

  it.effect("takes the same words on another topic for another message", () =>
    Effect.gen(function* () {
      const { first, middle } = yield* Line
      const [here, there] = [
        yield* first[0].topic("other", { codec: bytesCodec }),
        yield* middle[0].topic("other", { codec: bytesCodec })
      ]
      yield* eventually(() => here.mesh().length > 0 && there.mesh().length > 0)
      const heard = yield* gathered(there.messages)
      yield* first[1].publish(words("twice"))
      yield* here.publish(words("twice"))
      yield* eventually(() => heard.length === 1)
    })
  )

  it.effect("goes on where its own user's words about messages break, at nobody's cost", () =>
    Effect.gen(function* () {
      const { first, middle } = yield* Line
      const here = yield* first[0].topic("broken", { codec: bytesCodec })
      const there = yield* middle[0].topic("broken", {
        codec: bytesCodec,
        // Later than at once, as most validators are.
        validate: () => Effect.as(Effect.sleep(1), "accept" as const),
        sizeOf: ({ length }) => {
          if (length === 5) throw new Error("five")
          return length
        }
      })
      yield* eventually(() => here.mesh().length > 0 && there.mesh().length > 0)
      const heard = yield* gathered(there.messages)
      // More than may be under way at once.
      for (let n = 0; n < 5; n++) yield* here.publish(words(`five${n}`))
      yield* here.publish(words("sixsix"))
      yield* eventually(() => heard.length === 1)
      assert.strictEqual(middle[0].score(first[0].node.peerId), 0)
    })
  )

  it.effect("gives turns back as a topic closes whose validators go on", () =>
    Effect.gen(function* () {
      const { first, middle, heard } = yield* Line
      const scope = yield* Scope.make()
      const here = yield* first[0].topic("closing", { codec: bytesCodec })
      const there = yield* Scope.provide(
        middle[0].topic("closing", { codec: bytesCodec, deadlineMs: 60_000, validate: () => Effect.never }),
        scope
      )
      yield* eventually(() => here.mesh().length > 0 && there.mesh().length > 0)
      for (let n = 0; n < 6; n++) yield* here.publish(words(`closing ${n}`))
      yield* Effect.sleep(20)
      yield* Scope.close(scope, Exit.void)
      yield* first[1].publish(words("after it closed"))
      yield* eventually(() => heard.some(({ message }) => text(message) === "after it closed"))
    })
  )

  it.effect("tells its own user of a message that is too large", () =>
    Effect.gen(function* () {
      const { first } = yield* Line
      const error = yield* Effect.flip(first[1].publish(new Uint8Array(2001)))
      assert.include(error, { _tag: "PublishError", reason: "TooLarge" })
      assert.include(error.message, "2001 bytes")
    })
  )

  it.effect("drops what is ignored, at nobody's cost", () =>
    Effect.gen(function* () {
      const made = yield* Line
      const one = yield* stranger
      yield* one.send(TOPIC, words("odd 1"))
      yield* one.send(TOPIC, words("good 1"))
      yield* eventually(() => made.heard.some(({ message }) => text(message) === "good 1"))
      assert.isFalse(made.heard.some(({ message }) => text(message) === "odd 1"))
      assert.strictEqual(made.middle[0].score(one.node.peerId), 0)
    })
  )

  for (const [reason, word] of [
    ["invalid", "bad"],
    ["expired", "expired"],
    ["replayed", "replayed"],
    ["forged", "forged"]
  ] as const) {
    it.effect(`closes the connection of who keeps sending what is ${reason}, and passes none of it on`, () =>
      Effect.gen(function* () {
        const made = yield* Line
        const one = yield* stranger
        const { peerId } = one.node
        for (let n = 0; n < 12; n++) yield* one.send(TOPIC, words(`${word} ${n}`))
        yield* eventually(() => wasBanned(made.facts, peerId))
        assert.isFalse(isConnected(made, peerId))
        assert.deepStrictEqual([...new Set(reasonsOf(made.facts, peerId))], [reason])
        yield* Effect.ignore(one.node.connect(addressOf(made.middle[0].node)))
        yield* Effect.flip(one.node.ping(made.middle[0].node.peerId))
        yield* unharmed(reason)
        assert.isFalse(made.heard.some(({ message }) => text(message).startsWith(word)))
      })
    )
  }

  it.effect("closes the connection of who sends a frame above the limit, before it is there", () =>
    Effect.gen(function* () {
      const made = yield* Line
      const one = yield* stranger
      yield* one.send(TOPIC, new Uint8Array(1_000_000))
      yield* eventually(() => wasBanned(made.facts, one.node.peerId))
      assert.deepStrictEqual(reasonsOf(made.facts, one.node.peerId), ["oversized"])
      assert.isFalse(isConnected(made, one.node.peerId))
      yield* unharmed("oversized")
    })
  )

  it.effect("closes the connection of who sends what is no gossip", () =>
    Effect.gen(function* () {
      const made = yield* Line
      const one = yield* stranger
      const stream = yield* one.node.openStream(made.middle[0].node.peerId, "/meshsub/1.2.0")
      for (let n = 0; n < 3; n++) yield* Effect.ignore(stream.write(Uint8Array.of(3, 255, 255, 255)))
      yield* eventually(() => wasBanned(made.facts, one.node.peerId))
      assert.deepStrictEqual(reasonsOf(made.facts, one.node.peerId), ["malformed", "malformed"])
      assert.isFalse(isConnected(made, one.node.peerId))
    })
  )

  it.effect("drops what its validator says nothing of in time, few at once, and at nobody's cost", () =>
    Effect.gen(function* () {
      const made = yield* Line
      const one = yield* stranger
      for (let n = 0; n < 12; n++) yield* one.send(TOPIC, words(`slow ${n}`))
      const undecided = () => made.facts.filter((fact) => fact._tag === "Undecided" && fact.topic === TOPIC).length
      yield* eventually(() => undecided() === 12)
      assert.strictEqual(validating, 0)
      assert.isAtMost(mostValidating, 4)
      assert.strictEqual(made.middle[0].score(one.node.peerId), 0)
      yield* unharmed("slow")
    })
  )

  it.effect("keeps the newest for a reader who comes late, and tells what he missed", () =>
    Effect.gen(function* () {
      const { first, middle, heard, facts } = yield* Line
      for (let n = 0; n < 60; n++) yield* first[1].publish(words(`count ${n}`))
      yield* first[1].publish(words("newest"))
      // It is passed on once it waits.
      yield* eventually(() => heard.some(({ message }) => text(message) === "newest"))
      const late = yield* gathered(middle[1].messages)
      yield* eventually(() => late.length >= 20)
      assert.strictEqual(text(late[19]?.message as Uint8Array), "newest")
      yield* eventually(() => facts.some((fact) => fact._tag === "Missed" && fact.messages > 40))
    })
  )

  it.effect("goes on while a thousand dial at once", () =>
    Effect.gen(function* () {
      const made = yield* Line
      const port = Number(/tcp\/(\d+)/.exec(addressOf(made.middle[0].node))?.[1])
      const sockets = yield* Effect.acquireRelease(
        Effect.sync(() =>
          Array.from({ length: 1000 }, () => Net.connect(port, "127.0.0.1").on("error", () => undefined))
        ),
        (all) => Effect.sync(() => all.forEach((socket) => socket.destroy()))
      )
      yield* unharmed("crowd")
      assert.strictEqual(sockets.length, 1000)
    })
  )

  it.effect("closes the connection of who floods, though every message is good", () =>
    Effect.gen(function* () {
      const made = yield* Line
      const { first, middle, last, heard, facts } = made
      const one = yield* stranger
      const { peerId } = one.node
      const atMiddle = yield* gathered(middle[1].messages)
      for (let n = 0; n < 3000 && isConnected(made, peerId); n++) yield* one.send(TOPIC, words(`flood ${n}`))
      yield* eventually(() => wasBanned(facts, peerId))
      assert.deepStrictEqual([...new Set(reasonsOf(facts, peerId))], ["flood"])
      yield* first[1].publish(words("still flood"))
      yield* eventually(() => atMiddle.some(({ message }) => text(message) === "still flood"))
      // Of what one brings an eighth goes on, and so the next node bans nobody.
      assert.isBelow(heard.filter(({ message }) => text(message).startsWith("flood")).length, 500)
      assert.strictEqual(last[0].score(middle[0].node.peerId), 0)
    })
  )
})
