import { expect, layer } from "@effect/vitest"
import { toHex } from "@satwire/bytes"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { ANYONE_CAN_SPEND_P2SH, ANYONE_CAN_SPEND_P2WSH, Spender } from "@satwire/mining"
import { type Transaction, BlockView, TransactionView, txid, toHex as hashToHex } from "@satwire/primitives"
import { MinedChain } from "@satwire/testkit"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Bcoin } from "../Bcoin.ts"
import { FIRST_SEGWIT_HEIGHT, bcoinRegtest } from "../BcoinRegtest.ts"

/** From genesis on: bcoin looks into hashes of scripts by the time of a block (BIP-0016). */
const LATE = 10 * 365 * 24 * 3600

/** A chain that is mined here and that bcoin takes block by block, with its coinbases paid to anybody. */
class MinedForBcoin {
  readonly chain = new MinedChain(bcoinRegtest)
  readonly spender: Spender = new Spender({ sha256: portableSha256, random: ChaChaRandom.fromNumber(1) })

  mine(payTo: Uint8Array, transactions: ReadonlyArray<Transaction> = [], fees = 0n) {
    const { chain } = this
    const unix = chain.time(chain.best) + (chain.best === 0 ? LATE : 600)
    const block = BlockView.of(chain.mine({ scriptPubKey: payTo, transactions, fees, unix }))
    this.spender.connected(block, this.chain.best)
    return Effect.gen(function* () {
      const bcoin = yield* Bcoin
      return yield* bcoin.rpc("submitblock", [toHex(block.bytes)])
    })
  }

  reach(height: number, payTo: Uint8Array) {
    return Effect.gen({ self: this }, function* () {
      while (this.chain.best < height) expect(yield* this.mine(payTo)).toBeNull()
    })
  }

  /** Makes transactions, which bcoin must take one after another, and a block of them, which it must follow. */
  spend(count: number, outputs: number, payTo: Uint8Array) {
    return Effect.gen({ self: this }, function* () {
      const bcoin = yield* Bcoin
      const made = this.spender.spendMany(count, { outputs, payTo, feeRateSatPerKvb: 20_000 })
      expect(made.length).toBe(count)
      for (const tx of made) {
        const sent = yield* bcoin.rpc("sendrawtransaction", [toHex(TransactionView.of(tx).bytes)])
        expect(sent).toBe(hashToHex(txid(portableSha256, tx)))
      }
      // It answers before it has looked.
      const waiting = yield* Effect.repeat(bcoin.rpc("getrawmempool"), {
        until: (ids) => Array.isArray(ids) && ids.length === count,
        schedule: Schedule.upTo(Schedule.spaced("100 millis"), { times: 100 })
      })
      expect(waiting).toHaveLength(count)
      expect(yield* this.mine(payTo, made)).toBeNull()
      expect(yield* bcoin.rpc("getrawmempool")).toEqual([])
      expect(yield* bcoin.height).toBe(this.chain.best)
    })
  }
}

layer(Bcoin.layer, { excludeTestServices: true })("spends of our own coinbases", (it) => {
  it.effect("are taken by bcoin, and the blocks that hold them, without witnesses and with them", () =>
    Effect.gen(function* () {
      const mined = new MinedForBcoin()
      yield* mined.reach(102, ANYONE_CAN_SPEND_P2SH)
      yield* mined.spend(1, 50, ANYONE_CAN_SPEND_P2SH)
      // Some of them spend others that no block has yet.
      yield* mined.spend(80, 2, ANYONE_CAN_SPEND_P2SH)
      yield* mined.reach(FIRST_SEGWIT_HEIGHT, ANYONE_CAN_SPEND_P2WSH)
      yield* mined.spend(40, 2, ANYONE_CAN_SPEND_P2WSH)
      yield* mined.spend(40, 3, ANYONE_CAN_SPEND_P2WSH)
    })
  )
})
