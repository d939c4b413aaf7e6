import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import {
  type Block,
  BlockMethod,
  ChainStore,
  ConsensusEngine,
  Monitor,
  type NetworkStatus,
  type OverlayShape,
  PingMethod,
  type Received,
  StatusMethod,
  TransactionMethod,
  ValidatorManager,
  ValidatorSetMethod,
  Vote,
  refused,
  serveHooks
} from "../src/index.ts"
import { join, keyOf, makeNode, run } from "./Bench.ts"

const hash = new Uint8Array(32).fill(1)
const block: Block = { hash, height: 4, bytes: new Uint8Array([1, 2, 3]) }
const status: NetworkStatus = { peers: 1, height: 4, uptimeSeconds: 9, syncing: false, agent: "test" }
const ignore = () => Effect.void

/** Alice joined with Bob, who serves these hooks. */
const served = <R>(hooks: Context.Context<R>) =>
  Effect.gen(function* () {
    const alice = yield* makeNode(keyOf(1))
    const bob = yield* makeNode()
    yield* serveHooks(bob.overlay).pipe(Effect.provideContext(hooks))
    const [toBob, toAlice] = yield* join(alice.messenger, bob.messenger)
    return { alice: alice.overlay, toBob, toAlice }
  })

const refusedBy = (alice: OverlayShape, peer: string) =>
  Effect.all([
    Effect.flip(alice.request(peer, BlockMethod, { height: 1 })),
    Effect.flip(alice.request(peer, TransactionMethod, { id: hash })),
    Effect.flip(alice.request(peer, ValidatorSetMethod, { height: 1 })),
    Effect.flip(alice.request(peer, StatusMethod, {}))
  ])

describe("a node of the overlay", () => {
  it("answers pings and refuses the rest where nothing is plugged in", () =>
    run(
      Effect.gen(function* () {
        const { alice, toBob } = yield* served(Context.empty())
        expect(yield* alice.request(toBob, PingMethod, { nonce: 5 })).toEqual({ nonce: 5 })
        for (const error of yield* refusedBy(alice, toBob)) {
          expect(error).toMatchObject({ reason: { _tag: "Refused", code: "refused" } })
        }
      })
    ))

  it("answers by what is plugged in, by types and names of the field", () =>
    run(
      Effect.gen(function* () {
        const hooks = Context.empty().pipe(
          Context.add(ChainStore, {
            block: (request) =>
              "height" in request && request.height === 4
                ? Effect.succeed(block)
                : Effect.fail(refused("no such block")),
            transaction: ({ id }) => Effect.succeed({ id, bytes: new Uint8Array(9) }),
            onBlock: ignore,
            onTransaction: ignore
          }),
          Context.add(ValidatorManager, {
            validators: (height) => Effect.succeed({ height, validators: [] }),
            onValidatorSet: ignore
          }),
          Context.add(Monitor, { onFact: ignore, onNatInfo: ignore, status: () => Effect.succeed(status) })
        )
        const { alice, toBob } = yield* served(hooks)
        expect(yield* alice.request(toBob, BlockMethod, { height: 4 })).toEqual(block)
        const missing = yield* Effect.flip(alice.request(toBob, BlockMethod, { hash }))
        expect(missing.message).toContain("no such block")
        expect((yield* alice.request(toBob, TransactionMethod, { id: hash })).bytes.length).toBe(9)
        expect((yield* alice.request(toBob, ValidatorSetMethod, { height: 7 })).height).toBe(7)
        expect(yield* alice.request(toBob, StatusMethod, {})).toEqual(status)
      })
    ))

  it("hands votes to the engine with the key of who sent them, and goes on after one that the engine dies of", () =>
    run(
      Effect.gen(function* () {
        const second = yield* Deferred.make<Received<Vote>>()
        const hooks = Context.empty().pipe(
          Context.add(ConsensusEngine, {
            onVote: (vote) =>
              vote.message.round === 0
                ? Effect.die("the first one")
                : Deferred.succeed(second, vote).pipe(Effect.asVoid),
            onProposal: ignore
          })
        )
        const { alice, toAlice, toBob } = yield* served(hooks)
        const vote = {
          height: 1,
          step: "prevote",
          block: hash,
          validator: hash,
          signature: new Uint8Array(64)
        } as const
        yield* alice.send(toBob, Vote, { ...vote, round: 0 })
        yield* alice.send(toBob, Vote, { ...vote, round: 1 })
        const received = yield* Deferred.await(second)
        expect(received.peer).toBe(toAlice)
        expect(received.signer).toEqual(keyOf(1).publicKey)
      })
    ))

  it("tells the monitor who comes and goes", () =>
    run(
      Effect.gen(function* () {
        const gone = yield* Deferred.make<string>()
        const hooks = Context.empty().pipe(
          Context.add(Monitor, {
            onFact: (fact) =>
              fact._tag === "PeerGone" ? Deferred.succeed(gone, fact.peer).pipe(Effect.asVoid) : Effect.void,
            onNatInfo: ignore,
            status: () => Effect.succeed(status)
          })
        )
        const { alice, toAlice, toBob } = yield* served(hooks)
        yield* alice.request(toBob, PingMethod, { nonce: 1 })
        alice.drop(toBob)
        expect(yield* Deferred.await(gone)).toBe(toAlice)
      })
    ))
})
