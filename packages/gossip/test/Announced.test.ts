/** Payloads that are announced by id and fetched once, over real nodes on loopback. */
import { assert, layer } from "@effect/vitest"
import type { ByteStream } from "@satwire/transport-libp2p"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type AnnouncedTopic, type GossipShape, announcedTopic } from "../src/index.ts"
import { addressOf, eventually, gathered, gossipNode, lawless, reasonsOf } from "./Nodes.ts"

const TOPIC = "blobs"
const MiB = 1024 * 1024

const payload = (first: number, size: number = MiB): Uint8Array => new Uint8Array(size).fill(7).fill(first, 0, 1)

const makeLine = Effect.gen(function* () {
  let fetched = 0
  const open = Effect.gen(function* () {
    const gossip = yield* gossipNode()
    const topic = yield* announcedTopic(gossip, TOPIC, {
      maxExtraBytes: 1,
      checkAnnouncement: ({ extra }) => (extra[0] === 9 ? "reject" : "accept"),
      validate: (bytes) => {
        fetched++
        return bytes[0] === 66 ? "reject" : "accept"
      },
      fetchTimeoutMs: 2200
    })
    return [gossip, topic] as const
  })
  const nodes = [yield* open, yield* open, yield* open] as const
  const [first, middle, last] = nodes
  for (const [here, there] of [
    [first, middle],
    [middle, last]
  ] as const) {
    yield* here[0].node.connect(addressOf(there[0].node))
    yield* eventually(
      () => here[1].mesh().includes(there[0].node.peerId) && there[1].mesh().includes(here[0].node.peerId)
    )
  }
  const heard = yield* gathered(last[1].messages)
  return { first, middle, last, heard, facts: yield* gathered(middle[0].facts), fetches: () => fetched }
})

const Line = Context.Service<Effect.Success<typeof makeLine>>("Line")

const join = (peer: readonly [GossipShape, AnnouncedTopic]) =>
  Effect.gen(function* () {
    const one = yield* lawless(TOPIC)
    yield* one.node.connect(addressOf(peer[0].node))
    yield* eventually(() => peer[1].peers().includes(one.node.peerId))
    const pubsub = one.node.engine.services["gossip"] as { getSubscribers: (topic: string) => ReadonlyArray<unknown> }
    yield* eventually(() => pubsub.getSubscribers(TOPIC).length > 0)
    return one
  })

const announcement = (id: Uint8Array, size: number, extra: ReadonlyArray<number> = []): Uint8Array => {
  const bytes = new Uint8Array(36 + extra.length)
  bytes.set(id)
  new DataView(bytes.buffer).setUint32(32, size, true)
  bytes.set(extra, 36)
  return bytes
}

const FETCH = `/satwire/fetch/1/${TOPIC}`

const answerAbsent = (stream: ByteStream) => Effect.andThen(Effect.ignore(stream.read), stream.write(new Uint8Array(4)))

layer(Layer.effect(Line, makeLine), { excludeTestServices: true })("announced payloads", (it) => {
  it.effect("are fetched once by each node along a line, and delivered whole", () =>
    Effect.gen(function* () {
      const { first, middle, heard, fetches } = yield* Line
      const { id } = yield* first[1].publish(payload(1))
      yield* eventually(() => heard.length === 1)
      assert.deepStrictEqual(heard[0], { message: payload(1), from: middle[0].node.peerId, id, sizeBytes: MiB })
      assert.strictEqual(fetches(), 2)
    })
  )

  it.effect("are not passed on where they are bad, and who handed them over pays", () =>
    Effect.gen(function* () {
      const { first, heard, facts } = yield* Line
      yield* first[1].publish(payload(66))
      yield* eventually(() => reasonsOf(facts, first[0].node.peerId).includes("invalid"))
      assert.strictEqual(heard.length, 1)
    })
  )

  it.effect("are not even fetched where the announcement is bad", () =>
    Effect.gen(function* () {
      const { middle, facts, fetches } = yield* Line
      const one = yield* join(middle)
      const before = fetches()
      yield* one.send(TOPIC, announcement(new Uint8Array(32), 100, [9]))
      yield* one.send(TOPIC, announcement(new Uint8Array(32), 100 * MiB))
      yield* one.send(TOPIC, new Uint8Array(3))
      yield* eventually(() => reasonsOf(facts, one.node.peerId).length === 3)
      assert.deepStrictEqual(reasonsOf(facts, one.node.peerId), ["invalid", "invalid", "undecodable"])
      assert.strictEqual(fetches(), before)
    })
  )

  it.effect("come from the next who told of them, where one does not hand over or hands over other bytes", () =>
    Effect.gen(function* () {
      const { first, middle, heard, facts } = yield* Line
      const [silent, liar] = [yield* join(middle), yield* join(middle)]
      const good = payload(2)
      const id = first[0].shared.idOf(TOPIC, good).slice(0, 32)
      let asked = 0
      yield* silent.node.handle(FETCH, (stream) =>
        Effect.suspend(() => (++asked > 2 ? answerAbsent(stream) : Effect.never))
      )
      yield* liar.node.handle(FETCH, (stream) =>
        Effect.gen(function* () {
          yield* Effect.ignore(stream.read)
          const head = new Uint8Array(4)
          new DataView(head.buffer).setUint32(0, MiB, true)
          yield* stream.write(head)
          yield* stream.write(payload(3))
        })
      )
      // As many as it hands over at once; the third is asked for late, when it may have forgotten it.
      for (const number of [1, 2]) yield* silent.send(TOPIC, announcement(new Uint8Array(32).fill(number), 100))
      yield* silent.send(TOPIC, announcement(id, MiB))
      yield* eventually(() => asked > 2)
      yield* liar.send(TOPIC, announcement(id, MiB))
      yield* eventually(() => reasonsOf(facts, liar.node.peerId).length > 0)
      yield* first[1].publish(good)
      yield* eventually(() => heard.some(({ message }) => message[0] === 2))
      assert.deepStrictEqual(reasonsOf(facts, silent.node.peerId), ["undelivered", "undelivered"])
      assert.deepStrictEqual(reasonsOf(facts, liar.node.peerId), ["invalid"])
    })
  )

  it.effect("are a fault of who answers at once that it has them not, and of nobody who cannot be reached", () =>
    Effect.gen(function* () {
      const { first, middle, heard, facts } = yield* Line
      const [empty, gone] = [yield* join(middle), yield* join(middle)]
      const good = payload(4)
      const id = first[0].shared.idOf(TOPIC, good).slice(0, 32)
      yield* empty.node.handle(FETCH, answerAbsent)
      let asked = 0
      const began = performance.now()
      // Streams are opened beforehand, too: what counts is who is asked.
      yield* gone.node.handle(FETCH, (stream) =>
        Effect.ignore(
          Effect.andThen(stream.read, () => {
            asked++
            return stream.reset
          })
        )
      )
      for (let i = 0; i < 12; i++) yield* gone.send(TOPIC, announcement(new Uint8Array(32).fill(10 + i), 100))
      yield* gone.send(TOPIC, announcement(id, MiB))
      yield* empty.send(TOPIC, announcement(new Uint8Array(32).fill(9), 100))
      yield* eventually(() => asked > 0 && reasonsOf(facts, empty.node.peerId).length > 0)
      yield* first[1].publish(good)
      yield* eventually(() => heard.some(({ message }) => message[0] === 4))
      assert.deepStrictEqual(reasonsOf(facts, empty.node.peerId), ["undelivered"])
      assert.deepStrictEqual(reasonsOf(facts, gone.node.peerId), [])
      // It is not tried again for each of them, but in another second.
      assert.isAtMost(asked, 4 * (1 + Math.floor((performance.now() - began) / 1000)))
      assert.isBelow(asked, 13)
    })
  )

  it.effect("come in any number at once, and nobody is blamed for the order", () =>
    Effect.gen(function* () {
      const { first, heard, facts } = yield* Line
      const [before, blamed] = [heard.length, reasonsOf(facts, first[0].node.peerId).length]
      const numbers = Array.from({ length: 20 }, (_, i) => 100 + i)
      yield* Effect.forEach(numbers, (number) => first[1].publish(payload(number, 64 * 1024)), {
        concurrency: "unbounded"
      })
      yield* eventually(() => heard.length === before + numbers.length)
      const firsts = heard.slice(before).map(({ message }) => message[0] ?? -1)
      assert.deepStrictEqual(
        firsts.toSorted((a, b) => a - b),
        numbers
      )
      assert.strictEqual(reasonsOf(facts, first[0].node.peerId).length, blamed)
    })
  )
})
