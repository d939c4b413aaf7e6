/** Streams to fetch on, opened before and gone with their peer. */
import { assert, describe, it } from "@effect/vitest"
import type { ByteStream, Libp2pNodeShape, StreamHandler } from "@satwire/transport-libp2p"
import { DialError } from "@satwire/transport"
import * as Effect from "effect/Effect"
import { Fetching, MAX_FETCH_STREAMS, REQUEST_COSTS, SERVED_BYTES_PER_SECOND, serve } from "../src/Fetching.ts"

/** A peer that never answers. */
const mute: ByteStream = {
  protocol: "fetch",
  peerId: "peer",
  address: "/memory/1",
  direction: "outbound",
  isLimited: false,
  read: Effect.never,
  bytes: undefined as never,
  write: () => Effect.void,
  endWriting: Effect.void,
  reset: Effect.void
}

/** A node that counts what is open. */
const counting = () => {
  const open = { now: 0, ever: 0 }
  const openStream = (peer: string) =>
    peer === "deaf"
      ? Effect.never
      : peer === "nowhere"
        ? Effect.fail(new DialError({ reason: "Refused", endpoint: { host: "h", port: 1 }, code: "ECONNREFUSED" }))
        : Effect.acquireRelease(
            Effect.sync(() => {
              open.now += 1
              open.ever += 1
              return mute
            }),
            () => Effect.sync(() => (open.now -= 1))
          )
  return { open, node: { openStream } }
}

const payload = { id: new Uint8Array(32), sizeBytes: 1_000_000, timeoutMs: 20, isDue: () => true }

describe("streams to fetch on", () => {
  it.live("are opened once, few for each peer, and closed when it is gone", () =>
    Effect.gen(function* () {
      const { node, open } = counting()
      const fetching = new Fetching(node, "fetch", yield* Effect.scope)
      yield* fetching.prepare("peer")
      yield* fetching.prepare("peer")
      assert.deepStrictEqual(open, { now: MAX_FETCH_STREAMS, ever: MAX_FETCH_STREAMS })
      yield* fetching.forget("peer")
      assert.strictEqual(open.now, 0)
    }).pipe(Effect.scoped)
  )

  it.live("are closed where nothing comes, also of a peer that goes meanwhile", () =>
    Effect.gen(function* () {
      const { node, open } = counting()
      const fetching = new Fetching(node, "fetch", yield* Effect.scope)
      yield* fetching.prepare("peer")
      const [why] = yield* Effect.all(
        [Effect.flip(fetching.fetch({ peer: "peer", ...payload })), fetching.forget("peer")],
        { concurrency: "unbounded" }
      )
      assert.strictEqual(why, "Late")
      assert.strictEqual(open.now, 0)
      assert.strictEqual(yield* Effect.flip(fetching.fetch({ peer: "nowhere", ...payload })), "Unreachable")
      assert.strictEqual(yield* Effect.flip(fetching.fetch({ peer: "deaf", ...payload })), "Unreachable")
    }).pipe(Effect.scoped)
  )
})

describe("a peer that has it not", () => {
  it.effect("is asked further on the same streams, and has forgotten it where it need not have it any more", () =>
    Effect.gen(function* () {
      const absent = { ...mute, read: Effect.succeed(new Uint8Array(4)) }
      let opened = 0
      const fetching = new Fetching(
        { openStream: () => Effect.sync(() => (opened++, absent)) },
        "fetch",
        yield* Effect.scope
      )
      const small = { ...payload, peer: "peer", sizeBytes: 100 }
      assert.strictEqual(yield* Effect.flip(fetching.fetch(small)), "Absent")
      assert.strictEqual(yield* Effect.flip(fetching.fetch({ ...small, isDue: () => false })), "Forgotten")
      assert.strictEqual(opened, 1)
    }).pipe(Effect.scoped)
  )
})

describe("requests", () => {
  it.effect("cost the peer something on whichever stream, though what they ask for is not there", () =>
    Effect.gen(function* () {
      const AT_ONCE = (4 * SERVED_BYTES_PER_SECOND) / REQUEST_COSTS
      let looked = 0
      let answer: StreamHandler<never> = () => Effect.void
      const node: Pick<Libp2pNodeShape, "handle"> = {
        handle: (_, handler) => Effect.sync(() => void (answer = handler as StreamHandler<never>))
      }
      const find = () => Effect.sync(() => void looked++)
      yield* serve({ node, protocol: "fetch", find, nowMs: () => 0 })
      const asking = { ...mute, read: Effect.succeed(new Uint8Array(40 * 1000)) }
      yield* Effect.forkScoped(answer(asking))
      yield* Effect.forkScoped(answer(asking))
      while (looked < AT_ONCE) yield* Effect.yieldNow
      for (let i = 0; i < 100; i++) yield* Effect.yieldNow
      assert.strictEqual(looked, AT_ONCE)
    }).pipe(Effect.scoped)
  )
})
