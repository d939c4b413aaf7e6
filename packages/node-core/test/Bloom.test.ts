/** A light wallet with a bloom filter beside a node: what it is given over messages alone (BIP-0037). */
import { checkBlock } from "@satwire/consensus"
import { parsePermissionRule } from "@satwire/connections"
import { portableSha256 as sha256 } from "@satwire/crypto"
import { BloomFilter, verifyPartialTree } from "@satwire/filters"
import type { PeerId } from "@satwire/machine"
import { BlockView, type TransactionView, regtest } from "@satwire/primitives"
import type { NodeCoreOutput } from "@satwire/node-core"
import { MinedChain, looseTransaction } from "@satwire/testkit"
import {
  Inventory,
  MSG_FILTERED_BLOCK,
  MSG_TX,
  type Message,
  NODE_BLOOM,
  NODE_NETWORK,
  NODE_WITNESS,
  VERACK
} from "@satwire/wire"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { NodeBench, START_UNIX, THEIR_VERSION, framed, sentTo } from "./NodeBench.ts"

const MINUTE = 60_000

/** A node with a disk that is done at once, and one wallet that dialled it. */
class Wallet {
  readonly bench: NodeBench
  readonly peer: PeerId
  /** What was sent since it was last taken. */
  #messages: Array<Message> = []
  gone: string | undefined = undefined
  readonly #kept: Map<number, BlockView> = new Map()
  /** What the disk was asked for; it takes its time while `isSlow`. */
  readonly #asked: Array<Extract<NodeCoreOutput, { readonly _tag: "ReadBlock" }>> = []
  isSlow = false

  constructor(services: bigint, rule?: string) {
    const permissions = [rule === undefined ? "" : parsePermissionRule(rule)].filter((each) => typeof each !== "string")
    this.bench = new NodeBench({
      services,
      roles: {
        blocks: { serve: true, isLimited: false, kept: [] },
        transactions: { relays: true },
        connections: { maxInbound: Infinity, wantedServices: 0n, permissions }
      }
    })
    this.peer = this.bench.open("inbound", "10.0.0.1:8333")
    this.say({ ...THEIR_VERSION, services: 0n, relay: false }, VERACK)
  }

  say(...messages: ReadonlyArray<Message>): this {
    this.bench.receive(this.peer, framed(...messages))
    return this.#settle()
  }

  elapse(ms: number): this {
    this.bench.elapse(ms, () => this.#settle())
    return this
  }

  /** The node takes a transaction, or a block. */
  has(what: TransactionView | BlockView): this {
    if (what instanceof BlockView) this.bench.input({ _tag: "SubmitBlock", block: what })
    else this.bench.input({ _tag: "SubmitTransaction", tx: what })
    return this.#settle()
  }

  /** The disk has what it was asked for. */
  reads(): this {
    for (const asked of this.#asked.splice(0))
      this.bench.input({ ...asked, _tag: "BlockRead", block: this.#kept.get(asked.header) })
    return this.isSlow ? this.#settle() : this
  }

  take(): ReadonlyArray<Message> {
    const taken = this.#messages
    this.#messages = []
    return taken
  }

  #settle(): this {
    for (;;) {
      this.bench.settle()
      const outputs = this.bench.outputs()
      if (outputs.length === 0) return this
      for (const output of outputs) {
        if (output._tag === "Write") this.#messages.push(...sentTo(this.peer, [output]))
        else if (output._tag === "PeerDisconnecting") this.gone = output.reason._tag
        else if (output._tag === "CheckBlock") {
          const { block, context, header } = output
          this.bench.input({ _tag: "BlockChecked", header, block, fault: checkBlock(sha256, block, context) })
        } else if (output._tag === "StoreBlock") {
          this.#kept.set(output.header, output.block)
          this.bench.input({ _tag: "BlocksStored", headers: [output.header] })
        } else if (output._tag === "ReadBlock") this.#asked.push(output)
      }
      if (!this.isSlow) this.reads()
    }
  }
}

const SERVICES = NODE_NETWORK | NODE_WITNESS
const WALLET_TXS = Array.from({ length: 6 }, (_, n) => looseTransaction({ spends: [n], nonce: n }))
const [MINE, OTHERS, LATER] = WALLET_TXS as [Loose, Loose, Loose]
type Loose = ReturnType<typeof looseTransaction>

const filterload = (...elements: ReadonlyArray<Uint8Array>): Message => {
  const filter = BloomFilter.forElements(20, 1e-9, 7, "all")
  for (const element of elements) filter.insert(element)
  return { _tag: "filterload", ...filter.fields }
}
const getdata = (...hashes: ReadonlyArray<Uint8Array>): Message => ({
  _tag: "getdata",
  inventory: Inventory.ofType(MSG_FILTERED_BLOCK, hashes)
})
const blockOf = (...transactions: ReadonlyArray<Loose>): BlockView =>
  BlockView.of(
    new MinedChain(regtest).mine({
      unix: START_UNIX - 600,
      transactions: transactions.map(({ tx }) => tx.materialise())
    })
  )
const told = (messages: ReadonlyArray<Message>): ReadonlyArray<string> =>
  messages.flatMap((message) =>
    message._tag === "inv"
      ? [...message.inventory].filter(({ type }) => type === MSG_TX).map(({ hash }) => hash.join())
      : []
  )

describe("a wallet with a bloom filter", () => {
  it("is told of what matches, in the pool and later, and of a block given the proof and what it proves", () => {
    const wallet = new Wallet(SERVICES | NODE_BLOOM).has(MINE.tx).has(OTHERS.tx).elapse(MINUTE)
    expect(told(wallet.take())).toEqual([])
    wallet.say(filterload(MINE.txid, LATER.txid), { _tag: "mempool" }).elapse(MINUTE)
    expect(told(wallet.take())).toEqual([MINE.txid.join()])
    wallet.has(LATER.tx).elapse(MINUTE)
    expect(told(wallet.take())).toEqual([LATER.txid.join()])
    const block = blockOf(...WALLET_TXS)
    const given = wallet
      .has(block)
      .say(getdata(block.hash(sha256), block.hash(sha256)))
      .take()
    expect(given.map(({ _tag }) => _tag).filter((tag) => tag === "tx" || tag === "merkleblock")).toEqual([
      ...["merkleblock", "tx", "tx"],
      ...["merkleblock", "tx", "tx"]
    ])
    const proof = given.find((message) => message._tag === "merkleblock")
    if (proof === undefined) throw new Error("no proof")
    const { flags, hashes, header, transactionCount } = proof
    const verified = Result.getOrThrow(verifyPartialTree(sha256, { flags, hashes: hashes.raw, transactionCount }))
    expect(verified.root).toEqual(header.merkleRoot)
    expect(verified.proven.map(({ index }) => index)).toEqual([1, 3])
    expect(given.flatMap((message) => (message._tag === "tx" ? [message.tx.txid(sha256)] : []))).toEqual([
      ...[MINE.txid, LATER.txid],
      ...[MINE.txid, LATER.txid]
    ])
    expect(wallet.gone).toBeUndefined()
  })

  it("is offered that by our version, also where it is allowed to it alone", () => {
    const offered = (wallet: Wallet): ReadonlyArray<bigint> =>
      wallet.take().flatMap((message) => (message._tag === "version" ? [message.services & NODE_BLOOM] : []))
    expect(offered(new Wallet(SERVICES))).toEqual([0n])
    expect(offered(new Wallet(SERVICES | NODE_BLOOM))).toEqual([NODE_BLOOM])
    const allowed = new Wallet(SERVICES, "bloomfilter@10.0.0.0/8")
    expect(offered(allowed)).toEqual([NODE_BLOOM])
    expect(allowed.say(filterload(MINE.txid)).gone).toBeUndefined()
    expect(offered(new Wallet(SERVICES, "bloomfilter@11.0.0.0/8"))).toEqual([0n])
  })

  it("has to go where none was offered, or where it adds to none", () => {
    expect(new Wallet(SERVICES).say(filterload()).gone).toBe("FilterNotOffered")
    expect(new Wallet(SERVICES).say({ _tag: "mempool" }).gone).toBe("PoolNotServed")
    const add: Message = { _tag: "filteradd", element: MINE.txid }
    expect(new Wallet(SERVICES | NODE_BLOOM).say(add).gone).toBe("FilterMissing")
    expect(new Wallet(SERVICES | NODE_BLOOM).say(filterload(), add).gone).toBeUndefined()
  })

  it("is heard again once it was given a block and, while that was read, the pool", () => {
    const wallet = new Wallet(SERVICES | NODE_BLOOM).has(MINE.tx)
    const block = blockOf(OTHERS)
    wallet.has(block).isSlow = true
    wallet
      .say(filterload(MINE.txid), { _tag: "mempool" }, getdata(block.hash(sha256)), { _tag: "ping", nonce: 7n })
      .elapse(MINUTE)
    expect(told(wallet.take())).toEqual([MINE.txid.join()])
    const given = wallet.reads().take()
    expect(given.map(({ _tag }) => _tag)).toEqual(["merkleblock", "pong"])
  })

  it("leaves nothing behind", () => {
    const wallet = new Wallet(SERVICES | NODE_BLOOM).say(filterload(MINE.txid))
    wallet.bench.input({ _tag: "ConnectionClosed", peer: wallet.peer, how: "over" })
    expect(wallet.bench.core.isEmpty).toBe(true)
  })
})
