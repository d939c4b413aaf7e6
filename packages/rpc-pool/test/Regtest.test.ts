import { assert, describe, it } from "@effect/vitest"
import { fromHex, toHex as bytesToHex } from "@satwire/bytes"
import { type Json, type JsonObject, writeJson } from "@satwire/json-rpc"
import { ANYONE_CAN_SPEND_P2SH, ANYONE_CAN_SPEND_P2WSH } from "@satwire/mining"
import { HEADER_SIZE, blockHashFromHex, encodeAddress, regtest, toHex } from "@satwire/primitives"
import { regtestChain } from "@satwire/testkit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { type RpcTown, rpcTown } from "./RpcTown.ts"

const GENESIS = toHex(regtest.genesisHash)
const PAYEE = encodeAddress(ANYONE_CAN_SPEND_P2WSH, regtest) as string
const MATURE = 101

/** A number that was written with decimals, as it was written. */
const text = (json: Json | undefined): string => (typeof json === "string" ? json : writeJson(json ?? null))
const at = (json: Json | undefined, ...path: ReadonlyArray<string | number>): Json | undefined =>
  path.reduce<Json | undefined>((value, key) => (value as Record<string | number, Json> | undefined)?.[key], json)

const mined = (town: RpcTown, count: number): Effect.Effect<ReadonlyArray<string>, unknown> =>
  Effect.map(town.call("generatetodescriptor", count, "raw(51)"), (hashes) => hashes as ReadonlyArray<string>)

const code = (town: RpcTown, method: string, ...params: ReadonlyArray<Json>) =>
  Effect.map(town.error(method, ...params), ({ code }) => code)

/** An unsigned transaction, which is all that it takes to spend `OP_TRUE`. */
const spend = (town: RpcTown, txid: string, coins: number): Effect.Effect<string, unknown> =>
  town.text("createrawtransaction", [{ txid, vout: 0 }], [{ [PAYEE]: coins }])

const coinbaseOf = (town: RpcTown, height: number): Effect.Effect<string, unknown> =>
  Effect.gen(function* () {
    const block = yield* town.object("getblock", yield* town.text("getblockhash", height))
    return at(block, "tx", 0) as string
  })

/** What the pool does not take, and with which codes. */
const refuses = (town: RpcTown): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    const refused: ReadonlyArray<readonly [number, string]> = [
      [-22, "00"],
      [-26, yield* spend(town, yield* coinbaseOf(town, MATURE), 1)],
      // It pays two coins to nobody.
      [-25, yield* spend(town, yield* coinbaseOf(town, 2), 48)]
    ]
    for (const [expected, bytes] of refused)
      assert.strictEqual(yield* code(town, "sendrawtransaction", bytes), expected)
  })

interface Pair {
  readonly txid: string
  readonly hex: string
  readonly childId: string
  readonly child: string
}

/** A block of two transactions, what is proven of it, and what the chain has then. */
const minesThem = (town: RpcTown, { child, childId, hex, txid }: Pair): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    const made = yield* town.object("generateblock", PAYEE, [txid, child])
    const hash = text(made["hash"])
    assert.deepStrictEqual(yield* town.call("getrawmempool"), [])
    const inBlock = yield* town.object("getrawtransaction", txid, 1, hash)
    assert.deepInclude(inBlock, { in_active_chain: true, confirmations: 1, blockhash: hash })
    assert.isNull(yield* town.call("gettxout", txid, 0))
    assert.deepInclude(yield* town.object("gettxout", childId, 0), { bestblock: hash, confirmations: 1 })
    assert.isNull(yield* town.call("gettxout", childId, 7))
    assert.strictEqual((yield* town.object("getrawtransaction", txid, 1))["blockhash"], hash)
    const proof = yield* town.text("gettxoutproof", [childId], hash)
    assert.strictEqual(yield* town.text("gettxoutproof", [childId]), proof)
    assert.strictEqual(yield* code(town, "gettxoutproof", ["22".repeat(32)]), -5)
    assert.deepStrictEqual(yield* town.call("verifytxoutproof", proof), [childId])
    assert.strictEqual(yield* code(town, "gettxoutproof", ["22".repeat(32)], hash), -5)
    // Spent by a block.
    assert.include([-25, -27], yield* code(town, "sendrawtransaction", hex))
    const scan = yield* town.object("scantxoutset", "start", [`addr(${PAYEE})`])
    assert.deepInclude(scan, { success: true, height: MATURE + 2 })
    assert.deepStrictEqual(
      (scan["unspents"] as ReadonlyArray<JsonObject>).map((found) => [found["txid"], text(found["amount"])]),
      [
        [yield* coinbaseOf(town, MATURE + 2), "50.00000000"],
        [childId, "49.99980000"]
      ]
    )
    assert.strictEqual(text(scan["total_amount"]), "99.99980000")
    // One output of each block's coinbase, less what was spent, and that of the child.
    assert.strictEqual(scan["txouts"], MATURE + 2)
    assert.deepStrictEqual(
      [yield* town.call("scantxoutset", "status"), yield* town.call("scantxoutset", "abort")],
      [null, false]
    )
  })

describe("a node driven by RPC on regtest", () => {
  it.live("mines to an address, and shows its blocks in every form that Core has", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const town = yield* rpcTown()
        const hashes = (yield* town.call("generatetoaddress", 3, PAYEE)) as ReadonlyArray<string>
        assert.lengthOf(hashes, 3)
        assert.strictEqual(yield* town.text("getbestblockhash"), hashes[2])
        const [hash = ""] = hashes
        const block = yield* town.object("getblock", hash)
        assert.deepInclude(block, { height: 1, confirmations: 3, nTx: 1, previousblockhash: GENESIS })
        assert.strictEqual(block["nextblockhash"], hashes[1])
        assert.strictEqual(text(block["difficulty"]), "4.656542373906925e-10")
        const full = yield* town.object("getblock", hash, 2)
        assert.strictEqual(at(full, "tx", 0, "txid"), at(block, "tx", 0))
        assert.strictEqual(text(at(full, "tx", 0, "vout", 0, "value")), "50.00000000")
        assert.deepInclude(at(full, "tx", 0, "vout", 0, "scriptPubKey"), {
          address: PAYEE,
          type: "witness_v0_scripthash"
        })
        assert.match(text(at(full, "tx", 0, "vout", 1, "scriptPubKey", "asm")), /^OP_RETURN aa21a9ed/)
        assert.strictEqual((yield* town.text("getblock", hash, 0)).length, 2 * (block["size"] as number))
        assert.strictEqual(yield* code(town, "getblock", hash, 3), -1)
        const genesis = yield* town.object("getblock", GENESIS)
        assert.deepStrictEqual(genesis["tx"], ["4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"])
        const stats = yield* town.object("getblockstats", 1)
        assert.deepInclude(stats, { txs: 1, ins: 0, outs: 2, subsidy: 5_000_000_000, total_size: 0 })
        assert.strictEqual(yield* code(town, "getblockstats", 1, ["avgfee"]), -1)
        assert.strictEqual(yield* code(town, "getblockstats", 1, ["nothing"]), -8)
        const window = yield* town.object("getchaintxstats", 1)
        assert.deepInclude(window, { window_final_block_height: 3, window_block_count: 1 })
        assert.deepInclude(yield* town.object("getmininginfo"), { blocks: 3, chain: "regtest", pooledtx: 0 })
        assert.isTrue(yield* town.call("verifychain", 3, 0))
        yield* town.call("getnetworkhashps")
        yield* town.call("getdifficulty")
        yield* town.call("getdeploymentinfo", hash)
        assert.strictEqual(yield* code(town, "generatetoaddress", 1, "nobody"), -5)
        assert.strictEqual(yield* code(town, "pruneblockchain", 1), -1)
      })
    )
  )

  it.live("waits for blocks, takes one for invalid with all that follow, and takes that back", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const town = yield* rpcTown()
        const [first = "", second = ""] = yield* mined(town, 2)
        const waiting = yield* Effect.forkChild(town.object("waitforblockheight", 3), { startImmediately: true })
        const news = yield* Effect.forkChild(town.object("waitfornewblock"), { startImmediately: true })
        const [third = ""] = yield* mined(town, 1)
        assert.deepStrictEqual(
          yield* Fiber.join(waiting),
          Object.assign(Object.create(null), { hash: third, height: 3 })
        )
        assert.strictEqual((yield* Fiber.join(news))["hash"], third)
        assert.strictEqual((yield* town.object("waitforblock", third))["height"], 3)
        assert.strictEqual((yield* town.object("waitforblock", GENESIS, 1))["height"], 3)
        assert.strictEqual(yield* town.call("invalidateblock", second), null)
        assert.strictEqual(yield* town.text("getbestblockhash"), first)
        const tips = (yield* town.call("getchaintips")) as ReadonlyArray<JsonObject>
        assert.deepStrictEqual(
          tips.map(({ branchlen, status }) => [branchlen, status]),
          [
            [2, "invalid"],
            [0, "active"]
          ]
        )
        const [other = ""] = yield* mined(town, 1)
        assert.notStrictEqual(other, second)
        yield* town.call("reconsiderblock", second)
        assert.strictEqual(yield* town.text("getbestblockhash"), third)
        const after = (yield* town.call("getchaintips")) as ReadonlyArray<JsonObject>
        assert.deepStrictEqual(
          after.map(({ hash, status }) => [hash, status]),
          [
            [third, "active"],
            [other, "valid-fork"]
          ]
        )
        const header = yield* town.object("getblockheader", other)
        assert.deepInclude(header, { confirmations: -1, height: 2 })
        assert.strictEqual(yield* code(town, "invalidateblock", "00".repeat(32)), -5)
      })
    )
  )

  it.live("takes a block for invalid, and that back, where more headers go elsewhere whose blocks nobody has", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const town = yield* rpcTown()
        const [first = "", second = "", third = ""] = yield* mined(town, 3)
        const { time } = yield* town.object("getblockheader", first)
        const elsewhere = regtestChain(4, { parent: blockHashFromHex(first), time: Number(text(time)) + 1 })
        for (let at = 0; at < elsewhere.length; at += HEADER_SIZE) {
          yield* town.call("submitheader", bytesToHex(elsewhere.subarray(at, at + HEADER_SIZE)))
        }
        assert.strictEqual((yield* town.object("getblockchaininfo"))["headers"], 5)
        yield* town.call("invalidateblock", second)
        assert.strictEqual(yield* town.text("getbestblockhash"), first)
        yield* town.call("reconsiderblock", second)
        assert.strictEqual(yield* town.text("getbestblockhash"), third)
      })
    )
  )

  it.live("takes transactions into its pool, says why it does not, and has them in its blocks", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const town = yield* rpcTown()
        yield* mined(town, MATURE + 1)
        const coinbase = yield* coinbaseOf(town, 1)
        const hex = yield* spend(town, coinbase, 49.9999)
        const [test] = (yield* town.call("testmempoolaccept", [hex])) as ReadonlyArray<JsonObject>
        assert.deepInclude(test, { allowed: true })
        assert.strictEqual(text(at(test, "fees", "base")), "0.00010000")
        assert.lengthOf((yield* town.call("getrawmempool")) as ReadonlyArray<Json>, 0)
        const txid = yield* town.text("sendrawtransaction", hex)
        assert.strictEqual(txid, test?.["txid"])
        // It is there already, which is no error.
        assert.strictEqual(yield* town.text("sendrawtransaction", hex), txid)
        const child = yield* spend(town, txid, 49.9998)
        const childId = yield* town.text("sendrawtransaction", child)
        assert.deepStrictEqual(yield* town.call("getrawmempool"), [txid, childId])
        const entry = yield* town.object("getmempoolentry", childId)
        assert.deepInclude(entry, { ancestorcount: 2, descendantcount: 1, height: MATURE + 1, unbroadcast: true })
        assert.deepStrictEqual([entry["depends"], entry["spentby"]], [[txid], []])
        assert.strictEqual(text(at(entry, "fees", "ancestor")), "0.00020000")
        assert.isTrue(entry["bip125-replaceable"])
        assert.deepStrictEqual(yield* town.call("getmempooldescendants", txid), [childId])
        assert.hasAllKeys(yield* town.object("getmempoolancestors", childId, true), [txid])
        assert.hasAllKeys(yield* town.object("getrawmempool", true), [txid, childId])
        assert.strictEqual((yield* town.object("getrawmempool", false, true))["mempool_sequence"], 3)
        const info = yield* town.object("getmempoolinfo")
        assert.deepInclude(info, { loaded: true, size: 2, unbroadcastcount: 2 })
        assert.deepStrictEqual([text(info["total_fee"]), text(info["minrelaytxfee"])], ["0.00020000", "0.00000100"])
        const spenders = yield* town.call("gettxspendingprevout", [{ txid, vout: 0 }])
        assert.strictEqual(at(spenders, 0, "spendingtxid"), childId)
        assert.strictEqual((yield* town.object("getrawtransaction", txid, 1))["hex"], hex)

        yield* refuses(town)
        assert.strictEqual(yield* code(town, "getmempoolentry", coinbase), -5)
        assert.strictEqual(yield* code(town, "getrawtransaction", "22".repeat(32)), -5)
        assert.isFalse(Object.hasOwn(yield* town.object("getrawtransaction", coinbase, 1), "in_active_chain"))
        assert.strictEqual((yield* town.object("getrawtransaction", coinbase, 1))["confirmations"], MATURE + 1)
        // The pool spends the coinbase, and makes another output.
        assert.isNull(yield* town.call("gettxout", coinbase, 0))
        assert.deepInclude(yield* town.object("gettxout", coinbase, 0, false), {
          coinbase: true,
          confirmations: MATURE + 1
        })
        assert.deepInclude(yield* town.object("gettxout", childId, 0), { coinbase: false, confirmations: 0 })
        assert.isNull(yield* town.call("gettxout", childId, 0, false))
        assert.deepStrictEqual(yield* town.call("getorphantxs"), [])
        yield* minesThem(town, { txid, hex, childId, child })
      })
    )
  )

  it.live("takes blocks and headers that were made elsewhere, and names what is wrong with them as BIP-0022 does", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const [one, two] = [yield* rpcTown(), yield* rpcTown()]
        const template = yield* one.object("getblocktemplate", { rules: ["segwit"] })
        assert.deepInclude(template, { height: 1, previousblockhash: GENESIS, coinbasevalue: 5_000_000_000 })
        assert.match(text(template["default_witness_commitment"]), /^6a24aa21a9ed/)
        assert.strictEqual(yield* code(one, "getblocktemplate", {}), -8)
        const made = yield* one.object("generateblock", "raw(51)", [], false)
        const [hash, hex] = [text(made["hash"]), text(made["hex"])]
        assert.strictEqual(yield* one.call("getblockcount"), 0)
        assert.strictEqual(yield* two.call("submitheader", hex.slice(0, 160)), null)
        assert.deepStrictEqual(
          ((yield* two.call("getchaintips")) as ReadonlyArray<JsonObject>).map(({ status }) => status),
          ["headers-only", "active"]
        )
        const changed = fromHex(hex) as Uint8Array
        changed[changed.length - 1] = (changed.at(-1) as number) ^ 1
        assert.strictEqual(yield* two.call("submitblock", bytesToHex(changed)), "bad-txnmrklroot")
        assert.strictEqual(yield* two.call("submitblock", hex), null)
        assert.strictEqual(yield* two.call("submitblock", hex), "duplicate")
        assert.strictEqual(yield* two.text("getbestblockhash"), hash)
        yield* one.call("submitblock", hex)
        yield* mined(one, 1)
        const second = yield* one.text("getblock", yield* one.text("getbestblockhash"), 0)
        yield* mined(one, 1)
        const third = yield* one.text("getblock", yield* one.text("getbestblockhash"), 0)
        assert.strictEqual(yield* two.call("submitblock", third), "prev-blk-not-found")
        assert.strictEqual(yield* code(two, "submitheader", third.slice(0, 160)), -25)
        const easy = fromHex(second) as Uint8Array
        // Another nonce: one of two meets the target, and so as many are tried as it takes.
        let answer: Json = null
        for (let nonce = 1; nonce < 256 && answer !== "high-hash"; nonce++) {
          new DataView(easy.buffer).setUint32(76, nonce, true)
          answer = yield* two.call("submitblock", bytesToHex(easy))
        }
        assert.strictEqual(answer, "high-hash")
        assert.strictEqual(yield* code(two, "submitblock", "00"), -22)
        yield* two.call("invalidateblock", hash)
        assert.strictEqual(yield* two.call("submitblock", hex), "duplicate-invalid")
      })
    )
  )

  it.live("shows scripts, addresses and descriptors, and that it has no pool where it has none", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const town = yield* rpcTown()
        const valid = yield* town.object("validateaddress", PAYEE)
        assert.deepInclude(valid, { isvalid: true, isscript: true, iswitness: true, witness_version: 0 })
        assert.deepInclude(yield* town.object("validateaddress", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"), {
          isvalid: false
        })
        // The checksum of Core's own example.
        assert.strictEqual((yield* town.object("getdescriptorinfo", "raw(deadbeef)"))["checksum"], "89f8spxm")
        const { descriptor } = yield* town.object("getdescriptorinfo", `addr(${PAYEE})`)
        assert.deepStrictEqual(yield* town.call("deriveaddresses", descriptor ?? null), [PAYEE])
        assert.strictEqual(yield* code(town, "deriveaddresses", "raw(51)"), -5)
        assert.strictEqual(yield* code(town, "getdescriptorinfo", "raw(51)#aaaaaaaa"), -5)
        const script = yield* town.object("decodescript", "51")
        assert.deepInclude(script, {
          asm: "1",
          type: "nonstandard",
          p2sh: encodeAddress(ANYONE_CAN_SPEND_P2SH, regtest)
        })
        assert.strictEqual(at(script, "segwit", "address"), PAYEE)
        assert.strictEqual(yield* code(town, "decodescript", "5"), -8)
        const data = yield* town.text("createrawtransaction", [{ txid: GENESIS, vout: 0 }], { data: "00010203" })
        const decoded = yield* town.object("decoderawtransaction", data)
        assert.strictEqual(at(decoded, "vout", 0, "scriptPubKey", "asm"), "OP_RETURN 50462976")
        assert.deepInclude(yield* town.object("estimatesmartfee", 6), {
          errors: ["Insufficient data or no feerate found"],
          blocks: 6
        })
        yield* town.call("getindexinfo")
        yield* town.call("getzmqnotifications")
        yield* town.call("getprioritisedtransactions")
        const poor = yield* rpcTown({ roles: { headers: { serve: true, announce: true }, mining: undefined } })
        assert.strictEqual(yield* code(poor, "getmempoolinfo"), -33)
      })
    )
  )
})
