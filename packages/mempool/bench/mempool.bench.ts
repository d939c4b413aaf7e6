/**
 * How fast transactions are taken in, how long a block of 3,000 takes to leave, how long a template takes, and what memory each has:
 *
 *   node --conditions=@satwire/source --expose-gc packages/mempool/bench/mempool.bench.ts [transactions…]
 *
 * Transactions have two inputs and two outputs and some 370 bytes, most of them witness; each fifth spends an output of the one before it.
 */
import process from "node:process"
import { setTimeout } from "node:timers/promises"
import { ChaChaRandom } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { Instant, UnixSeconds } from "@satwire/machine"
import { BlockView, Satoshis, type Transaction, TransactionView, Txid, txid } from "@satwire/primitives"
import { contestClock } from "@satwire/testkit"
import { type CoinLookup, Mempool } from "../src/index.ts"

const now = { instant: Instant(0), unix: UnixSeconds(1_700_000_000) }
const random = ChaChaRandom.fromNumber(1)
const BLOCK = 3000

const clockMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** On the heap and in buffers, which are swept only in a turn of their own. */
const takenBytes = async (): Promise<number> => {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await setTimeout(20)
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return arrayBuffers + heapUsed
}

const transaction = (parent: Transaction | undefined): Transaction => {
  const input = (spent: Uint8Array, index: number): Transaction["inputs"][number] => ({
    previousOutput: { txid: Txid(spent), index },
    scriptSig: new Uint8Array(0),
    sequence: 0xfffffffd,
    witness: [random.bytes(71), random.bytes(33)]
  })
  const first = parent === undefined ? input(random.bytes(32), 1) : input(txid(platformSha256, parent), 0)
  const amount = (): Satoshis => Satoshis(BigInt(1_000_000 - random.below(10_000)))
  const output = (): Transaction["outputs"][number] => ({
    amount: amount(),
    scriptPubKey: Uint8Array.of(0, 20, ...random.bytes(20))
  })
  return { version: 2, inputs: [first, input(random.bytes(32), 7)], outputs: [output(), output()], lockTime: 0 }
}

/** Views of so many, and of one block's worth drawn from all over them, parents first. */
const make = (count: number): { readonly views: ReadonlyArray<TransactionView>; readonly block: BlockView } => {
  const views: Array<TransactionView> = []
  const mined: Array<Transaction> = []
  let last: Transaction | undefined
  for (let i = 0; i < count; i++) {
    const tx = transaction(i % 5 === 4 ? last : undefined)
    // One in each 5 · n, and its child.
    if (mined.length < BLOCK && Math.floor(i / 5) % Math.floor((2 * count) / 5 / BLOCK) === 0 && i % 5 >= 3)
      mined.push(tx)
    last = tx
    views.push(TransactionView.of(tx))
  }
  const header = BlockView.of({ header: HEADER, transactions: [transaction(undefined), ...mined] })
  return { views, block: header }
}
const HEADER = {
  version: 2,
  previousBlock: new Uint8Array(32) as Parameters<typeof BlockView.of>[0]["header"]["previousBlock"],
  merkleRoot: new Uint8Array(32),
  time: 0,
  bits: 0,
  nonce: 0
}

const coin = { amount: 1_010_000, height: 1, isCoinbase: false }
const everyCoin: CoinLookup = { coin: () => coin }

const pool = (coins: CoinLookup | undefined, maxBytes = 1e9): Mempool =>
  new Mempool({
    sha256: platformSha256,
    random: ChaChaRandom.fromNumber(2),
    nextBlock: () => ({ height: 800_000, lockTimeCutoff: 1_700_000_000 }),
    coins,
    maxBytes
  })

const fill = (into: Mempool, views: ReadonlyArray<TransactionView>): number => {
  const start = clockMs()
  for (const view of views) into.submit(view, now)
  return clockMs() - start
}

const rate = (count: number, ms: number): string => `${Math.round((1000 * count) / ms).toLocaleString("en")}/s`

console.log(`${process.version}, ${contestClock}, ${platformSha256.name}`)
for (const count of process.argv.slice(2).length > 0 ? process.argv.slice(2).map(Number) : [50_000, 300_000]) {
  const { block, views } = make(count)
  const before = await takenBytes()
  const filled = pool(everyCoin)
  fill(filled, views)
  const taken = (await takenBytes()) - before
  const bytes = views.reduce((sum, view) => sum + view.bytes.length, 0)
  const each = (total: number): string => (total / filled.count).toFixed(0)
  const known = fill(pool(everyCoin), views)
  const unknown = fill(pool(undefined), views)
  console.log(`\n${count.toLocaleString("en")} transactions of ${(bytes / count).toFixed(0)} bytes`)
  console.log(`  taken in        ${rate(count, known)}, ${rate(count, unknown)} where coins are not known`)
  console.log(`  bytes each      ${each(taken)} on the heap and in buffers, ${each(filled.memoryBytes)} counted`)
  const full = fill(pool(everyCoin, filled.memoryBytes / 2), views)
  console.log(`  into half the room ${rate(count, full)}`)
  const selecting = clockMs()
  const { transactions } = filled.forBlock(3_992_000)
  console.log(`  a template      ${(clockMs() - selecting).toFixed(1)} ms, ${transactions.length} transactions`)
  const txids = block.txids(platformSha256)
  const leaving = clockMs()
  const { removed } = filled.connected(block, now, txids)
  console.log(`  a block leaves  ${(clockMs() - leaving).toFixed(1)} ms, ${removed.length} transactions`)
  const returning = clockMs()
  const { returned } = filled.disconnected(block, now, txids)
  console.log(`  and comes back  ${(clockMs() - returning).toFixed(1)} ms, ${returned.length} transactions`)
}
