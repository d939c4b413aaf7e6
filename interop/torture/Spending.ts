/** Transactions: made here, handed to any of the nodes, and handed in again where one was lost. */
import { ANYONE_CAN_SPEND_P2WSH } from "@satwire/mining"
import { TransactionView } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import { idOf } from "./Following.ts"
import { anyOf } from "./Mining.ts"
import type { TortureFailed } from "./TortureFailed.ts"
import type { World } from "./World.ts"

const FEE_RATE = 20_000
/** More would take bcoin seconds to check. */
const MOST_WAITING = 400

/** Makes so many and sends each to somebody. */
export const spend = (world: World, count: number, outputs = 2): Effect.Effect<void, TortureFailed> =>
  Effect.gen(function* () {
    const { spender, tally, waiting } = world
    for (let i = 0; i < count && waiting.size < MOST_WAITING; i++) {
      const tx = spender.spend({ outputs, feeRateSatPerKvb: FEE_RATE, payTo: ANYONE_CAN_SPEND_P2WSH })
      if (tx === undefined) return
      const view = TransactionView.of(tx)
      waiting.set(idOf(view), view)
      const to = anyOf(world, world.all)
      // A parent may be on its way still; and the one that is killed answers nothing.
      const isTaken = yield* Effect.isSuccess(to.send(view))
      tally.add(isTaken ? `transactions to ${to.name}` : `transactions refused by ${to.name}`)
    }
  })

/** What bcoin does not have is handed to it again, as wallets do. What it does not take then is given up. */
export const sendAgain = (world: World): Effect.Effect<void, TortureFailed> =>
  Effect.gen(function* () {
    const { bcoin, spender, tally, waiting } = world
    const there = new Set(yield* bcoin.pool)
    for (const [id, tx] of waiting) {
      if (there.has(id)) continue
      const isTaken = yield* Effect.isSuccess(bcoin.send(tx))
      tally.add(isTaken ? "transactions sent again" : "transactions given up")
      if (isTaken) continue
      waiting.delete(id)
      spender.forget(tx.materialise())
    }
  })
