/** What there is of the chain: its end, its headers, its forks, the rules that hold. */
import {
  type Category,
  type JsonObject,
  type Method,
  defaulted,
  kind,
  method,
  optional,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import { type ChainParams, type Deployment, toHex } from "@satwire/primitives"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type NodeContext, type NodeContextShape, orDatabaseError, withNode } from "../NodeContext.ts"
import { blockOrNone, headerAtHeight, headerOfHash } from "./Blocks.ts"
import { HEADER_DOC, WORK_DOC, chainName, chainWorkHex, difficulty, headerJson, real, workJson } from "./HeaderJson.ts"
import { hexOf } from "../Hex.ts"

const category: Category = "blockchain"
const MS_PER_SECOND = 1000

export const unixSeconds: Effect.Effect<number> = Effect.map(Clock.currentTimeMillis, (ms) =>
  Math.floor(ms / MS_PER_SECOND)
)

/** How much of the chain is here, by the time that it took to make: all of it where two blocks at most are missing. */
const progress = (params: ChainParams, time: number, unix: number): number => {
  const all = unix - params.genesis.time
  const rest = unix - time
  return all <= 0 || rest < 2 * params.powTargetSpacing ? 1 : Math.max(0, 1 - rest / all)
}

const pruneJson = (context: NodeContextShape): Effect.Effect<JsonObject> =>
  Effect.gen(function* () {
    const { node, prune } = context
    if (prune === undefined) return { pruned: false }
    const { targetBytes } = prune
    return {
      pruned: true,
      pruneheight: yield* node.lookup("lowestKept"),
      automatic_pruning: targetBytes !== undefined,
      prune_target_size: targetBytes
    }
  })

const getblockchaininfo = method({
  name: "getblockchaininfo",
  category,
  about: "Returns an object containing various state info regarding blockchain processing.",
  params: [],
  result: result.object("", {
    chain: result.string("The network: main, test, testnet4, signet, regtest"),
    blocks: result.number("The height of the followed chain, of which all blocks are here"),
    headers: result.number("The height of the chain of most work"),
    bestblockhash: result.hex("The end of the followed chain"),
    ...WORK_DOC,
    time: result.time("When its last block was mined"),
    mediantime: result.time("Its median time past"),
    verificationprogress: result.number("How much of the chain is here, by time, from 0 to 1"),
    initialblockdownload: result.boolean("Whether it has not been near the present yet"),
    chainwork: result.hex("The work of the followed chain"),
    size_on_disk: result.number("Bytes of all kept blocks"),
    pruned: result.boolean("Whether old blocks are let go"),
    pruneheight: result.optional(result.number("The lowest block that is kept, where they are")),
    automatic_pruning: result.optional(result.boolean("Whether they are let go by themselves")),
    prune_target_size: result.optional(result.number("Above how many bytes")),
    signet_challenge: result.optional(result.hex("The script that a block must satisfy, on a signet")),
    warnings: result.array("", result.string("What its user should know"))
  }),
  examples: [[]],
  run: () =>
    withNode((context) =>
      Effect.gen(function* () {
        const { node, params } = context
        const tip = yield* node.lookup("tip")
        return {
          chain: chainName(params),
          blocks: tip.height,
          headers: (yield* node.lookup("bestHeader")).height,
          bestblockhash: toHex(tip.hash),
          ...workJson(tip.bits),
          time: tip.time,
          mediantime: tip.medianTime ?? tip.time,
          verificationprogress: real(progress(params, tip.time, yield* unixSeconds)),
          initialblockdownload: !(yield* node.lookup("isNearPresent")),
          chainwork: chainWorkHex(tip.chainWork),
          size_on_disk: yield* orDatabaseError(node.blocksSizeBytes),
          ...(yield* pruneJson(context)),
          signet_challenge: params.signetChallenge,
          warnings: yield* context.warnings
        }
      })
    )
})

const getbestblockhash = method({
  name: "getbestblockhash",
  category,
  about: "Returns the hash of the last block of the followed chain.",
  params: [],
  result: result.hex("The block hash"),
  examples: [[]],
  run: () => withNode(({ node }) => Effect.map(node.lookup("tip"), ({ hash }) => toHex(hash)))
})

const getblockcount = method({
  name: "getblockcount",
  category,
  about: "Returns the height of the followed chain. The genesis block has height 0.",
  params: [],
  result: result.number("The block height"),
  examples: [[]],
  run: () => withNode(({ node }) => Effect.map(node.lookup("tip"), ({ height }) => height))
})

const getblockhash = method({
  name: "getblockhash",
  category,
  about: "Returns the hash of the block at a height of the followed chain.",
  params: [required("height", kind.integer, "The height")],
  result: result.hex("The block hash"),
  examples: [[1000]],
  run: ({ height }) => withNode((context) => Effect.map(headerAtHeight(context, height), ({ hash }) => toHex(hash)))
})

const getblockheader = method({
  name: "getblockheader",
  category,
  about: "Returns a block's header, as fields or as it stands on the wire.",
  params: [
    required("blockhash", kind.hash, "The block hash"),
    defaulted("verbose", kind.boolean, true, "Fields, or bytes in hexadecimal")
  ],
  result: [
    result.when("for verbose = true", result.object("", HEADER_DOC)),
    result.when("for verbose = false", result.hex("The 80 bytes of the header"))
  ],
  examples: [["00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09"]],
  run: ({ blockhash, verbose }) =>
    withNode((context) =>
      Effect.gen(function* () {
        const header = yield* headerOfHash(context, blockhash)
        if (!verbose) {
          const { raw } = header
          return raw === undefined
            ? yield* rpcError("MISC_ERROR", "This node's headers begin with this one, of which it knows the hash alone")
            : hexOf(raw)
        }
        const block = yield* blockOrNone(context, header)
        return headerJson(header, yield* context.node.lookup("tip"), block?.transactionCount ?? 0)
      })
    )
})

const getchaintips = method({
  name: "getchaintips",
  category,
  about: "Returns every chain of headers that is known, with the followed one.",
  params: [],
  result: result.array(
    "",
    result.object("", {
      height: result.number("The height of its last header"),
      hash: result.hex("Its hash"),
      branchlen: result.number("How many headers lie between it and the followed chain"),
      status: result.string(
        'active: the followed chain; valid-fork: all its blocks are here; valid-headers: its last block is; "headers-only"; "invalid"'
      )
    })
  ),
  examples: [[]],
  run: () =>
    withNode(({ node }) =>
      Effect.map(node.lookup("chainTips"), (tips) =>
        tips.map(({ branchLength, hash, height, status }) => ({
          height,
          hash: toHex(hash),
          branchlen: branchLength,
          status
        }))
      )
    )
})

const getdifficulty = method({
  name: "getdifficulty",
  category,
  about: "Returns the difficulty of the last block, as a multiple of the easiest.",
  params: [],
  result: result.number("The difficulty"),
  examples: [[]],
  run: () => withNode(({ node }) => Effect.map(node.lookup("tip"), ({ bits }) => real(difficulty(bits))))
})

/** BIP-0009's names, as Core writes them. */
const STATES = { defined: "defined", started: "started", lockedIn: "locked_in", active: "active", failed: "failed" }

const buried = (height: number, next: number): JsonObject => ({ type: "buried", active: next >= height, height })

const voted = (
  deployment: Deployment & { readonly _tag: "VersionBits" },
  { after, before, since }: { readonly before: string; readonly after: string; readonly since: number }
): JsonObject => ({
  type: "bip9",
  active: before === "active",
  height: before === "active" ? since : undefined,
  bip9: {
    bit: before === "started" || before === "locked_in" ? deployment.bit : undefined,
    start_time: deployment.startTime,
    timeout: deployment.timeout,
    min_activation_height: 0,
    status: before,
    since,
    status_next: after
  }
})

const getdeploymentinfo = method({
  name: "getdeploymentinfo",
  category,
  about:
    "Returns which changes of the rules hold, as of a block. Those that this node does not check are not among them.",
  params: [optional("blockhash", kind.hash, "The block", { default: "the last of the followed chain" })],
  result: result.object("", {
    hash: result.hex("The block"),
    height: result.number("Its height"),
    script_flags: result.array("None: no scripts are verified", result.string("")),
    deployments: result.record(
      "By name",
      result.object("", {
        type: result.string('"buried" or "bip9"'),
        active: result.boolean("Whether it holds for the next block"),
        height: result.optional(result.number("The first block for which it holds")),
        bip9: result.optional(result.openObject("How the vote stands", { status: result.string("") }))
      })
    )
  }),
  examples: [[]],
  run: ({ blockhash }) =>
    withNode((context) =>
      Effect.gen(function* () {
        const { node, params } = context
        const header = blockhash === undefined ? yield* node.lookup("tip") : yield* headerOfHash(context, blockhash)
        const next = header.height + 1
        const parent = yield* node.lookup("headerAt", header.height - 1)
        const before = yield* node.lookup("deployments", (parent ?? header).hash)
        const after = yield* node.lookup("deployments", header.hash)
        const deployments: Record<string, JsonObject> = {
          bip34: buried(params.bip34Height, next),
          bip66: buried(params.bip66Height, next),
          bip65: buried(params.bip65Height, next)
        }
        for (const { name, since, state } of after) {
          const deployment = params[name]
          const earlier = before.find((each) => each.name === name)?.state ?? state
          deployments[name] =
            deployment._tag === "Buried"
              ? buried(deployment.height, next)
              : voted(deployment, { before: STATES[earlier], after: STATES[state], since })
        }
        return { hash: toHex(header.hash), height: header.height, script_flags: [], deployments }
      })
    )
})

const judged = (name: string, about: string, judge: "invalidateHeader" | "reconsiderHeader"): Method<NodeContext> =>
  method({
    name,
    category: "hidden",
    about,
    params: [required("blockhash", kind.hash, "The block hash")],
    result: result.none(),
    examples: [],
    run: ({ blockhash }) =>
      withNode((context) =>
        Effect.gen(function* () {
          const { hash, height } = yield* headerOfHash(context, blockhash)
          if (height === 0 && judge === "invalidateHeader") {
            return yield* rpcError("DATABASE_ERROR", "The genesis block cannot be invalid")
          }
          yield* context.node[judge](hash)
          return null
        })
      )
  })

export const chainMethods: ReadonlyArray<Method<NodeContext>> = [
  getblockchaininfo,
  getbestblockhash,
  getblockcount,
  getblockhash,
  getblockheader,
  getchaintips,
  getdifficulty,
  getdeploymentinfo,
  judged(
    "invalidateblock",
    "Takes a block for invalid, and all that follow it, until that is taken back.",
    "invalidateHeader"
  ),
  judged("reconsiderblock", "Takes back that a block is invalid, and those before and after it.", "reconsiderHeader")
]
