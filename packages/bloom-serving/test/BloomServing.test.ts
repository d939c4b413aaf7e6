import { portableSha256 } from "@satwire/crypto"
import { BloomFilter, verifyPartialTree } from "@satwire/filters"
import { Instant, PeerId, UnixSeconds } from "@satwire/machine"
import { BlockView, type Transaction, TransactionView, ZERO_HASH, txid } from "@satwire/primitives"
import { looseTransaction } from "@satwire/testkit"
import type { FilterLoad } from "@satwire/wire"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BloomServing, type BloomServingInput, type BloomServingOutput } from "../src/index.ts"

const PEER = PeerId(1)
const header = {
  version: 4,
  previousBlock: ZERO_HASH,
  merkleRoot: new Uint8Array(32),
  time: 0,
  bits: 0,
  nonce: 0
}

const blockOf = (transactions: ReadonlyArray<Transaction>): BlockView => BlockView.of({ header, transactions })

/** The key hash that output `i` of transaction `nonce` pays to. */
const keyHash = (nonce: number, i: number): Uint8Array => new Uint8Array(20).fill(nonce).fill(i, 10)

/** Spends the output of a number that nobody has, or what it is told, and pays to key hashes. */
const paying = (nonce: number, outputs: number, spends: Parameters<typeof looseTransaction>[0]["spends"] = [nonce]) => {
  const tx = looseTransaction({ spends, nonce, outputs }).tx.materialise()
  const scriptPubKey = (i: number): Uint8Array => Uint8Array.of(0, 20, ...keyHash(nonce, i))
  return { ...tx, outputs: tx.outputs.map((output, i) => ({ ...output, scriptPubKey: scriptPubKey(i) })) }
}

/** A block of so many transactions that nothing ties together. */
const block = (count: number, outputs: number = 2): BlockView =>
  blockOf(Array.from({ length: count }, (_, nonce) => paying(nonce, outputs)))

const loaded = (filter: BloomFilter): FilterLoad => ({ _tag: "filterload", ...filter.fields })

/** Every bit is set but one: everything is looked for to the end, and little matches. */
const costly = (): FilterLoad => {
  const filter = new Uint8Array(36_000).fill(255)
  filter[0] = 0
  return { _tag: "filterload", filter, hashFunctions: 50, tweak: 1, flags: 1 }
}

class Bench {
  readonly serving: BloomServing = new BloomServing(portableSha256)
  outputs: Array<BloomServingOutput> = []

  input(input: BloomServingInput): this {
    this.serving.handle(input, { instant: Instant(0), unix: UnixSeconds(0) }, { push: (out) => this.outputs.push(out) })
    return this
  }
  ready(isOffered: boolean = true): this {
    return this.input({ _tag: "PeerReady", peer: PEER, isOffered })
  }
  received(message: Extract<BloomServingInput, { _tag: "Received" }>["message"]): this {
    return this.input({ _tag: "Received", peer: PEER, message })
  }
  give(what: BlockView, peer: PeerId = PEER): this {
    return this.input({ _tag: "GiveBlock", peer, block: what })
  }
  /** Runs to the end; gives how many turns that took. */
  run(): number {
    let turns = 0
    for (; this.serving.nextTimeout() !== undefined; turns++) this.input({ _tag: "Timeout" })
    return turns
  }
  tags(): ReadonlyArray<string> {
    return this.outputs.map((output) => (output._tag === "Send" ? output.message._tag : output._tag))
  }
  /** The txids that were proven, and those that were sent. */
  given(): readonly [ReadonlyArray<string>, ReadonlyArray<string>] {
    const sent: Array<TransactionView> = []
    const proven: Array<string> = []
    for (const output of this.outputs) {
      if (output._tag !== "Send") continue
      if (output.message._tag === "tx") sent.push(output.message.tx)
      else {
        const { flags, hashes, transactionCount } = output.message
        const proof = verifyPartialTree(portableSha256, { flags, hashes: hashes.raw, transactionCount })
        proven.push(...Result.getOrThrow(proof).proven.map(({ txid }) => txid.join()))
      }
    }
    return [proven, sent.map((tx) => tx.txid(portableSha256).join())]
  }
}

const idsOf = (of: BlockView, numbers: ReadonlyArray<number>): ReadonlyArray<string> =>
  numbers.map((i) => of.transaction(i).txid(portableSha256).join())

describe("a block through a filter", () => {
  it("is a proof of what matches, and what it proves, for any of a block's transactions", () => {
    const of = block(37)
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(36), { maxLength: 12 }), (numbers) => {
        const filter = BloomFilter.forElements(50, 1e-9, 3, "none")
        for (const i of numbers) filter.insert(of.transaction(i).txid(portableSha256))
        const bench = new Bench().ready().received(loaded(filter)).give(of)
        bench.run()
        const expected = idsOf(
          of,
          numbers.toSorted((a, b) => a - b)
        )
        expect(bench.given()).toEqual([expected, expected])
        expect(bench.outputs.at(-1)).toEqual({ _tag: "BlockGiven", peer: PEER, isSent: true })
      }),
      { numRuns: 20 }
    )
  })

  it("follows a coin that matched to where it is spent, in the same block and after", () => {
    const first = paying(1, 1)
    const spending = looseTransaction({ spends: [[txid(portableSha256, first), 0]] })
    const filter = BloomFilter.forElements(50, 1e-9, 3, "all")
    filter.insert(keyHash(1, 0))
    const bench = new Bench().ready().received(loaded(filter))
    expect(bench.serving.matches(PEER, spending.tx, spending.txid)).toBe(false)
    const both = blockOf([first, spending.tx.materialise()])
    bench.give(both).run()
    expect(bench.given()[1]).toEqual(idsOf(both, [0, 1]))
    expect(bench.serving.matches(PEER, spending.tx, spending.txid)).toBe(true)
  })

  it("that takes long is worked out and sent in many turns, and another peer's meanwhile", () => {
    const bench = new Bench().ready().received(costly()).give(block(1, 8000))
    bench.input({ _tag: "PeerReady", peer: PeerId(2), isOffered: true })
    bench.input({ _tag: "Received", peer: PeerId(2), message: loaded(BloomFilter.forElements(1, 0.1, 1, "none")) })
    bench.give(block(3), PeerId(2))
    bench.input({ _tag: "Timeout" }).input({ _tag: "Timeout" })
    expect(bench.outputs.at(-1)).toEqual({ _tag: "BlockGiven", peer: PeerId(2), isSent: true })
    // 8,000 outputs, 50 hashes each, of which a turn has had its share.
    expect(bench.run()).toBe(5)
  })

  it("of which all matches is sent in shares, and the end is said with the last of them", () => {
    const of = block(3000)
    const all: FilterLoad = { _tag: "filterload", filter: Uint8Array.of(255), hashFunctions: 1, tweak: 0, flags: 0 }
    const bench = new Bench().ready().received(all).give(of)
    const counts: Array<number> = []
    for (let before = bench.outputs.length; bench.serving.nextTimeout() !== undefined; before = bench.outputs.length) {
      bench.input({ _tag: "Timeout" })
      counts.push(bench.outputs.length - before)
    }
    const shares = counts.filter((count) => count > 0)
    expect([shares.length, shares.reduce((a, b) => a + b)]).toEqual([Math.ceil(of.bytes.length / 131_072), 3000 + 2])
    // The end is in the turn of the last transactions: else nothing would be on its way any more.
    expect(counts.at(-1)).toBeGreaterThan(1)
    // All but the last say that more comes.
    const more = bench.outputs.flatMap((output) => (output._tag === "Send" ? [output.hasMore] : []))
    expect(more.indexOf(false)).toBe(more.length - 1)
  })
})

describe("a filter", () => {
  it("is set, added to and cleared, and whoever has none matches everything", () => {
    const loose = looseTransaction({ spends: [1] })
    const bench = new Bench().ready()
    const matches = (): boolean => bench.serving.matches(PEER, loose.tx, loose.txid)
    expect([matches(), bench.serving.hasFilter(PEER)]).toEqual([true, false])
    bench.received(loaded(BloomFilter.forElements(10, 1e-6, 0, "none")))
    expect([matches(), bench.serving.hasFilter(PEER)]).toEqual([false, true])
    bench.received({ _tag: "filteradd", element: loose.txid })
    expect(matches()).toBe(true)
    bench.received({ _tag: "filterclear" })
    expect([matches(), bench.serving.hasFilter(PEER)]).toEqual([true, false])
    expect(bench.outputs).toEqual([
      { _tag: "FilterSet", peer: PEER, isSet: true },
      { _tag: "FilterSet", peer: PEER, isSet: false }
    ])
    bench.input({ _tag: "PeerGone", peer: PEER })
    expect(bench.serving.isEmpty).toBe(true)
  })

  it("that takes too long for a transaction matches it", () => {
    // What is pushed passes all functions but the last.
    const filter = new BloomFilter({ filter: new Uint8Array(36_000), hashFunctions: 49, tweak: 1, flags: 0 })
    filter.insert(Uint8Array.of(7))
    const bench = new Bench().ready().received({ ...loaded(filter), hashFunctions: 50 })
    const matches = (pushes: number): boolean => {
      const whole = paying(1, 1)
      const scriptPubKey = Uint8Array.from({ length: 2 * pushes }, (_, i) => (i % 2 === 0 ? 1 : 7))
      const tx = TransactionView.of({ ...whole, outputs: whole.outputs.map((each) => ({ ...each, scriptPubKey })) })
      return bench.serving.matches(PEER, tx, tx.txid(portableSha256))
    }
    expect([matches(1000), matches(40_000)]).toEqual([false, true])
    expect(bench.serving.work).toBeLessThan(160_000)
  })

  it("that is not there cannot be added to: that is discouraged", () => {
    const bench = new Bench().ready().received({ _tag: "filteradd", element: new Uint8Array(3) })
    expect(bench.outputs).toEqual([{ _tag: "Misbehaved", peer: PEER, reason: { _tag: "FilterMissing" } }])
  })

  it.each([costly(), { _tag: "filteradd", element: new Uint8Array(3) }, { _tag: "filterclear" }] as const)(
    "of who was not offered any ends the connection, by its $_tag",
    (message) => {
      const bench = new Bench().ready(false).received(message)
      const reason = { _tag: "FilterNotOffered", command: message._tag }
      expect(bench.outputs).toEqual([{ _tag: "Disconnect", peer: PEER, reason }])
      expect([bench.serving.hasFilter(PEER), bench.serving.isEmpty]).toEqual([false, true])
    }
  )

  it("that was cleared or whose peer went gives nothing of a block", () => {
    const bench = new Bench().ready().received(costly()).received({ _tag: "filterclear" }).give(block(2))
    expect(bench.outputs.at(-1)).toEqual({ _tag: "BlockGiven", peer: PEER, isSent: false })
    bench.received(costly()).give(block(200, 30)).input({ _tag: "Timeout" }).input({ _tag: "PeerGone", peer: PEER })
    expect([bench.run(), bench.serving.isEmpty]).toEqual([0, true])
  })
})
