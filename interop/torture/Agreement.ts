/** Waiting until all nodes are on one chain. */
import * as Effect from "effect/Effect"
import { follow } from "./Following.ts"
import { type TortureFailed, failed } from "./TortureFailed.ts"
import type { World } from "./World.ts"

const LOOK_EVERY_MS = 50
/** When of two chains of the same work each has its followers, the next block decides. */
const DECIDE_AFTER = [60, 160, 320]
const MOST_LOOKS = 900

const tips = ({ all }: World) => Effect.forEach(all, ({ tip }) => tip, { concurrency: "unbounded" })

/** Waits until all have the same tip; where they stay at several, bcoin finds another block now and then. */
export const agree = (world: World, after: string): Effect.Effect<void, TortureFailed> =>
  Effect.gen(function* () {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const [first, ...others] = yield* tips(world)
      if (others.every((tip) => tip === first)) {
        yield* follow(world)
        world.tally.add("agreed")
        return
      }
      if (DECIDE_AFTER.includes(looks)) {
        world.tally.add("decided by one more block")
        yield* world.link
        yield* world.bcoin.mine(1, [])
      }
      yield* Effect.sleep(LOOK_EVERY_MS)
    }
    return yield* disagreement(world, after)
  })

const disagreement = (world: World, after: string): Effect.Effect<never, TortureFailed> =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    for (const { call, name } of world.all) {
      const [tip, chainTips, peers] = [
        yield* call("getbestblockhash"),
        yield* call("getchaintips"),
        yield* call("getconnectioncount")
      ]
      lines.push(`${name}: ${String(tip)}, ${String(peers)} peers, tips ${JSON.stringify(chainTips).slice(0, 1500)}`)
      lines.push(...world.logs.tail(name).map((line) => `  … ${line}`))
    }
    const banned = JSON.stringify(yield* world.bcoin.call("listbanned"))
    return yield* failed([`no agreement after ${after}; bcoin banned ${banned}`, ...lines].join("\n"))
  })
