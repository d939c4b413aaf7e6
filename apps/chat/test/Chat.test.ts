/** The chat over a network that is played, on a clock that a test turns. */
import { portableSha256 } from "@satwire/crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { describe, expect, it } from "vitest"
import { makeChat } from "../src/chat/Chat.ts"
import type { ChatNetwork } from "../src/network/ChatNetwork.ts"
import { person } from "./People.ts"

describe("somebody who comes again and again", () => {
  it("does not make others hear so much of a person that they pass over what he says", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const ann = person("Ann", 1)
        const carol = person("Carol", 4)
        const arrivals = yield* Queue.unbounded<string>()
        const taken: Array<string> = []
        const network: ChatNetwork = {
          publish: (record) =>
            Effect.map(Clock.currentTimeMillis, (now) => void taken.push(carol.rooms.take(record, now, false)._tag)),
          brought: Stream.never,
          askHistory: () => Effect.succeed([]),
          serveHistory: () => Effect.void,
          peers: Effect.succeed([]),
          arrivals: Stream.fromQueue(arrivals),
          fault: () => Effect.void
        }
        const chat = yield* makeChat({ network, key: ann.key, name: "Ann", sha256: portableSha256 })
        yield* chat.join("lobby")
        for (let i = 0; i < 60; i++) {
          Queue.offerUnsafe(arrivals, `key ${i}`)
          yield* TestClock.adjust(200)
        }
        yield* chat.say("lobby", "still heard")
        expect(taken.length).toBeGreaterThan(3)
        expect(new Set(taken)).toEqual(new Set(["Fresh"]))
        expect(carol.rooms.texts("lobby").map(({ text }) => text)).toEqual(["still heard"])
      }).pipe(Effect.scoped, Effect.provide(TestClock.layer()))
    ))
})
