import { concat } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { Instant, type Now, UnixSeconds } from "@satwire/machine"
import { type BlockHash, BlockView, type Txid, ZERO_HASH, encodeHeader, headerHash, regtest } from "@satwire/primitives"
import { MinedChain } from "@satwire/testkit"
import {
  type CFilter,
  Inventory,
  MSG_WITNESS_BLOCK,
  MSG_WITNESS_TX,
  type Message,
  NO_ADDRESS,
  headersMessage
} from "@satwire/wire"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import type { Request } from "../src/Request.ts"
import { MAX_BLOCKS_ASKED, Requests, type RequestsOutput } from "../src/Requests.ts"

const at = (ms: number): Now => ({ instant: Instant(ms), unix: UnixSeconds(1_750_000_000) })

class Bench {
  readonly machine = new Requests(portableSha256)
  ms = 0
  #id = 0
  #outputs: Array<RequestsOutput> = []

  ask(request: Request, timeoutMs = 1000): number {
    const id = ++this.#id
    this.#handle({ _tag: "Ask", id, request, timeoutMs })
    return id
  }

  cancel(id: number): void {
    this.#handle({ _tag: "Cancel", id })
  }

  receive(message: Message): ReadonlyArray<RequestsOutput> {
    this.#outputs = []
    this.#handle({ _tag: "Received", message })
    return this.outputs()
  }

  elapse(ms: number): ReadonlyArray<RequestsOutput> {
    this.ms += ms
    this.#outputs = []
    if ((this.machine.nextTimeout() ?? Infinity) <= this.ms) this.#handle({ _tag: "Timeout" })
    return this.outputs()
  }

  outputs(): ReadonlyArray<RequestsOutput> {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  #handle(input: Parameters<Requests["handle"]>[0]): void {
    this.machine.handle(input, at(this.ms), { push: (output) => this.#outputs.push(output) })
  }
}

/** A block of regtest with nothing but its coinbase; another for each number. */
const blockNumber = (extraNonce: number): BlockView => BlockView.of(new MinedChain(regtest).mine({ extraNonce }))

const hashOf = (block: BlockView): BlockHash => block.hash(portableSha256)
const hash = (n: number): BlockHash => new Uint8Array(32).fill(n) as BlockHash
const GENESIS = regtest.genesisHash
const mined = new MinedChain(regtest)
const chain = concat([1, 2, 3].map(() => encodeHeader(mined.mine().header)))
const inventoryOf = (type: number, ...hashes: ReadonlyArray<Uint8Array>): Inventory => Inventory.ofType(type, hashes)

describe("a question", () => {
  it("for blocks is answered by the block of that hash, in whatever order they come", () => {
    const bench = new Bench()
    const [one, two] = [blockNumber(1), blockNumber(2)]
    const ids = [one, two].map((block) => bench.ask({ _tag: "Block", hash: hashOf(block) }))
    expect(bench.outputs()).toEqual(
      [one, two].map((block) => ({
        _tag: "Send",
        message: { _tag: "getdata", inventory: inventoryOf(MSG_WITNESS_BLOCK, hashOf(block)) }
      }))
    )
    expect(bench.receive({ _tag: "block", block: two })).toEqual([{ _tag: "Answered", id: ids[1], answer: two }])
    expect(bench.receive({ _tag: "block", block: one })).toEqual([{ _tag: "Answered", id: ids[0], answer: one }])
    expect(bench.receive({ _tag: "block", block: one })).toMatchObject([{ _tag: "Unclaimed" }])
    expect(bench.machine.size).toBe(0)
    expect(bench.machine.nextTimeout()).toBeUndefined()
  })

  it("for more blocks than may be asked at once waits for its turn", () => {
    const bench = new Bench()
    const blocks = Array.from({ length: MAX_BLOCKS_ASKED + 2 }, (_, i) => blockNumber(i))
    blocks.forEach((block) => bench.ask({ _tag: "Block", hash: hashOf(block) }))
    expect(bench.outputs()).toHaveLength(MAX_BLOCKS_ASKED)
    expect(bench.receive({ _tag: "block", block: blocks[3] as BlockView }).map(({ _tag }) => _tag)).toEqual([
      "Answered",
      "Send"
    ])
  })

  it("for a block is not answered by a header with other transactions", () => {
    const bench = new Bench()
    const good = blockNumber(1)
    const other = blockNumber(2)
    const bytes = Uint8Array.from([...good.rawHeader, ...other.bytes.subarray(80)])
    const forged = Result.getOrThrow(BlockView.decode(bytes)).value
    const id = bench.ask({ _tag: "Block", hash: hashOf(good) })
    expect(bench.receive({ _tag: "block", block: forged })).toMatchObject([
      { _tag: "Failed", id, fault: { _tag: "BadAnswer" } }
    ])
  })

  it("fails where the peer does not have it, and the others go on", () => {
    const bench = new Bench()
    const block = bench.ask({ _tag: "Block", hash: hash(1) })
    const transaction = bench.ask({ _tag: "Transaction", txid: hash(2) as Uint8Array as Txid })
    const other = bench.ask({ _tag: "Block", hash: hash(3) })
    bench.outputs()
    const inventory = Inventory.of([
      { type: MSG_WITNESS_BLOCK, hash: hash(1) },
      { type: MSG_WITNESS_TX, hash: hash(2) }
    ])
    expect(bench.receive({ _tag: "notfound", inventory })).toEqual(
      [block, transaction].map((id) => ({ _tag: "Failed", id, fault: { _tag: "NotFound" } }))
    )
    expect(bench.receive({ _tag: "notfound", inventory })).toMatchObject([{ _tag: "Unclaimed" }])
    expect(bench.elapse(1000)).toEqual([{ _tag: "Failed", id: other, fault: { _tag: "TimedOut", afterMs: 1000 } }])
  })

  it("for a transaction is answered by the one of that id", () => {
    const bench = new Bench()
    const tx = blockNumber(5).transaction(0)
    const id = bench.ask({ _tag: "Transaction", txid: tx.txid(portableSha256) })
    expect(bench.receive({ _tag: "tx", tx: blockNumber(6).transaction(0) })).toMatchObject([{ _tag: "Unclaimed" }])
    expect(bench.receive({ _tag: "tx", tx })).toEqual([{ _tag: "Answered", id, answer: tx }])
  })

  it("for headers is answered by what continues its locator, one question after another", () => {
    const bench = new Bench()
    const locator = [GENESIS]
    const [first, second] = [1, 2].map(() => bench.ask({ _tag: "Headers", locator, stopHash: undefined }))
    expect(bench.outputs()).toHaveLength(1)
    const announced = headersMessage(chain.slice(80))
    expect(bench.receive(announced)).toEqual([{ _tag: "Unclaimed", message: announced }])
    const answer = headersMessage(chain.slice())
    expect(bench.receive(answer)).toMatchObject([{ _tag: "Answered", id: first, answer }, { _tag: "Send" }])
    const none = headersMessage(new Uint8Array(0))
    expect(bench.receive(none)).toEqual([{ _tag: "Answered", id: second, answer: none }])
    expect(bench.receive(none)).toMatchObject([{ _tag: "Unclaimed" }])
  })

  it("for headers is not answered by headers that do not hang together", () => {
    const bench = new Bench()
    const id = bench.ask({ _tag: "Headers", locator: [GENESIS], stopHash: undefined })
    const broken = chain.slice()
    broken.copyWithin(80, 160)
    expect(bench.receive(headersMessage(broken))).toMatchObject([{ _tag: "Failed", id, fault: { _tag: "BadAnswer" } }])
  })

  it("for addresses is answered by more than one, since one alone is the peer's own", () => {
    const bench = new Bench()
    const id = bench.ask({ _tag: "Addresses" })
    const entry = { ...NO_ADDRESS, time: UnixSeconds(1) }
    expect(bench.receive({ _tag: "addr", addresses: [entry] })).toMatchObject([{ _tag: "Unclaimed" }])
    const many = { _tag: "addr", addresses: [entry, entry] } as const
    expect(bench.receive(many)).toEqual([{ _tag: "Answered", id, answer: many }])
  })

  it("for filters is answered when the last has come, and filter headers by their last block", () => {
    const bench = new Bench()
    const id = bench.ask({ _tag: "Filters", startHeight: 1, stopHash: hash(3) })
    const filter = (n: number): CFilter => ({ _tag: "cfilter", filterType: 0, blockHash: hash(n), filter: hash(n) })
    bench.outputs()
    for (const n of [1, 2]) expect(bench.receive(filter(n))).toEqual([])
    expect(bench.receive(filter(3))).toEqual([{ _tag: "Answered", id, answer: [1, 2, 3].map((n) => filter(n)) }])
    const headers = bench.ask({ _tag: "FilterHeaders", startHeight: 1, stopHash: hash(3) })
    const checkpoints = bench.ask({ _tag: "FilterCheckpoints", stopHash: hash(4) })
    bench.outputs()
    const list = { filterType: 0, previousFilterHeader: ZERO_HASH, filterHashes: [] } as never
    expect(bench.receive({ _tag: "cfheaders", stopHash: hash(9), ...(list as object) } as Message)).toMatchObject([
      { _tag: "Unclaimed" }
    ])
    expect(bench.receive({ _tag: "cfheaders", stopHash: hash(3), ...(list as object) } as Message)).toMatchObject([
      { _tag: "Answered", id: headers }
    ])
    expect(bench.receive({ _tag: "cfcheckpt", stopHash: hash(4), ...(list as object) } as Message)).toMatchObject([
      { _tag: "Answered", id: checkpoints }
    ])
    expect(bench.machine.size).toBe(0)
  })
})

describe("a question that is given up", () => {
  it("leaves nothing, and makes room for the next", () => {
    const bench = new Bench()
    const ids = Array.from({ length: MAX_BLOCKS_ASKED + 1 }, (_, i) => bench.ask({ _tag: "Block", hash: hash(i) }))
    bench.outputs()
    bench.cancel(ids[0] as number)
    expect(bench.outputs()).toMatchObject([{ _tag: "Send" }])
    for (const id of ids) bench.cancel(id)
    expect(bench.machine.size).toBe(0)
  })

  it("does not have its answer taken for the next one's", () => {
    const bench = new Bench()
    const first = bench.ask({ _tag: "Filters", startHeight: 1, stopHash: hash(2) })
    const second = bench.ask({ _tag: "Filters", startHeight: 3, stopHash: hash(4) })
    bench.outputs()
    bench.cancel(first)
    const filter = (n: number): CFilter => ({ _tag: "cfilter", filterType: 0, blockHash: hash(n), filter: hash(n) })
    expect(bench.receive(filter(1))).toEqual([])
    expect(bench.receive(filter(2))).toMatchObject([{ _tag: "Send" }])
    expect(bench.receive(filter(3))).toEqual([])
    expect(bench.receive(filter(4))).toEqual([{ _tag: "Answered", id: second, answer: [filter(3), filter(4)] }])
  })
})

it("messages that answer nothing pass through", () => {
  const bench = new Bench()
  for (const message of [{ _tag: "mempool" }, { _tag: "sendheaders" }] as const) {
    expect(bench.receive(message)).toEqual([{ _tag: "Unclaimed", message }])
  }
  expect(headerHash(portableSha256, chain.slice(0, 80))).toHaveLength(32)
})
