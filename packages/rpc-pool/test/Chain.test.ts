import { assert, describe, it } from "@effect/vitest"
import { regtest, toHex } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import { rpcTown } from "./RpcTown.ts"

const GENESIS = toHex(regtest.genesisHash)

describe("the chain by RPC", () => {
  it.live("begins with the genesis block, by every name that Core has for it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const town = yield* rpcTown()
        assert.strictEqual(yield* town.call("getblockcount"), 0)
        assert.strictEqual(yield* town.text("getbestblockhash"), GENESIS)
        assert.strictEqual(yield* town.text("getblockhash", 0), GENESIS)
        const info = yield* town.object("getblockchaininfo")
        assert.deepInclude(info, { chain: "regtest", blocks: 0, headers: 0, bits: "207fffff", pruned: false })
        assert.strictEqual(info["chainwork"], "2".padStart(64, "0"))
        const header = yield* town.object("getblockheader", GENESIS)
        assert.deepInclude(header, {
          confirmations: 1,
          height: 0,
          time: 1_296_688_602,
          nonce: 2,
          versionHex: "00000001"
        })
        assert.isUndefined(header["previousblockhash"])
        assert.strictEqual((yield* town.text("getblockheader", GENESIS, false)).length, 160)
        assert.deepStrictEqual(yield* town.call("getchaintips"), [
          { height: 0, hash: GENESIS, branchlen: 0, status: "active" }
        ])
        const { deployments } = yield* town.object("getdeploymentinfo")
        assert.deepInclude(deployments, { segwit: { type: "buried", active: true, height: 0 } })
        const beyond = yield* town.error("getblockhash", 1)
        assert.deepStrictEqual(beyond, { code: -8, message: "Block height out of range" })
        const unknown = yield* town.error("getblockheader", "ff".repeat(32))
        assert.deepStrictEqual(unknown, { code: -5, message: "Block not found" })
      })
    )
  )
})
