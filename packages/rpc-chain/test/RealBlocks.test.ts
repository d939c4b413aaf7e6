import { assert, describe, it } from "@effect/vitest"
import { fromHex } from "@satwire/bytes"
import { platformSha256 } from "@satwire/crypto/node"
import {
  type Json,
  type JsonArray,
  type JsonObject,
  dispatcher,
  methodTable,
  parseJson,
  result,
  writeJson
} from "@satwire/json-rpc"
import { DEFAULT_MAX_INBOUND, type NodeOptions, makeNode } from "@satwire/node"
import { BlockView, type ChainParams, HEADER_SIZE, mainnet, regtest } from "@satwire/primitives"
import {
  NodeContext,
  type NodeContextShape,
  chainMethods,
  descriptorChecksum,
  noScan,
  scriptJson
} from "@satwire/rpc-chain"
import { HeaderStore } from "@satwire/store"
import { type HeaderSegment, type RealData, blockFile, describeWithData } from "@satwire/testkit"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"

const table = methodTable(chainMethods)
const answer = dispatcher(table)

/** A node of these blocks alone, whose answers are held against their documentation. */
const nodeOf = (
  params: ChainParams,
  blocks: Iterable<Uint8Array>,
  base?: NodeOptions["base"]
): Effect.Effect<(method: string, ...params: JsonArray) => Effect.Effect<Json>, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const edges = yield* Layer.build(Layer.fresh(Layer.merge(layerTcp, HeaderStore.layerMemory)))
    const options: NodeOptions = {
      params: { ...params, minimumChainWork: 0n },
      roles: { headers: { serve: true, announce: false }, mining: undefined },
      blocks: { serve: false },
      base,
      userAgent: "/satwire-test:0.0.0/",
      services: 0n,
      connect: [],
      listen: undefined,
      maxInbound: DEFAULT_MAX_INBOUND,
      dialTimeoutMs: 5000
    }
    const node = yield* Effect.provide(makeNode(options), edges)
    for (const bytes of blocks) {
      const { value } = Result.getOrThrow(BlockView.decode(bytes.slice()))
      assert.isUndefined(yield* node.submitBlockAndWait(value))
    }
    const context: NodeContextShape = {
      node,
      params,
      sha256: platformSha256,
      warnings: Effect.succeed(["so it is"]),
      scan: noScan()
    }
    return (method, ...params) =>
      Effect.gen(function* () {
        const body = new TextEncoder().encode(writeJson({ jsonrpc: "2.0", id: 1, method, params }))
        const reply = yield* Effect.provideService(answer(body), NodeContext, context)
        const json = Result.getOrThrow(parseJson(reply.body)) as JsonObject
        const given = json["result"] ?? null
        assert.isUndefined(json["error"])
        assert.deepStrictEqual(result.differencesFromAll(table.methods.get(method)?.results ?? [], given), [])
        return given
      })
  })

const at = (json: Json | undefined, ...path: ReadonlyArray<string | number>): Json | undefined =>
  path.reduce<Json | undefined>((value, key) => (value as Record<string | number, Json> | undefined)?.[key], json)
const text = (json: Json | undefined): string => (typeof json === "string" ? json : writeJson(json ?? null))

describe("scripts as Core writes them", () => {
  it("in words, by type, and with descriptors whose checksums are Core's", () => {
    assert.strictEqual(descriptorChecksum("raw(deadbeef)"), "89f8spxm")
    assert.isUndefined(descriptorChecksum("raw(é)"))
    const shown = (hex: string) => scriptJson(fromHex(hex) as Uint8Array, regtest)
    assert.deepInclude(shown("0302ff82"), { asm: "-196354", type: "nonstandard" })
    assert.deepInclude(shown("4c"), { asm: "[error]", type: "nonstandard" })
    assert.deepInclude(shown("4fac63ba50ff"), {
      asm: "-1 OP_CHECKSIG OP_IF OP_CHECKSIGADD OP_RESERVED OP_INVALIDOPCODE"
    })
    assert.deepInclude(shown("51024e73"), { type: "anchor", asm: "1 29518" })
    const key = `02${"11".repeat(32)}`
    assert.match(text(shown(`21${key}ac`)["desc"]), new RegExp(`^pk\\(${key}\\)#`))
    assert.match(text(shown(`5121${key}21${key}52ae`)["desc"]), new RegExp(`^multi\\(1,${key},${key}\\)#`))
  })
})

const firstPayment = (data: RealData): Effect.Effect<void, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const [, ...blocks] = blockFile(data.bytes("blocks/mainnet/blocks_000000-000599.blk"), mainnet.magic)
    const call = yield* nodeOf(mainnet, blocks.slice(0, 171))
    const hash = "00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee"
    assert.strictEqual(yield* call("getblockhash", 170), hash)
    const block = yield* call("getblock", hash, 2)
    assert.deepInclude(block, {
      height: 170,
      confirmations: 2,
      nTx: 2,
      time: 1_231_731_025,
      size: 490,
      strippedsize: 490,
      weight: 1960,
      bits: "1d00ffff",
      merkleroot: "7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff",
      chainwork: "000000000000000000000000000000000000000000000000000000ab00ab00ab"
    })
    assert.strictEqual(text(at(block, "difficulty")), "1")
    const tx = at(block, "tx", 1)
    assert.deepInclude(tx, {
      txid: "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16",
      vsize: 275,
      locktime: 0
    })
    assert.deepStrictEqual(
      [0, 1].map((n) => text(at(tx, "vout", n, "value"))),
      ["10.00000000", "40.00000000"]
    )
    assert.match(text(at(tx, "vin", 0, "scriptSig", "asm")), /^3044.*\[ALL\]$/)
    assert.strictEqual(at(tx, "vout", 0, "scriptPubKey", "type"), "pubkey")
    const info = yield* call("getblockchaininfo")
    assert.deepInclude(info, { chain: "main", blocks: 171, initialblockdownload: true })
    assert.deepStrictEqual(at(info, "warnings"), ["so it is"])
    const scan = yield* call("scantxoutset", "start", [`raw(${text(at(tx, "vout", 0, "scriptPubKey", "hex"))})`])
    assert.strictEqual(text(at(scan, "total_amount")), "10.00000000")
    // 171 coinbases, one of which was spent into two outputs.
    assert.strictEqual(at(scan, "txouts"), 172)
  })

const oneOf2024 = (data: RealData): Effect.Effect<void, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const run = "blocks/mainnet/run_831328-831333"
    const [name = ""] = data.list(run)
    const bytes = data.bytes(`${run}/${name}`)
    const header = bytes.slice(0, HEADER_SIZE)
    const segment = { firstHeight: 831_328, lastHeight: 831_328, read: () => header } as HeaderSegment
    const call = yield* nodeOf(mainnet, [bytes], data.headerBase(segment))
    const hash = text(yield* call("getbestblockhash"))
    let turns = 0
    const others = yield* Effect.forkChild(
      Effect.forever(
        Effect.andThen(
          Effect.sync(() => turns++),
          Effect.yieldNow
        )
      ),
      { startImmediately: true }
    )
    const block = yield* call("getblock", hash, 2)
    yield* Fiber.interrupt(others)
    assert.isAbove(turns, 10)
    assert.deepInclude(block, { height: 831_328, nTx: 1979, size: 1_970_169 })
    const types = (at(block, "tx") as JsonArray).flatMap((tx) =>
      (at(tx, "vout") as JsonArray).map((output) => text(at(output, "scriptPubKey", "type")))
    )
    assert.strictEqual(types.filter((type) => type === "witness_v1_taproot").length, 3831)
    const txid = text(at(block, "tx", 7, "txid"))
    const proof = yield* call("gettxoutproof", [txid], hash)
    assert.deepStrictEqual(yield* call("verifytxoutproof", proof), [txid])
    const stats = yield* call("getblockstats", 831_328, ["swtxs", "txs", "subsidy"])
    assert.deepInclude(stats, { swtxs: 1831, txs: 1979, subsidy: 625_000_000 })
  })

describeWithData(describe, "real blocks by RPC", (data) => {
  it.live("the first payment there was is shown to the last digit", () =>
    Effect.scoped(Effect.suspend(() => firstPayment(data)))
  )
  it.live("one of 2024 lets others have their turn while it is shown, and proves what it holds", () =>
    Effect.scoped(Effect.suspend(() => oneOf2024(data)))
  )
})
