/** Signed messages with an expiry, over two nodes of ours and one that follows no rule. */
import { assert, it } from "@effect/vitest"
import { ChaChaRandom, makeSchnorrKey, portableSha256, portableSignatures } from "@satwire/crypto"
import { CLOCK_SKEW_SECONDS, encodeEnvelope, encodeSigned, withHops } from "@satwire/envelope"
import { UnixSeconds } from "@satwire/machine"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { envelopeTopic, judgeExpiry, sealedEnvelope } from "../src/index.ts"
import { addressOf, eventually, gathered, gossipNode, lawless, meshed, reasonsOf, wasBanned } from "./Nodes.ts"

const TOPIC = "envelopes"
const random = ChaChaRandom.fromNumber(1)
const key = makeSchnorrKey(random)

it("what one clock lets go on is no fault to another one that lies up to a minute beside it", () => {
  const life = 100
  for (let expires = -300; expires <= 300; expires++) {
    if (judgeExpiry(expires, 0, life) !== "accept") continue
    for (let there = -2 * CLOCK_SKEW_SECONDS; there <= 2 * CLOCK_SKEW_SECONDS; there += 0.5) {
      assert.isString(judgeExpiry(expires, there, life), `${expires} at ${there}`)
    }
  }
  assert.deepInclude(judgeExpiry(-300, 0, life), { reject: "expired" })
  assert.deepInclude(judgeExpiry(300, 0, life), { reject: "invalid" })
})

it.live("envelopes come once each, in time, and from whom they say, or cost whoever passed them on", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const open = Effect.gen(function* () {
        const gossip = yield* gossipNode()
        return [gossip, yield* envelopeTopic(gossip, TOPIC, { signatures: portableSignatures })] as const
      })
      const [alice, bob] = [yield* open, yield* open]
      yield* meshed(alice, bob)
      const now = alice[0].shared.now().unix
      const content = (nonce: number, seconds: number) => ({
        type: "chat/1",
        nonce,
        expires: UnixSeconds(now + seconds),
        target: undefined,
        body: Uint8Array.of(0xc0)
      })
      const signed = (nonce: number, seconds = 600): Uint8Array =>
        Result.getOrThrow(encodeSigned(content(nonce, seconds), key, portableSha256, random.bytes(32)))
      const [heard, facts] = [yield* gathered(bob[1].messages), yield* gathered(bob[0].facts)]

      const first = signed(1)
      yield* alice[1].publish(Result.getOrThrow(sealedEnvelope(alice[0], first)))
      yield* eventually(() => heard.length === 1)
      assert.deepStrictEqual(heard[0]?.message.bytes, first)

      const come = Effect.gen(function* () {
        const one = yield* lawless(TOPIC)
        yield* one.node.connect(addressOf(bob[0].node))
        yield* eventually(() => bob[1].mesh().includes(one.node.peerId))
        return one
      })
      const [one, forger] = [yield* come, yield* come]
      const { peerId } = one.node
      // The same with another count of hops is the same.
      yield* one.send(TOPIC, withHops(first, 3))
      yield* one.send(TOPIC, signed(2, -300))
      yield* one.send(TOPIC, signed(3, 100_000))
      // Of these another clock, or another moment, may still have thought well: they cost nothing.
      yield* one.send(TOPIC, signed(6, -60))
      yield* one.send(TOPIC, signed(7, 3600 + 60))
      yield* one.send(
        TOPIC,
        Result.getOrThrow(encodeEnvelope({ ...content(4, 60), origin: "me", hops: 0, signature: undefined }))
      )
      yield* eventually(() => reasonsOf(facts, peerId).length === 3)
      assert.deepStrictEqual(reasonsOf(facts, peerId), ["expired", "invalid", "invalid"])
      const forged = signed(5)
      forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ 1
      yield* forger.send(TOPIC, forged)
      yield* eventually(() => wasBanned(facts, forger.node.peerId))
      assert.deepStrictEqual(reasonsOf(facts, forger.node.peerId), ["forged"])
      assert.strictEqual(heard.length, 1)
    })
  )
)
