/**
 * What is done to a node by compact blocks and by announcements, on a virtual clock, beside an honest peer: it is bounded, and nothing is lost.
 *
 * The rules by themselves are tested where they are kept; here they meet. By the rows of the disclosed attacks:
 *
 * ```
 *    6  tx-request/test/TxRequestTracker  tx-relay/test/Download
 *   10  compact-blocks/test/PartialBlock  compact-blocks/test/Receiving
 *   12  tx-relay/test/Trickle             tx-relay/test/KnownInventory
 *   15  compact-blocks/test/PartialBlock
 *   17  compact-blocks/test/ShortIdTable  compact-blocks/test/PartialBlock  compact-blocks/test/Scenarios
 *   19  compact-blocks/test/Receiving     tx-relay/test/Serving             tx-relay/test/Trickle
 * ```
 */
import { buildCompactBlock } from "@satwire/compact-blocks"
import { checkBlock } from "@satwire/consensus"
import { concat, toHex } from "@satwire/bytes"
import { portableSha256 as sha256 } from "@satwire/crypto"
import type { PeerId } from "@satwire/machine"
import type { NodeCoreOutput } from "@satwire/node-core"
import { BlockView, TransactionView, regtest } from "@satwire/primitives"
import { MinedChain, frame, looseTransaction } from "@satwire/testkit"
import {
  type BlockTxn,
  type CmpctBlock,
  Inventory,
  MSG_CMPCT_BLOCK,
  MSG_WITNESS_BLOCK,
  MSG_WTX,
  type Message,
  NODE_NETWORK,
  NODE_WITNESS,
  VERACK,
  headersMessage
} from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { NodeBench, START_UNIX, THEIR_VERSION, framed, sentTo } from "./NodeBench.ts"

const MINUTE = 60_000

/** How a peer answers what it is sent. */
type Manner = (message: Message) => ReadonlyArray<Message>

const silent: Manner = () => []

const typed = (type: number, ...hashes: ReadonlyArray<Uint8Array>): Inventory => Inventory.ofType(type, hashes)
const inv = (...wtxids: ReadonlyArray<Uint8Array>): Message => ({ _tag: "inv", inventory: typed(MSG_WTX, ...wtxids) })
const getdata = (type: number, ...hashes: ReadonlyArray<Uint8Array>): Message => ({
  _tag: "getdata",
  inventory: typed(type, ...hashes)
})
const tx = (view: TransactionView): Message => ({ _tag: "tx", tx: view })

/** A node with blocks and transactions, a disk that is done at once, and peers that are scripts. */
class Town {
  readonly bench = new NodeBench({
    roles: { blocks: { serve: true, isLimited: false, kept: [] }, transactions: { relays: true } }
  })
  readonly chain = new MinedChain(regtest)
  /** What each peer was sent, and why it was let go. */
  readonly said: Map<PeerId, Array<Message>> = new Map()
  readonly gone: Map<PeerId, string> = new Map()
  readonly facts: Array<NodeCoreOutput> = []
  readonly #manners: Map<PeerId, Manner> = new Map()
  readonly #kept: Map<number, BlockView> = new Map()

  constructor() {
    for (let i = 0; i < 3; i++) this.submit(this.mine())
  }

  /** The height of the chain that it follows. */
  get height(): number {
    return this.bench.tree.height(this.bench.core.blockTip)
  }

  get pool() {
    return this.bench.core.query("pool")
  }

  mine(...transactions: ReadonlyArray<TransactionView>): BlockView {
    const unix = START_UNIX - 3000 + 60 * this.chain.best
    return BlockView.of(this.chain.mine({ unix, transactions: transactions.map((view) => view.materialise()) }))
  }

  submit(block: BlockView): void {
    this.bench.input({ _tag: "SubmitBlock", block })
    this.#settle()
  }

  /** Takes transactions of its own. */
  make(...transactions: ReadonlyArray<TransactionView>): void {
    for (const view of transactions) this.bench.input({ _tag: "SubmitTransaction", tx: view })
    this.#settle()
  }

  peer(direction: "inbound" | "outbound", manner: Manner = silent): PeerId {
    const id = this.bench.open(direction)
    this.#manners.set(id, manner)
    const version = { ...THEIR_VERSION, services: NODE_NETWORK | NODE_WITNESS }
    const cmpct: Message = { _tag: "sendcmpct", highBandwidth: false, version: 2n }
    this.say(id, version, { _tag: "wtxidrelay" }, VERACK, cmpct)
    return id
  }

  /** A peer that was the first to deliver a block, and so is to send the next ones in short at once. */
  chosen(direction: "inbound" | "outbound", manner: Manner): PeerId {
    const block = this.mine()
    const giving = giver(block)
    let isOver = false
    const id = this.peer(direction, (message) => (isOver ? manner(message) : giving(message)))
    this.say(id, headersOf(block))
    isOver = true
    expect(this.bench.core.query("compact")?.highBandwidthTo).toContain(id)
    return id
  }

  say(peer: PeerId, ...messages: ReadonlyArray<Message>): void {
    if (this.gone.has(peer)) return
    this.bench.receive(peer, framed(...messages))
    this.#settle()
  }

  /** Bytes as they are. */
  sayRaw(peer: PeerId, bytes: Uint8Array): void {
    this.bench.receive(peer, bytes)
    this.#settle()
  }

  elapse(ms: number): this {
    this.bench.elapse(ms, () => this.#settle())
    return this
  }

  /** The messages of one kind that a peer was sent. */
  sent<Tag extends Message["_tag"]>(peer: PeerId, tag: Tag): ReadonlyArray<Extract<Message, { readonly _tag: Tag }>> {
    const all = this.said.get(peer) ?? []
    return all.filter((message): message is Extract<Message, { readonly _tag: Tag }> => message._tag === tag)
  }

  /** The hashes that it was asked for, or told of, by one type. */
  listed(peer: PeerId, tag: "getdata" | "inv" | "notfound", type: number): ReadonlyArray<string> {
    const entries = this.sent(peer, tag).flatMap(({ inventory }) => [...inventory])
    return entries.filter((entry) => entry.type === type).map(({ hash }) => toHex(hash))
  }

  #settle(): void {
    for (;;) {
      this.bench.settle()
      const outputs = this.bench.outputs()
      if (outputs.length === 0) return
      for (const output of outputs) this.#perform(output)
    }
  }

  #perform(output: NodeCoreOutput): void {
    const { bench } = this
    switch (output._tag) {
      case "Write": {
        const messages = sentTo(output.peer, [output])
        const said = this.said.get(output.peer)
        if (said === undefined) this.said.set(output.peer, [...messages])
        else said.push(...messages)
        const answers = messages.flatMap(this.#manners.get(output.peer) ?? silent)
        if (answers.length > 0 && !this.gone.has(output.peer)) bench.receive(output.peer, framed(...answers))
        return
      }
      case "CheckBlock": {
        const { block, context, header } = output
        return void bench.input({ _tag: "BlockChecked", header, block, fault: checkBlock(sha256, block, context) })
      }
      case "StoreBlock":
        this.#kept.set(output.header, output.block)
        return void bench.input({ _tag: "BlocksStored", headers: [output.header] })
      case "ReadBlock":
        return void bench.input({ ...output, _tag: "BlockRead", block: this.#kept.get(output.header) })
      case "PeerDisconnecting":
        this.gone.set(output.peer, output.reason._tag)
        return
      default:
        this.facts.push(output)
    }
  }
}

const headersOf = (block: BlockView): Message => headersMessage(block.rawHeader.slice())
const compactOf = (block: BlockView): CmpctBlock => buildCompactBlock(sha256, block, { nonce: 5n })
const partOf = (block: BlockView, indexes: ReadonlyArray<number>): BlockTxn => ({
  _tag: "blocktxn",
  blockHash: block.hash(sha256),
  transactions: indexes.map((i) => block.transaction(i))
})

/** Gives a block as it is asked for. */
const giver =
  (block: BlockView): Manner =>
  (message) => {
    if (message._tag === "getblocktxn") return [partOf(block, message.indexes)]
    if (message._tag !== "getdata") return []
    return [...message.inventory].flatMap(({ type }): ReadonlyArray<Message> => {
      if (type === MSG_CMPCT_BLOCK) return [compactOf(block)]
      return type === MSG_WITNESS_BLOCK ? [{ _tag: "block", block }] : []
    })
  }

const loose = (n: number): TransactionView => looseTransaction({ spends: [n], witnessBytes: 40 }).tx

const COUNT = 20
const ALL: ReadonlyArray<TransactionView> = Array.from({ length: COUNT }, (_, n) => loose(n))

/**
 * The next block, of which the node lacks the last transaction. Somebody who dialled it and was chosen does what the test says; an honest peer that
 * was chosen as well has the block too, and comes later.
 */
class Siege {
  readonly town = new Town()
  readonly bad: PeerId
  readonly good: PeerId
  readonly block: BlockView
  /** How the attacker goes on. */
  answer: Manner = silent
  /** Whether the honest peer is slow. */
  isSlow = false

  constructor() {
    const { town } = this
    this.bad = town.chosen("inbound", (message) => this.answer(message))
    this.good = town.chosen("outbound", (message) => (this.isSlow ? [] : giver(this.block)(message)))
    town.make(...ALL.slice(0, -1))
    this.block = town.mine(...ALL)
    for (const messages of town.said.values()) messages.length = 0
  }

  get short(): CmpctBlock {
    return compactOf(this.block)
  }

  /** How often the attacker was asked for the whole block, and for parts of it. */
  get asked(): { readonly whole: number; readonly parts: number } {
    const { bad, town } = this
    return {
      whole: town.listed(bad, "getdata", MSG_WITNESS_BLOCK).length,
      parts: town.sent(bad, "getblocktxn").length
    }
  }

  attack(...messages: ReadonlyArray<Message>): void {
    this.town.say(this.bad, ...messages)
    expect(this.town.height).toBe(5)
  }

  /** The honest peer sends what it has to send, and the block is there, whatever happened; of `gone` the attacker went for it. */
  relieved(gone: string | undefined, message: Message = this.short): void {
    const { bad, block, good, town } = this
    town.say(good, message)
    expect(town.height).toBe(6)
    expect(toHex(town.bench.tree.hash(town.bench.core.blockTip))).toBe(toHex(block.hash(sha256)))
    expect([town.gone.get(bad), town.gone.get(good)]).toEqual([gone, undefined])
    expect([town.bench.core.query("compact")?.partial, town.pool?.count]).toEqual([0, 0])
  }
}

describe("a block of which an attacker sends the short form first", () => {
  const changed = (message: CmpctBlock, change: (ids: Uint8Array) => void): CmpctBlock => {
    const shortIds = message.shortIds.slice()
    change(shortIds)
    return { ...message, shortIds }
  }

  it.each([
    ["doubled ids", (ids: Uint8Array): unknown => ids.copyWithin(6, 0, 6)],
    ["ids that crowd one bucket", (ids: Uint8Array) => ids.set(ids.map((_, i) => (i % 6 === 5 ? i : 0)))]
  ])("with %s is asked for whole, costs nobody the connection, and comes of another (ATTACKS 17)", (_, change) => {
    const siege = new Siege()
    siege.attack(changed(siege.short, change))
    expect(siege.asked).toEqual({ whole: 1, parts: 0 })
    siege.relieved(undefined)
  })

  it("with ids that were ground to be those of others is found out by its root, and comes of another (ATTACKS 17)", () => {
    const siege = new Siege()
    siege.answer = (message) => (message._tag === "getblocktxn" ? [partOf(siege.block, message.indexes)] : [])
    const swapped = changed(siege.short, (ids) => {
      const first = ids.slice(0, 6)
      ids.copyWithin(0, 6, 12)
      ids.set(first, 6)
    })
    siege.attack(swapped)
    expect(siege.asked).toEqual({ whole: 1, parts: 1 })
    siege.relieved(undefined)
  })

  it("with a blocktxn of others, again and again, is put together once, and comes of another (ATTACKS 10)", () => {
    const siege = new Siege()
    const other = partOf(siege.block, [1])
    siege.answer = (message) => (message._tag === "getblocktxn" ? [other, other] : [])
    siege.attack(siege.short)
    siege.attack(other, partOf(siege.block, [COUNT]), partOf(siege.block, [COUNT]))
    expect(siege.asked).toEqual({ whole: 1, parts: 1 })
    siege.relieved(undefined)
  })

  it.each([0, 2])(
    "with a blocktxn of %i where one was asked for costs its sender the connection (ATTACKS 10)",
    (count) => {
      const siege = new Siege()
      const wrong = partOf(siege.block, [COUNT, COUNT].slice(0, count))
      siege.answer = (message) => (message._tag === "getblocktxn" ? [wrong] : [])
      siege.attack(siege.short)
      siege.relieved("BadCompactBlock")
    }
  )

  it("with transactions that weigh more than a block may is never put together (ATTACKS 15)", () => {
    const siege = new Siege()
    const big = TransactionView.of({
      ...loose(99).materialise(),
      outputs: [{ amount: 0n as never, scriptPubKey: new Uint8Array(520_000) }]
    })
    const { prefilled, ...rest } = siege.short
    const heavy = [1, 2].map((index) => ({ index, tx: big }))
    siege.attack({ ...rest, prefilled: [...prefilled, ...heavy] })
    expect(siege.asked).toEqual({ whole: 1, parts: 0 })
    siege.relieved(undefined)
  })

  it("with a whole transaction at a number that it does not have costs its sender the connection", () => {
    const siege = new Siege()
    const prefilled = [{ index: COUNT + 5, tx: siege.block.transaction(0) }]
    siege.attack({ ...siege.short, prefilled })
    siege.relieved("BadPayload")
  })

  it("and which it never gives comes within a minute of a stranger who only announces it (ATTACKS 10, 17)", () => {
    const siege = new Siege()
    const { block, town } = siege
    siege.attack({ ...siege.short, shortIds: new Uint8Array(6 * COUNT) })
    expect(siege.asked).toEqual({ whole: 1, parts: 0 })
    const other = town.peer("inbound", giver(block))
    town.say(other, headersOf(block))
    expect(town.height).toBe(5)
    town.elapse(MINUTE)
    siege.relieved(undefined)
  })
})

describe("a short block of a chosen peer", () => {
  it("whose parent's header we did not take leads to both blocks: such a peer announces in no other way", () => {
    const town = new Town()
    const has: Array<BlockView> = []
    const peer = town.chosen("outbound", (message) => {
      if (message._tag === "getheaders") return [headersMessage(concat(has.map(({ rawHeader }) => rawHeader)))]
      const asked = message._tag === "getdata" ? [...message.inventory].map(({ hash }) => toHex(hash)) : []
      return has.filter((block) => asked.includes(toHex(block.hash(sha256)))).map((block) => ({ _tag: "block", block }))
    })
    // By our clock the first one lies too far ahead, and nobody is blamed for it.
    const early = BlockView.of(town.chain.mine({ unix: town.bench.now.unix + 7201 }))
    has.push(early)
    town.say(peer, compactOf(early))
    expect(town.height).toBe(4)
    town.elapse(MINUTE)
    const next = BlockView.of(town.chain.mine({ unix: town.bench.now.unix }))
    has.push(next)
    town.say(peer, compactOf(next))
    expect([town.height, town.gone.get(peer)]).toEqual([6, undefined])
  })
})

describe("what others do while an honest peer has a block to complete", () => {
  /** The honest peer was asked for the rest of the block. */
  const waiting = (): Siege => {
    const siege = new Siege()
    siege.isSlow = true
    siege.town.say(siege.good, siege.short)
    expect(siege.town.sent(siege.good, "getblocktxn")).toMatchObject([{ indexes: [COUNT] }])
    return siege
  }

  /** The block with another witness in one of its transactions, of which its header knows nothing. */
  const mutated = (block: BlockView): BlockView => {
    const bytes = block.bytes.slice()
    // The last byte of the last witness stands before the lock time.
    bytes[bytes.length - 5] = (bytes[bytes.length - 5] as number) ^ 1
    const decoded = BlockView.decode(bytes)
    if (decoded._tag === "Failure") throw decoded.failure
    return decoded.success.value
  }

  it("changes nothing of that: a mutated block, a part of it, parts that nobody asked for (ATTACKS 11)", () => {
    const siege = waiting()
    const { bad, block, town } = siege
    siege.attack({ _tag: "block", block: mutated(block) })
    expect(town.bench.core.query("compact")?.partial).toBe(1)
    const third = town.peer("inbound")
    town.say(third, partOf(block, [1]), partOf(block, [COUNT, COUNT]))
    expect([town.bench.core.query("compact")?.partial, town.height]).toEqual([1, 5])
    siege.relieved(town.gone.get(bad), partOf(block, [COUNT]))
  })

  it("does not make the true block invalid, where one was asked for it whole and sends it mutated (ATTACKS 11)", () => {
    const siege = new Siege()
    siege.answer = (message) => (message._tag === "getdata" ? [{ _tag: "block", block: mutated(siege.block) }] : [])
    siege.attack({ ...siege.short, shortIds: new Uint8Array(6 * COUNT) })
    expect(siege.town.facts.filter(({ _tag }) => _tag === "BlockInvalid")).toEqual([])
    siege.relieved("BadBlock")
  })
})

describe("a getblocktxn", () => {
  it("for numbers that the block has not costs its sender the connection, and nobody else anything", () => {
    const siege = new Siege()
    const { bad, good, town } = siege
    siege.relieved(undefined)
    const ask = (indexes: ReadonlyArray<number>): Message => ({
      _tag: "getblocktxn",
      blockHash: siege.block.hash(sha256),
      indexes
    })
    town.say(bad, ask([COUNT + 1]))
    town.say(good, ask([0, COUNT]))
    expect(town.sent(good, "blocktxn")).toMatchObject([{ transactions: { length: 2 } }])
    expect([town.gone.get(bad), town.gone.get(good)]).toEqual(["BadCompactBlock", undefined])
  })

  it("whose numbers leave 16 bits is no message, and its sender stays (ATTACKS 21)", () => {
    const siege = new Siege()
    const { bad, town } = siege
    const hash = siege.town.chain.hash(5)
    const distances = [Uint8Array.of(2), Uint8Array.of(0xfd, 0xff, 0xff), Uint8Array.of(0)]
    const payload = concat([hash, ...distances])
    town.sayRaw(bad, frame("getblocktxn", payload))
    expect(town.sent(bad, "blocktxn")).toEqual([])
    expect(town.facts.at(-1)).toMatchObject({ _tag: "MessageDropped", peer: bad, command: "getblocktxn" })
    siege.relieved(undefined)
  })
})

describe("who wants to know what our pool has", () => {
  it("learns nothing by a short block that nobody asked it for (ATTACKS 19)", () => {
    const siege = new Siege()
    const { block, town } = siege
    const stranger = town.peer("inbound")
    town.say(stranger, siege.short, partOf(block, [COUNT]))
    expect([town.sent(stranger, "getblocktxn"), town.height]).toEqual([[], 5])
    siege.relieved(undefined)
  })

  it("learns nothing by asking for what it was not told of, nor from when it is told (ATTACKS 19)", () => {
    const town = new Town()
    const [spy, other] = [town.peer("inbound"), town.peer("inbound")]
    const [mine] = ALL as readonly [TransactionView]
    const wtxid = mine.wtxid(sha256)
    town.make(mine)
    town.say(spy, getdata(MSG_WTX, wtxid))
    expect([town.sent(spy, "tx"), town.listed(spy, "notfound", MSG_WTX)]).toEqual([[], [toHex(wtxid)]])
    expect([town.listed(spy, "inv", MSG_WTX), town.bench.clock.ms]).toEqual([[], 0])
    // Who dialled us hears of it at one and the same time.
    while (town.listed(spy, "inv", MSG_WTX).length === 0) town.elapse(1)
    expect(town.listed(other, "inv", MSG_WTX)).toEqual([toHex(wtxid)])
    expect(town.bench.clock.ms).toBeGreaterThan(0)
    town.say(spy, getdata(MSG_WTX, wtxid))
    expect(town.sent(spy, "tx")).toHaveLength(1)
  })

  it("learns nothing by asking for all of it, and has to go (ATTACKS 19)", () => {
    const town = new Town()
    const [spy, other] = [town.peer("inbound"), town.peer("inbound")]
    town.make(...ALL)
    town.say(spy, { _tag: "mempool" })
    town.elapse(MINUTE)
    expect([town.listed(spy, "inv", MSG_WTX), town.gone.get(spy)]).toEqual([[], "PoolNotServed"])
    expect(town.listed(other, "inv", MSG_WTX)).toHaveLength(COUNT)
  })
})

describe("a flood of announcements", () => {
  const junk = (salt: number, count: number): ReadonlyArray<Uint8Array> =>
    Array.from({ length: count }, (_, n) => {
      const hash = new Uint8Array(32).fill(salt)
      new DataView(hash.buffer).setUint32(0, n)
      return hash
    })

  it("of who announces a transaction again and again and never sends it does not keep it from us (ATTACKS 6)", () => {
    const town = new Town()
    const [wanted] = ALL as readonly [TransactionView]
    const wtxid = wanted.wtxid(sha256)
    // Whom we chose is asked before who dialled us.
    const liars = [town.peer("outbound"), town.peer("outbound"), town.peer("inbound")]
    for (const liar of liars) town.say(liar, inv(wtxid), inv(...junk(liar, 6000)))
    const honest = town.peer("inbound", (message) =>
      message._tag === "getdata" && town.listed(honest, "getdata", MSG_WTX).includes(toHex(wtxid)) ? [tx(wanted)] : []
    )
    town.say(honest, inv(wtxid))
    for (let round = 0; round < 30 && town.pool?.count === 0; round++) {
      town.elapse(MINUTE / 6)
      for (const liar of liars) town.say(liar, inv(wtxid))
      expect(town.pool?.announcements).toBeLessThanOrEqual(liars.length * 5000 + 1)
    }
    expect(town.pool?.count).toBe(1)
    for (const liar of liars) {
      const asked = town.listed(liar, "getdata", MSG_WTX).filter((hash) => hash === toHex(wtxid))
      expect(asked.length).toBeLessThanOrEqual(1)
    }
    // Who was asked first had a minute, and each of the others at most.
    expect(town.bench.clock.ms).toBeLessThan((liars.length + 1) * MINUTE)
    expect(town.gone.size).toBe(0)
  })

  it("that our own pool would cause goes out in bounded messages, and in the end all of it (ATTACKS 12)", () => {
    const town = new Town()
    const peers = [town.peer("inbound"), town.peer("inbound"), town.peer("outbound")]
    const many = Array.from({ length: 1500 }, (_, n) => loose(1000 + n))
    town.make(...many)
    town.elapse(10 * MINUTE)
    const names = many.map((each) => toHex(each.wtxid(sha256))).toSorted()
    for (const peer of peers) {
      const counts = town.sent(peer, "inv").map(({ inventory }) => inventory.count)
      // Seventy, and five for each thousand that wait.
      expect(Math.max(...counts)).toBeLessThanOrEqual(80)
      expect(town.listed(peer, "inv", MSG_WTX).toSorted()).toEqual(names)
    }
  })
})
