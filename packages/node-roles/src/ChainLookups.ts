/**
 * What can be looked up of the chain and of the pool, one thing at a time and between turns. Every answer is a value of its own, which stays
 * what it is while the node goes on.
 */
import { DeploymentStates, type DeploymentState, medianTimePast } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import type { HeaderTree, TipStatus } from "@satwire/header-sync"
import type { PoolDetails, PoolTest, PoolTransaction } from "@satwire/mempool"
import { BlockTemplates, type MiningView, minimumTime } from "@satwire/mining"
import {
  type Block,
  type BlockHash,
  type ChainParams,
  type Deployment,
  type Transaction,
  type TransactionView,
  type Txid,
  type Wtxid
} from "@satwire/primitives"
import type { KeptOrphan } from "@satwire/tx-request"
import type { Blocks } from "./Blocks.ts"
import type { Transactions } from "./Transactions.ts"

/** A header with its place in the chain. */
export interface HeaderDetails {
  readonly hash: BlockHash
  readonly height: number
  /** Its 80 bytes; `undefined` of a base that is known by its hash alone. */
  readonly raw: Uint8Array | undefined
  /** Seconds since 1970, -1 of such a base; and the median of it and the ten before it, where they are known. */
  readonly time: number
  readonly medianTime: number | undefined
  readonly bits: number
  readonly chainWork: bigint
  /** Whether it is part of the followed chain, and then which comes next in it. */
  readonly isFollowed: boolean
  readonly next: BlockHash | undefined
  /** Whether neither it nor one before it was found or said to be invalid. */
  readonly isValid: boolean
  /** Whether its block is kept. */
  readonly isKept: boolean
}

/** A chain that ends, as `getchaintips` of Core tells it. */
export interface ChainTipDetails {
  readonly hash: BlockHash
  readonly height: number
  readonly branchLength: number
  readonly status: TipStatus | "valid-fork" | "valid-headers"
}

export interface DeploymentDetails {
  readonly name: "csv" | "segwit"
  /** For the block that comes next, and for the one after the header that was asked about. */
  readonly state: DeploymentState
  /** The height of the first block of this state, where it is known. */
  readonly since: number
}

/** A block that lacks its proof of work. */
export interface Template {
  readonly block: Block
  readonly height: number
  /** The earliest time that it may claim. */
  readonly minTime: number
  readonly hasWitness: boolean
  /** What is known in the pool of its transactions, the coinbase not counted, one for one. */
  readonly chosen: ReadonlyArray<PoolDetails | undefined>
}

export interface TemplateQuery {
  /** The clock, in seconds since 1970. */
  readonly unix: number
  readonly payTo: Uint8Array
  readonly extraNonce: number
  /** Those of the pool that pay most where not given. */
  readonly transactions?: ReadonlyArray<Transaction> | undefined
}

export interface ChainLookups {
  readonly header: (hash: Uint8Array) => HeaderDetails | undefined
  /** That of the followed chain at a height. */
  readonly headerAt: (height: number) => HeaderDetails | undefined
  /** The end of the followed chain: of which we have the blocks where the node has any, else that of most work. */
  readonly tip: () => HeaderDetails
  /** The header of most work of those that are not invalid. */
  readonly bestHeader: () => HeaderDetails
  readonly chainTips: () => ReadonlyArray<ChainTipDetails>
  /** The height below which no block of the followed chain is kept. It takes a look at each that is. */
  readonly lowestKept: () => number
  /** Rules that came by votes or heights, for the block after this one. */
  readonly deployments: (after: Uint8Array) => ReadonlyArray<DeploymentDetails>
  readonly template: (query: TemplateQuery) => Template
  /** Whether the followed chain has ever been near the present. */
  readonly isNearPresent: () => boolean
  /** Why the headers or the block that were submitted last were refused, as Core names it. */
  readonly lastRefusal: () => string | undefined

  readonly poolEntry: (txid: Uint8Array) => PoolDetails | undefined
  /** All in order of arrival. */
  readonly poolTxids: () => ReadonlyArray<Txid>
  readonly poolKin: (txid: Uint8Array, which: "ancestors" | "descendants") => ReadonlyArray<Txid> | undefined
  /** Who of the pool spends an outpoint: 32 bytes of a txid, then 4 of an index. */
  readonly poolSpender: (outpoint: Uint8Array) => PoolTransaction | undefined
  readonly poolTotals: () => PoolTotals | undefined
  /** What would become of a transaction that is submitted; `undefined` without the role. */
  readonly testTransaction: (tx: TransactionView) => PoolTest | undefined
  readonly unbroadcast: () => ReadonlyArray<Wtxid>
  readonly orphans: () => ReadonlyArray<KeptOrphan>
}

export interface PoolTotals {
  readonly count: number
  readonly vsize: number
  /** Satoshis, as far as fees are known. */
  readonly fee: number
  readonly memoryBytes: number
  readonly maxBytes: number
  readonly minFeeRateSatPerKvb: number
  readonly minRelaySatPerKvb: number
  readonly incrementalSatPerKvb: number
  /** Grows with each acceptance. */
  readonly lastSequence: number
}

export interface LookupsGiven {
  readonly tree: HeaderTree
  readonly sha256: Sha256
  readonly blocks: Blocks | undefined
  readonly transactions: Transactions | undefined
  readonly tip: () => number
  readonly isNearPresent: () => boolean
  readonly lastRefusal: () => string | undefined
}

export const chainLookups = (given: LookupsGiven): ChainLookups => {
  const { blocks, isNearPresent, lastRefusal, transactions, tree } = given
  const headers = new Headers(given)
  const templates = new Templates(tree.params, blocks?.miningView ?? tree, given)
  const pool = transactions?.pool
  return {
    header: (hash) => headers.details(tree.find(hash)),
    headerAt: (height) => headers.details(tree.ancestor(given.tip(), height)),
    tip: () => headers.details(given.tip()) as HeaderDetails,
    bestHeader: () => headers.details(tree.best) as HeaderDetails,
    chainTips: () => headers.tips(),
    lowestKept: () => headers.lowestKept(),
    deployments: (after) => headers.deployments(tree.find(after)),
    template: (query) => templates.make(query),
    isNearPresent,
    lastRefusal,
    poolEntry: (txid) => pool?.details(txid),
    poolTxids: () => [...(pool?.entries() ?? [])].map(({ txid }) => txid),
    poolKin: (txid, which) => pool?.kin(txid, which),
    poolSpender: (outpoint) => pool?.spenderOf(outpoint),
    poolTotals: () => {
      if (pool === undefined) return undefined
      const { count, lastSequence, maxBytes, memoryBytes, minFeeRateSatPerKvb, rates, totals } = pool
      return { count, memoryBytes, maxBytes, minFeeRateSatPerKvb, lastSequence, ...rates, ...totals }
    },
    testTransaction: (tx) => transactions?.test(tx),
    unbroadcast: () => transactions?.unbroadcast ?? [],
    orphans: () => transactions?.orphans ?? []
  }
}

class Headers {
  readonly #tree: HeaderTree
  readonly #given: LookupsGiven
  readonly #states: ReadonlyArray<readonly ["csv" | "segwit", DeploymentStates]>

  constructor(given: LookupsGiven) {
    const { tree } = given
    this.#tree = tree
    this.#given = given
    this.#states = [
      ["csv", new DeploymentStates(tree.params.csv, tree)],
      ["segwit", new DeploymentStates(tree.params.segwit, tree)]
    ]
  }

  details(header: number): HeaderDetails | undefined {
    if (header < 0) return undefined
    const tree = this.#tree
    const height = tree.height(header)
    const tip = this.#given.tip()
    const isFollowed = tree.ancestor(tip, height) === header
    const next = isFollowed ? tree.ancestor(tip, height + 1) : -1
    const time = tree.time(header)
    return {
      hash: tree.hash(header),
      height,
      raw: time < 0 ? undefined : tree.rawRange(header, 1),
      time,
      medianTime: medianTimePast(tree, header),
      bits: tree.bits(header),
      chainWork: tree.chainWork(header),
      isFollowed,
      next: next < 0 ? undefined : tree.hash(next),
      isValid: tree.isValid(header),
      isKept: this.#isKept(header)
    }
  }

  #isKept(header: number): boolean {
    return this.#given.blocks?.isKept(header) === true
  }

  tips(): ReadonlyArray<ChainTipDetails> {
    const tree = this.#tree
    const followed = this.#given.tip()
    const found = tree.tips().map(({ header }) => header)
    // Where the best headers lack their blocks the followed chain ends on the way to them.
    const ends = found.includes(followed) ? found : [...found, followed]
    const tips = ends.map((header): ChainTipDetails => {
      const height = tree.height(header)
      const branchLength = height - tree.height(tree.fork(followed, header))
      return { hash: tree.hash(header), height, branchLength, status: this.#status(header, followed) }
    })
    return tips.toSorted((a, b) => b.height - a.height)
  }

  #status(header: number, followed: number): ChainTipDetails["status"] {
    if (header === followed) return "active"
    if (!this.#tree.isValid(header)) return "invalid"
    // What is kept was checked; whether all before it is too says whether it could be followed.
    if (this.#given.blocks?.isWhole(header) === true && this.#isKept(header)) return "valid-fork"
    return this.#isKept(header) ? "valid-headers" : "headers-only"
  }

  lowestKept(): number {
    const tree = this.#tree
    let at = this.#given.tip()
    while (at > 0 && this.#isKept(at)) at = tree.parent(at)
    return tree.height(at) + (this.#isKept(at) || at === 0 ? 0 : 1)
  }

  deployments(header: number): ReadonlyArray<DeploymentDetails> {
    if (header < 0) return []
    return this.#states.map(([name, states]) => {
      const state = states.after(header)
      return { name, state, since: this.#since(this.#tree.params[name], states, header, state) }
    })
  }

  /** By periods back to the first one of the same state. */
  #since(deployment: Deployment, states: DeploymentStates, header: number, state: DeploymentState): number {
    if (deployment._tag === "Buried") return deployment.height
    const tree = this.#tree
    const next = tree.height(header) + 1
    let since = next - (next % deployment.period)
    while (since > 0) {
      const before = tree.ancestor(header, since - deployment.period - 1)
      if (before < 0 || states.after(before) !== state) break
      since -= deployment.period
    }
    return since
  }
}

class Templates {
  readonly #params: ChainParams
  readonly #view: MiningView
  readonly #templates: BlockTemplates
  readonly #given: LookupsGiven

  constructor(params: ChainParams, view: MiningView, given: LookupsGiven) {
    this.#params = params
    this.#view = view
    this.#templates = new BlockTemplates(params, view)
    this.#given = given
  }

  make({ extraNonce, payTo, transactions, unix }: TemplateQuery): Template {
    const { sha256, transactions: role } = this.#given
    const view = this.#view
    const parent = view.best
    const hasWitness = this.#templates.mayHoldWitnesses(parent)
    const selected = transactions === undefined ? role?.select(hasWitness) : undefined
    const block = this.#templates.make({
      sha256,
      parent,
      parentHash: view.hash(parent),
      unix,
      extraNonce,
      scriptPubKey: payTo,
      transactions: transactions ?? (selected?.transactions ?? []).map((tx) => tx.materialise()),
      fees: selected?.fees ?? 0n
    })
    return {
      block,
      height: view.height(parent) + 1,
      minTime: minimumTime(this.#params, view, parent),
      hasWitness,
      chosen: (selected?.transactions ?? []).map((tx) => role?.pool.details(tx.txid(sha256)))
    }
  }
}
