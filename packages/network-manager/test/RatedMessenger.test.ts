/** Rates over a messenger that says what it is told to. */
import type { Messenger, MessengerHandlers } from "@satwire/overlay"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { Rates, ratedMessenger } from "../src/RatedMessenger.ts"
import { Tally } from "../src/Tally.ts"

describe("the rate of a peer", () => {
  it("is of all that comes, what is passed over or dropped included", () => {
    let below: MessengerHandlers | undefined
    const messenger: Messenger = {
      canSign: false,
      peers: () => [],
      send: () => false,
      drained: () => Effect.void,
      drop: () => undefined,
      listen: (handlers) => Effect.sync(() => void (below = handlers))
    }
    const few = { perSecond: 1, burst: 3 }
    const rates = new Rates({ messages: few, bytes: { perSecond: 1000, burst: 1000 } }, () => 0)
    const [tally, told] = [new Tally(), [] as Array<string>]
    const rated = ratedMessenger(messenger, { rates, tally, onFlood: () => told.push("flood") })
    const handlers: MessengerHandlers = {
      onPeer: () => undefined,
      onGone: () => undefined,
      onLetter: () => told.push("letter"),
      onFault: (_, fault) => told.push(fault)
    }
    Effect.runSync(Effect.scoped(rated.listen(handlers)))
    for (let i = 0; i < 2; i++) below?.onFault("mallory", "other version", "")
    for (let i = 0; i < 2; i++) below?.onLetter("mallory", { type: "chat", body: new Uint8Array(1) })
    below?.onFault("mallory", "other version", "")
    below?.onLetter("friend", { type: "chat", body: new Uint8Array(1) })
    expect(told).toEqual(["other version", "other version", "letter", "flood", "flood", "letter"])
    expect(tally.limited).toBe(2)
  })
})
