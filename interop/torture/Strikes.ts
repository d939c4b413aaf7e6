/** `kill -9` of one of ours, at any moment of something else, and its start on what it left. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { DEEPEST, anyOf, mine, reorganise } from "./Mining.ts"
import { spend } from "./Spending.ts"
import type { TortureFailed } from "./TortureFailed.ts"
import type { World } from "./World.ts"

/** How long after the beginning of something it is killed, at most. */
const LATEST_MS = 800
/** How soon after it was started it is killed again, at most. */
const LATEST_AGAIN_MS = 400

/** What it is killed in the middle of. */
const MOMENTS: ReadonlyArray<readonly [string, (world: World) => Effect.Effect<void, TortureFailed>]> = [
  ["at rest", () => Effect.void],
  ["in a flood of its own blocks", (world) => mine(world, world.struck, 40 + world.random.below(40))],
  ["in a flood of bcoin's blocks", (world) => mine(world, world.bcoin, 40 + world.random.below(40))],
  ["in a reorganisation", (world) => reorganise(world, 1 + world.random.below(DEEPEST))],
  ["among transactions", (world) => spend(world, 40)]
]

export const strike = (world: World): Effect.Effect<void, TortureFailed> =>
  Effect.gen(function* () {
    const { doubted, kill, random, restart, struck, tally } = world
    const [moment, begin] = anyOf(world, MOMENTS)
    tally.add("kill -9")
    tally.add(`kill -9 ${moment}`)
    const waits = random.below(LATEST_MS)
    // What asks the one that is killed fails.
    const under = yield* Effect.forkChild(Effect.ignore(begin(world)))
    yield* Effect.sleep(waits)
    yield* kill
    yield* Fiber.await(under)
    yield* restart
    if (random.below(4) === 0) {
      tally.add("kill -9 right after its start")
      yield* Effect.sleep(random.below(LATEST_AGAIN_MS))
      yield* kill
      yield* restart
    }
    // It may have been killed while its user doubted a block.
    for (const hash of doubted) yield* Effect.ignore(struck.reconsider(hash))
    doubted.clear()
  })
