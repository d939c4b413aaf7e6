import { assert, describe, it } from "@effect/vitest"
import { PeerId } from "@satwire/machine"
import { decodePayload } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { Messages, WATCHED_MESSAGES_WAITING } from "../src/Messages.ts"
import { startNode } from "./TestNode.ts"

describe("who looks on at a node's messages", () => {
  it.live("sees each that comes and goes, whole, with its time and its peer", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const miner = yield* startNode()
        const seen = yield* miner.service.messages.pipe(
          Stream.filter((item) => item._tag === "Message"),
          Stream.takeUntil(({ command, side }) => command === "getheaders" && side === "received"),
          Stream.runCollect,
          Effect.forkScoped({ startImmediately: true })
        )
        const before = Date.now()
        yield* startNode({ connect: [miner.endpoint], v2transport: false })
        const items = yield* Fiber.join(seen)
        const said = items.map(({ command, side }) => `${side} ${command}`)
        assert.deepStrictEqual(said.slice(0, 2), ["received version", "sent version"])
        assert.include(said, "received verack")
        for (const { command, payload, sizeBytes, unixMs } of items) {
          assert.isAtLeast(unixMs, before)
          assert.strictEqual(sizeBytes, (payload?.length ?? 0) + 24)
          const decoded = decodePayload(command as "version", payload ?? new Uint8Array(0))
          assert.isTrue(Result.isSuccess(decoded) && decoded.success.value._tag === command)
        }
        assert.strictEqual(new Set(items.map(({ peer }) => peer)).size, 1)
      })
    )
  )

  it.effect("loses what comes while it is behind, is told how much, and costs nothing once it is gone", () =>
    Effect.gen(function* () {
      const messages = new Messages(
        (action) => action(),
        () => 5
      )
      const ping = { side: "received", label: "ping", message: { _tag: "ping", nonce: 7n }, sizeBytes: 32 } as const
      const say = (count: number): void => {
        for (let i = 0; i < count; i++) if (messages.isOn) messages.seen(PeerId(1), "[::1]:8333", ping)
      }
      say(3)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const pull = yield* Stream.toPull(messages.stream)
          const first = yield* Effect.forkScoped(pull, { startImmediately: true })
          say(1)
          assert.strictEqual((yield* Fiber.join(first)).length, 1)
          say(WATCHED_MESSAGES_WAITING + 10)
          let taken = 0
          while (taken < WATCHED_MESSAGES_WAITING) {
            const items = yield* pull
            taken += items.length
            assert.isTrue(items.every(({ _tag }) => _tag === "Message"))
          }
          assert.strictEqual(taken, WATCHED_MESSAGES_WAITING)
          say(1)
          assert.deepStrictEqual(
            (yield* pull).map((item) => (item._tag === "Lost" ? item.count : item.command)),
            [10, "ping"]
          )
        })
      )
      assert.isFalse(messages.isOn)
    })
  )
})
