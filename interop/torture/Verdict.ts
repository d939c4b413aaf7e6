/** What must hold when the day is over. */
import { closeSync, existsSync, openSync, readdirSync, readSync } from "node:fs"
import { join } from "node:path"
import { toHex } from "@satwire/bytes"
import * as Effect from "effect/Effect"
import { agree } from "./Agreement.ts"
import type { MemoryUse } from "./Inspector.ts"
import { spend } from "./Spending.ts"
import type { TortureFailed } from "./TortureFailed.ts"
import type { World } from "./World.ts"

export type Check = readonly [what: string, holds: boolean, detail: string]

/**
 * A header costs so much that is kept for as long as the node runs: raw, its hash, its work, its place in the tree, and where its block is.
 * `npm run bench` measures 131 bytes for the tree of headers; the rest is the tree of blocks.
 */
const HEADER_BYTES = 200
/** What the issue asks for. */
const MOST_GROWTH = 1.1
/** Transactions of the last check. */
const LAST_TRANSACTIONS = 30

/** Memory of the node that lives through the day, how many headers it holds, and what its pool takes, whose bound `-maxmempool` is. */
export interface Measured extends MemoryUse {
  readonly headers: number
  readonly poolBytes: number
}

export const measure = ({ steady, steadyRun }: World): Effect.Effect<Measured, TortureFailed> =>
  Effect.gen(function* () {
    const height = Number(yield* steady.call("getblockcount"))
    const tips = (yield* steady.call("getchaintips")) as ReadonlyArray<{ readonly branchlen: number }>
    const headers = tips.reduce((sum, { branchlen }) => sum + branchlen, height)
    const { usage } = (yield* steady.call("getmempoolinfo")) as { readonly usage: number }
    return { ...(yield* steadyRun.memory), headers, poolBytes: usage }
  })

const MB = 1e6
const mb = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`
export const memoryText = ({ headers, poolBytes, reachable, rss }: Measured): string =>
  `${mb(rss)} resident, ${mb(reachable)} reachable, ${headers} headers, pool ${mb(poolBytes)}`

/** How many times what it was, without what the chain and its pool need. */
const growth = (of: "rss" | "reachable", first: Measured, last: Measured): number =>
  withoutChain(of, last) / withoutChain(of, first)

const withoutChain = (of: "rss" | "reachable", measured: Measured): number =>
  measured[of] - HEADER_BYTES * measured.headers - measured.poolBytes

/** The bar is on what is resident; what is reachable is said beside it. */
export const memoryChecks = (first: Measured, last: Measured): ReadonlyArray<Check> => {
  const [rss, reachable] = [growth("rss", first, last), growth("reachable", first, last)]
  const detail = [
    `${rss.toFixed(3)} times, and what is reachable ${reachable.toFixed(3)} times:`,
    `${memoryText(first)} after the first tenth, ${memoryText(last)} at the end`
  ]
  return [["resident memory is at most a tenth above what it was", rss <= MOST_GROWTH, detail.join(" ")]]
}

/** One chain, then the same transactions in all pools, then none in any. */
export const agreementChecks = (world: World): Effect.Effect<ReadonlyArray<Check>, TortureFailed> =>
  Effect.gen(function* () {
    yield* spend(world, LAST_TRANSACTIONS)
    const pools = yield* samePools(world, world.waiting.size)
    yield* world.bcoin.mine(1, [])
    yield* agree(world, "the last block")
    const emptied = yield* samePools(world, 0)
    const tips = yield* Effect.forEach(world.all, ({ tip }) => tip)
    const height = world.mirror.best
    const banned = JSON.stringify(yield* world.bcoin.call("listbanned"))
    return [
      ["bcoin has banned nobody", banned === "[]", banned],
      ["all agree on the chain", new Set(tips).size === 1, `height ${height}, ${tips.join(" ")}`],
      ["all agree on what waits for a block", pools.isSame, pools.detail],
      ["nothing waits after a block of all that waited", emptied.isSame, emptied.detail]
    ]
  })

const POOL_LOOKS = 400

/**
 * Waits until all pools hold so many and the same.
 *
 * Specification: what a block of the followed chain has does not count. Rationale: ours know no coins, and so not what they are told again
 * that was in a block before a reorganisation; bcoin announces for a while what its user sent, to everybody who connects.
 */
const samePools = ({ all, mirror, tally, waiting }: World, size: number) =>
  Effect.gen(function* () {
    let pools: ReadonlyArray<ReadonlyArray<string>> = []
    for (let looks = 0; looks < POOL_LOOKS; looks++) {
      pools = yield* Effect.forEach(all, ({ pool }) => Effect.map(pool, (ids) => ids.filter((id) => !mirror.has(id))))
      const [first, ...others] = pools.map((ids) => ids.join())
      if (others.every((ids) => ids === first) && pools[0]?.length === size) {
        const held = yield* Effect.forEach(all, ({ pool }) => Effect.map(pool, (ids) => ids.length - size))
        tally.add("transactions in pools of ours that a block has already", held[1] ?? 0)
        return { isSame: true, detail: `${size} each` }
      }
      yield* Effect.sleep(100)
    }
    const texts = all.map(({ name }, i) => `${name} ${pools[i]?.length}: ${pools[i]?.join(" ")}`)
    const why = yield* Effect.forEach(all, (member, i) => whyNot(member, pools[i] ?? [], waiting))
    return { isSame: false, detail: [`there should be ${size}`, ...texts, ...why.flat()].join("\n") }
  })

/** What a node says of what waits and is not in its pool. */
const whyNot = ({ call, name }: World["all"][number], pool: ReadonlyArray<string>, waiting: World["waiting"]) =>
  Effect.forEach(
    [...waiting].filter(([id]) => !pool.includes(id)),
    ([id, view]) =>
      call("testmempoolaccept", [[toHex(view.bytes)]]).pipe(
        Effect.match({ onSuccess: JSON.stringify, onFailure: String }),
        Effect.map((said) => `${name} has no ${id}: ${said}`)
      )
  )

/** Asks both of ours to stop, and reads what they wrote down. */
export const endChecks = (world: World): Effect.Effect<ReadonlyArray<Check>, TortureFailed> =>
  Effect.gen(function* () {
    const codes = yield* world.stop
    for (const directory of world.directories) readLogs(world, join(directory, "regtest"))
    const { found, lines } = world.logs
    return [
      ["both stop when they are asked to", codes.every((code) => code === 0), `exit codes ${codes.join(", ")}`],
      [
        "no unhandled rejection, defect or stack was logged",
        found.length === 0,
        [`${lines} lines read`, ...found].join("\n")
      ]
    ]
  })

const CHUNK = 1 << 20

const readLogs = ({ logs }: World, directory: string): void => {
  if (!existsSync(directory)) return
  for (const name of readdirSync(directory).filter((each) => each.startsWith("debug.log"))) {
    const path = join(directory, name)
    for (const line of linesOf(path)) logs.observe(path, line)
  }
}

function* linesOf(path: string): Generator<string> {
  const file = openSync(path, "r")
  try {
    const chunk = Buffer.alloc(CHUNK)
    let rest = ""
    for (;;) {
      const count = readSync(file, chunk, 0, CHUNK, null)
      if (count === 0) break
      const lines = (rest + chunk.toString("latin1", 0, count)).split("\n")
      rest = lines.pop() ?? ""
      yield* lines
    }
    if (rest !== "") yield rest
  } finally {
    closeSync(file)
  }
}
