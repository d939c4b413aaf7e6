/** Broadcasts of kinds that have to be signed, and the hooks that hear them. */
import { privateKeyFromProtobuf } from "@libp2p/crypto/keys"
import { ChaChaRandom, makeSchnorrKey, type SchnorrKey } from "@satwire/crypto"
import { ConsensusEngine, Vote, kind } from "@satwire/overlay"
import { nowReader, seededRandom } from "@satwire/runtime"
import { makePrivateKey } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { describe, expect, it } from "vitest"
import { BroadcastWriter, decodeBroadcast, judgeBroadcast } from "../src/Broadcast.ts"
import { NetworkManager, serveNetworkHooks } from "../src/index.ts"

const run = <A, E>(program: Effect.Effect<A, E, Scope.Scope>): Promise<A> => Effect.runPromise(Effect.scoped(program))
const until = (holds: Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.flatMap(holds, (is) => (is ? Effect.void : Effect.andThen(Effect.yieldNow, until(holds))))

const Signed = kind("note", Schema.String, { signed: "required" })
const Unsigned = kind("note", Schema.String)
const random = ChaChaRandom.fromNumber(1)
const [key, other] = [makeSchnorrKey(random), makeSchnorrKey(random)]

const writer = (signingKey?: SchnorrKey) =>
  Effect.gen(function* () {
    const privateKey = privateKeyFromProtobuf(yield* makePrivateKey)
    return new BroadcastWriter(privateKey, yield* seededRandom, yield* nowReader, signingKey)
  })

describe("a broadcast of a kind that has to be signed", () => {
  it("is signed by the key of its author, or is none", () =>
    run(
      Effect.gen(function* () {
        const now = (yield* nowReader)()
        const signed = yield* (yield* writer(key)).write(Signed, "hello")
        const read = Result.getOrThrow(decodeBroadcast(Signed, signed.bytes))
        expect(read).toMatchObject({ message: "hello", from: signed.from, signer: key.publicKey })
        expect(judgeBroadcast(read, now)).toBe("accept")
        expect(Result.isFailure(decodeBroadcast(Unsigned, signed.bytes))).toBe(true)

        const lie = yield* (yield* writer({ ...other, sign: (hash, auxiliary) => key.sign(hash, auxiliary) })).write(
          Signed,
          "hello"
        )
        const claimed = Result.getOrThrow(decodeBroadcast(Signed, lie.bytes))
        expect(judgeBroadcast(claimed, now)).toMatchObject({ reject: "forged" })

        const plain = yield* (yield* writer()).write(Unsigned, "hello")
        expect(Result.isFailure(decodeBroadcast(Signed, plain.bytes))).toBe(true)
        const refused = yield* Effect.flip((yield* writer()).write(Signed, "hello"))
        expect(refused).toMatchObject({ _tag: "KindError", reason: "unsigned" })
      })
    ))

  it("is heard by hooks as a direct message is, with its signer", () =>
    run(
      Effect.gen(function* () {
        const options = {
          host: "127.0.0.1",
          network: "signed",
          localDiscovery: false,
          peerExchange: false,
          gossip: { mesh: { heartbeatInterval: 50 } },
          node: { security: ["noise"] as const },
          kinds: [Vote]
        }
        const engine = yield* NetworkManager.make(options)
        yield* engine.start
        const voter = yield* NetworkManager.make({ ...options, signingKey: key })
        yield* voter.start
        const heard: Array<unknown> = []
        const onVote = ConsensusEngine.of({
          onVote: ({ message, peer, signer }) => Effect.sync(() => heard.push([peer, signer, message.height])),
          onProposal: () => Effect.void
        })
        yield* Effect.provideService(serveNetworkHooks(engine), ConsensusEngine, onVote)
        yield* voter.addPeer((yield* engine.getNetworkStatus).addresses[0] ?? "")
        yield* until(Effect.map(voter.getNetworkStatus, ({ gossip }) => gossip.some(({ mesh }) => mesh === 1)))
        const bytes = new Uint8Array(64)
        const vote = { round: 0, step: "prevote", block: null, validator: key.publicKey, signature: bytes } as const
        yield* voter.broadcastMessage(Vote, { ...vote, height: 1 })
        yield* until(Effect.sync(() => heard.length === 1))
        yield* voter.sendMessage(engine.peerId, Vote, { ...vote, height: 2 })
        yield* until(Effect.sync(() => heard.length === 2))
        expect(heard).toEqual([1, 2].map((height) => [voter.peerId, key.publicKey, height]))
        const refused = yield* Effect.flip(engine.broadcastMessage(Vote, { ...vote, height: 3 }))
        expect(refused).toMatchObject({ _tag: "KindError", reason: "unsigned" })
      })
    ))
})
