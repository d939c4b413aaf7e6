/** What a day asks of every node, whoever made it. */
import { toHex } from "@satwire/bytes"
import type { Json, JsonArray } from "@satwire/json-rpc"
import type { BlockView, TransactionView } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { BcoinShape } from "../Bcoin.ts"
import { bcoinAddress } from "./Rules.ts"
import type { SatwireRun } from "./SatwireProcess.ts"
import { type TortureFailed, failed } from "./TortureFailed.ts"

export interface Member {
  readonly name: string
  readonly call: (method: string, params?: JsonArray) => Effect.Effect<unknown, TortureFailed>
  /** The last block of its chain, as explorers show it. */
  readonly tip: Effect.Effect<string, TortureFailed>
  /** Txids that wait, in order of their names. */
  readonly pool: Effect.Effect<ReadonlyArray<string>, TortureFailed>
  /** Mines so many blocks on its tip, the first with these transactions of its pool; bcoin takes what it likes. */
  readonly mine: (blocks: number, txids: ReadonlyArray<string>) => Effect.Effect<void, TortureFailed>
  readonly submit: (block: BlockView) => Effect.Effect<unknown, TortureFailed>
  readonly send: (tx: TransactionView) => Effect.Effect<unknown, TortureFailed>
  readonly invalidate: (hash: string) => Effect.Effect<unknown, TortureFailed>
  readonly reconsider: (hash: string) => Effect.Effect<unknown, TortureFailed>
}

/** Nobody's: the hash of a key that nobody has. */
const NOBODY: Uint8Array = Uint8Array.from([0, 20, ...Array.from({ length: 20 }, () => 1)])
const ADDRESS = bcoinAddress(NOBODY)

const decodeTexts = Schema.decodeUnknownEffect(Schema.Array(Schema.String))

/** What both answer in the same way. */
const commonOf = (name: string, call: Member["call"]) => ({
  name,
  call,
  tip: Effect.map(call("getbestblockhash"), String),
  pool: Effect.flatMap(call("getrawmempool"), (answer) =>
    Effect.map(
      Effect.mapError(decodeTexts(answer), (cause) => failed(`${name} has no list of transactions`, cause)),
      (ids) => [...ids].sort()
    )
  ),
  submit: (block: BlockView) => call("submitblock", [toHex(block.bytes)]),
  send: (tx: TransactionView) => call("sendrawtransaction", [toHex(tx.bytes)]),
  invalidate: (hash: string) => call("invalidateblock", [hash]),
  reconsider: (hash: string) => call("reconsiderblock", [hash])
})

export const bcoinMember = (bcoin: BcoinShape): Member => {
  const call: Member["call"] = (method, params = []) =>
    Effect.mapError(bcoin.rpc(method, params), (cause) => failed(cause.message, cause))
  return {
    ...commonOf("bcoin", call),
    mine: (blocks) => Effect.asVoid(call("generatetoaddress", [blocks, ADDRESS]))
  }
}

/** @param run the process of the moment: it may be another one at the next call */
export const satwireMember = (name: string, run: () => SatwireRun): Member => {
  const call = (method: string, params: JsonArray = []): Effect.Effect<Json, TortureFailed> =>
    Effect.suspend(() => run().rpc(method, params))
  const output = `raw(${toHex(NOBODY)})`
  return {
    ...commonOf(name, call),
    mine: (blocks, txids) =>
      Effect.forEach(
        Array.from({ length: blocks }, (_, i) => (i === 0 ? txids : [])),
        (taken) => call("generateblock", [output, taken]),
        { discard: true }
      )
  }
}
