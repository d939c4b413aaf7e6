import { portableSha256 as sha256 } from "@satwire/crypto"
import { type StateEntry, StateTree, encodeRange } from "@satwire/state-proofs"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { describe, expect, it } from "vitest"
import { MAX_CHUNK_ENTRIES, type OverlayShape, StateMethod, requestState, serveState } from "../src/index.ts"
import { join, makeNode, run, runTimed, text } from "./Bench.ts"

const ENTRIES: ReadonlyArray<StateEntry> = Array.from({ length: 600 }, (_, i) => ({
  key: text(`account ${String(i).padStart(4, "0")}`),
  value: text(`balance ${i * i}`)
}))
const treeOf = (entries: ReadonlyArray<StateEntry>): StateTree => Result.getOrThrow(StateTree.make(sha256, entries))
const tree = treeOf(ENTRIES)
const other = treeOf(ENTRIES.map(({ key }) => ({ key, value: text("1000000") })))
const chunkBytes = 4096

const serving = (overlay: OverlayShape, ...trees: ReadonlyArray<StateTree>) =>
  serveState(overlay, (root) => Effect.succeed(trees.find((each) => each.root.every((byte, i) => byte === root[i]))))

/** Alice, and others whom she is joined with, by the names that she knows them by. */
const withPeers = (...serves: ReadonlyArray<(overlay: OverlayShape) => ReturnType<OverlayShape["serve"]>>) =>
  Effect.gen(function* () {
    const alice = yield* makeNode()
    const peers: Array<string> = []
    for (const serve of serves) {
      const node = yield* makeNode()
      yield* serve(node.overlay)
      peers.push((yield* join(alice.messenger, node.messenger))[0])
    }
    return { alice, peers }
  })

const honest = (overlay: OverlayShape) => serving(overlay, tree)
/** Gives so many parts of the state, and then those of another one, or none. */
const liar = (parts: number, then: "lies" | "ends" | "waits") => (overlay: OverlayShape) =>
  overlay.serveParts(StateMethod, ({ start }) => {
    const chunks: Array<Uint8Array> = []
    let at = start
    for (let i = 0; i < parts; i++) {
      const range = tree.chunk(at, chunkBytes)
      chunks.push(encodeRange(range))
      at += range.leaves.length
    }
    const truth = Stream.fromIterable(chunks)
    if (then === "waits") return Stream.concat(truth, Stream.never)
    return then === "ends" ? truth : Stream.concat(truth, Stream.succeed(encodeRange(other.chunk(at, chunkBytes))))
  })

const whole = (parts: Iterable<ReadonlyArray<StateEntry>>) => [...parts].flat()

describe("state that is asked for", () => {
  it("comes whole, in parts that are each proven", () =>
    run(
      Effect.gen(function* () {
        const { alice, peers } = yield* withPeers(honest)
        const parts = yield* Stream.runCollect(requestState(alice.overlay, peers, tree.root, { chunkBytes }))
        expect(parts.length).toBeGreaterThan(5)
        expect(whole(parts)).toEqual(ENTRIES)
      })
    ))

  it("comes from the next peer where one lies, and the liar is told of", () =>
    run(
      Effect.gen(function* () {
        const { alice, peers } = yield* withPeers(liar(2, "lies"), honest)
        const parts = yield* Stream.runCollect(requestState(alice.overlay, peers, tree.root, { chunkBytes }))
        expect(whole(parts)).toEqual(ENTRIES)
        expect(yield* alice.faulted("lying state")).toMatchObject({ peer: peers[0] })
      })
    ))

  it("comes from the next peer where one ends early, has none, or goes", () =>
    run(
      Effect.gen(function* () {
        const gone = (overlay: OverlayShape) =>
          overlay.serveParts(StateMethod, () =>
            Stream.fromEffect(
              Effect.andThen(
                Effect.sync(() => overlay.peers().forEach(overlay.drop)),
                Effect.never
              )
            )
          )
        const { alice, peers } = yield* withPeers(liar(1, "ends"), (overlay) => serving(overlay, other), gone, honest)
        const parts = yield* Stream.runCollect(requestState(alice.overlay, peers, tree.root, { chunkBytes }))
        expect(whole(parts)).toEqual(ENTRIES)
      })
    ))

  it("comes from the next peer where one says no more", () =>
    runTimed(
      Effect.gen(function* () {
        const { alice, peers } = yield* withPeers(liar(1, "waits"), honest)
        const begun = yield* Deferred.make<void>()
        const fiber = yield* requestState(alice.overlay, peers, tree.root, { chunkBytes, timeoutMs: 5000 }).pipe(
          Stream.tap(() => Deferred.succeed(begun, undefined)),
          Stream.runCollect,
          Effect.forkScoped
        )
        yield* Deferred.await(begun)
        yield* TestClock.adjust("5001 millis")
        expect(whole(yield* Fiber.join(fiber))).toEqual(ENTRIES)
      })
    ))

  it("fails with what each peer did, and can be gone on with from there", () =>
    run(
      Effect.gen(function* () {
        const { alice, peers } = yield* withPeers(liar(2, "lies"), honest)
        const [bad, good] = peers as [string, string]
        const got: Array<StateEntry> = []
        const error = yield* requestState(alice.overlay, [bad], tree.root, { chunkBytes }).pipe(
          Stream.runForEach((entries) => Effect.sync(() => got.push(...entries))),
          Effect.flip
        )
        expect(error.failures).toMatchObject([{ peer: bad, reason: "lied" }])
        expect(error.next).toBe(got.length)
        expect(got.length).toBeGreaterThan(0)
        const rest = yield* Stream.runCollect(
          requestState(alice.overlay, [good], tree.root, { chunkBytes, from: error.next })
        )
        expect([...got, ...whole(rest)]).toEqual(ENTRIES)
      })
    ))

  it("is nothing where the root is that of nothing", () =>
    run(
      Effect.gen(function* () {
        const empty = treeOf([])
        const { alice, peers } = yield* withPeers((overlay) => serving(overlay, empty))
        expect(whole(yield* Stream.runCollect(requestState(alice.overlay, peers, empty.root)))).toEqual([])
      })
    ))

  it("comes in parts no larger than was asked for, or the peer lies", () =>
    run(
      Effect.gen(function* () {
        const many = treeOf(
          Array.from({ length: MAX_CHUNK_ENTRIES + 1 }, (_, i) => ({ key: text(`${i}`), value: text("") }))
        )
        const atOnce = (maxBytes: number, maxEntries: number) => (overlay: OverlayShape) =>
          overlay.serveParts(StateMethod, () => Stream.succeed(encodeRange(many.chunk(0, maxBytes, maxEntries))))
        const { alice, peers } = yield* withPeers(
          atOnce(4_000_000, MAX_CHUNK_ENTRIES + 1),
          atOnce(20_000, MAX_CHUNK_ENTRIES),
          (overlay) => serving(overlay, many)
        )
        const wanted = { chunkBytes: 10_000 }
        const error = yield* Effect.flip(
          Stream.runDrain(requestState(alice.overlay, peers.slice(0, 2), many.root, wanted))
        )
        expect(error.failures).toMatchObject([
          { reason: "lied", message: "4097 entries where a part has 4096 at most" },
          { reason: "lied", message: expect.stringContaining("where 10000 were asked for") }
        ])
        const parts = yield* Stream.runCollect(requestState(alice.overlay, peers.slice(2), many.root))
        expect(whole(parts).length).toBe(MAX_CHUNK_ENTRIES + 1)
      })
    ))

  it("behind its end is refused", () =>
    run(
      Effect.gen(function* () {
        const { alice, peers } = yield* withPeers(honest)
        const error = yield* Effect.flip(
          Stream.runDrain(requestState(alice.overlay, peers, tree.root, { from: tree.count + 1 }))
        )
        expect(error.failures).toMatchObject([{ reason: "request failed" }])
      })
    ))
})
