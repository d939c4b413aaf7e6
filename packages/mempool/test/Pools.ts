/** A pool over a test's chain, and what is asked of it in tests. */
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { Instant, type Now, UnixSeconds } from "@satwire/machine"
import { type Transaction, toHex } from "@satwire/primitives"
import { Mempool, type MempoolOptions, type PoolResult, type PoolTest, type PoolTransaction } from "../src/index.ts"
import { TestChain, blockOf, viewOf } from "./TestChain.ts"

export const START = 1_700_000_000

export class Pools {
  readonly chain: TestChain
  readonly pool: Mempool
  unix = START

  constructor(chain: TestChain = new TestChain(), options: Partial<MempoolOptions> = {}) {
    this.chain = chain
    this.pool = new Mempool({
      sha256: portableSha256,
      random: ChaChaRandom.fromNumber(7),
      nextBlock: () => chain.next(),
      coins: chain.knowledge === "none" ? undefined : chain,
      ...options
    })
  }

  get now(): Now {
    return { instant: Instant(0), unix: UnixSeconds(this.unix) }
  }

  /** And holds what becomes of it against what `test` foretold, but for whether there is room. */
  submit(tx: Transaction): PoolResult {
    const view = viewOf(tx)
    const before = this.pool.count
    const foretold = this.pool.test(view)
    if (this.pool.count !== before) throw new Error("a test changed the pool")
    const result = this.pool.submit(view, this.now)
    const became = result._tag === "Accepted" ? "Acceptable" : result._tag
    const isFull = result._tag === "Rejected" && result.rule.startsWith("mempool ")
    const isSame = foretold._tag === became && (foretold._tag !== "Rejected" || foretold.rule === ruleOf(result))
    if (!isFull && !isSame && !ruleOf(foretold).startsWith("mempool ")) {
      throw new Error(`${became} ${ruleOf(result)} was foretold as ${foretold._tag} ${ruleOf(foretold)}`)
    }
    return result
  }

  /** What became of it, in a word. */
  verdict(tx: Transaction): string {
    const result = this.submit(tx)
    return result._tag === "Rejected" ? result.rule : result._tag
  }

  /** A block joins chain and pool. */
  connect(transactions: ReadonlyArray<Transaction>): ReturnType<Mempool["connected"]> {
    this.chain.connect(transactions)
    return this.pool.connected(blockOf(transactions), this.now)
  }

  /** The last block leaves both. */
  disconnect(): ReturnType<Mempool["disconnected"]> {
    return this.pool.disconnected(blockOf(this.chain.disconnect()), this.now)
  }

  /** The txids of what is there, in the order of arrival. */
  get txids(): ReadonlyArray<string> {
    return txidsOf(this.pool.entries())
  }
}

const ruleOf = (result: PoolResult | PoolTest): string => (result._tag === "Rejected" ? result.rule : "")

export const txidsOf = (entries: Iterable<PoolTransaction>): ReadonlyArray<string> =>
  Array.from(entries, ({ txid }) => toHex(txid))
