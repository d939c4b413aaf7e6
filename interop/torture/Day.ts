/** What happens in a day: drawn from the seed, one thing after another, with visitors and offenders beside all of it. */
import { ANYONE_CAN_SPEND_P2WSH } from "@satwire/mining"
import type { Dialer } from "@satwire/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { agree } from "./Agreement.ts"
import { DEEPEST, anyOf, mine, reorganise } from "./Mining.ts"
import { offend } from "./Offenders.ts"
import { PRELUDE_BLOCKS, bcoinAddress } from "./Rules.ts"
import { sendAgain, spend } from "./Spending.ts"
import { strike } from "./Strikes.ts"
import type { TortureFailed } from "./TortureFailed.ts"
import { visit } from "./Visitors.ts"
import type { World } from "./World.ts"

/** Coinbases that are ours to spend: the first of all, so that no reorganisation ever takes one back. */
const OWN_COINBASES = 20
/** Into so many outputs each is split. */
const SPLIT = 40
/** A lull between two things, at most. */
const LULL_MS = 400

type Event = (world: World) => Effect.Effect<void, TortureFailed, Dialer | Scope.Scope>

/** Blocks by bcoin alone until the rules hold for both; the coins of the day. */
export const prelude = (world: World): Effect.Effect<void, TortureFailed> =>
  Effect.gen(function* () {
    const { bcoin } = world
    yield* bcoin.call("generatetoaddress", [OWN_COINBASES, bcoinAddress(ANYONE_CAN_SPEND_P2WSH)])
    yield* bcoin.mine(PRELUDE_BLOCKS - OWN_COINBASES, [])
    yield* agree(world, "the prelude")
    yield* spend(world, OWN_COINBASES, SPLIT)
    yield* settled(world)
    yield* agree(world, "the first transactions")
  })

/** Mines until nobody waits for a block, and everybody agrees. */
export const settled = (world: World): Effect.Effect<void, TortureFailed> =>
  Effect.gen(function* () {
    for (let tries = 0; world.waiting.size > 0 && tries < 10; tries++) {
      yield* sendAgain(world)
      yield* Effect.sleep(200)
      yield* world.bcoin.mine(1, [])
      yield* agree(world, "a block of all that waits")
    }
  })

/** Every depth before any comes again. */
const depths = (world: World): (() => number) => {
  let bag: Array<number> = []
  return () => {
    if (bag.length === 0) bag = Array.from({ length: DEEPEST }, (_, i) => i + 1)
    return bag.splice(world.random.below(bag.length), 1)[0] ?? 1
  }
}

/** Each as often as its weight says. */
const eventsOf = (world: World): ReadonlyArray<readonly [weight: number, what: string, Event]> => {
  const { random, tally } = world
  const nextDepth = depths(world)
  const beside = (one: Effect.Effect<void, never, Dialer>): Effect.Effect<void, never, Dialer | Scope.Scope> =>
    Effect.asVoid(Effect.forkScoped(one))
  return [
    [28, "blocks", () => mine(world, anyOf(world, world.all), 1 + random.below(3))],
    [26, "transactions", () => spend(world, 1 + random.below(12))],
    [16, "a reorganisation", () => reorganise(world, nextDepth())],
    [6, "kill -9", () => strike(world)],
    [22, "an offender", () => beside(offend(world))],
    [12, "a visitor", () => beside(visit(world))],
    [
      2,
      "a flood",
      () => {
        tally.add("floods of blocks")
        return mine(world, anyOf(world, world.all), 20 + random.below(40))
      }
    ]
  ]
}

/**
 * Lives until `until` says that it is over.
 *
 * @param until asked between two things
 */
export const live = (world: World, until: () => boolean): Effect.Effect<void, TortureFailed, Dialer | Scope.Scope> =>
  Effect.gen(function* () {
    const { random, tally } = world
    const events = eventsOf(world)
    const weights = events.reduce((sum, [weight]) => sum + weight, 0)
    while (!until()) {
      let drawn = random.below(weights)
      const found = events.find(([weight]) => (drawn -= weight) < 0)
      if (found === undefined) continue
      const [, what, event] = found
      tally.add("events")
      yield* event(world)
      if (what !== "an offender" && what !== "a visitor") yield* agree(world, what)
      if (what === "kill -9" || what === "a reorganisation") yield* sendAgain(world)
      yield* Effect.sleep(random.below(LULL_MS))
    }
  })
