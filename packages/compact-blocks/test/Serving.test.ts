/** What peers are given in short, and told of. */
import { portableSha256 } from "@satwire/crypto"
import { describe, expect, it } from "vitest"
import { MAX_BLOCKTXN_DEPTH, MAX_CMPCTBLOCK_DEPTH } from "../src/index.ts"
import { compact } from "./Blocks.ts"
import { CompactHarness, type HarnessOptions } from "./CompactHarness.ts"
import { OTHER, blockOf } from "./TestChain.ts"

const withPeers = (options: HarnessOptions = {}): CompactHarness => {
  const harness = new CompactHarness(options).ready(1, { wants: true }).ready(2)
  harness.words()
  return harness
}

describe("a new block", () => {
  const told = (harness: CompactHarness): ReadonlyArray<string> => harness.valid(11).words()

  it("is told in short to who wants it so, has its parent, and has it not", () => {
    const harness = withPeers()
    harness.has.set(1, 10).set(2, 10)
    expect(told(harness)).toEqual(["1 Send cmpctblock, whole 0", "1 Announced 11"])
    expect(harness.valid(11).words()).toEqual([])
    const known = withPeers()
    known.has.set(1, 11)
    expect(told(known)).toEqual([])
    const behind = withPeers()
    behind.has.set(1, 9)
    expect(told(behind)).toEqual([])
  })

  it("is told to none that bans for what it may turn out to be", () => {
    const harness = new CompactHarness().ready(1, { wants: true, protocolVersion: 70_014 })
    harness.has.set(1, 10)
    harness.words()
    expect(told(harness)).toEqual([])
  })

  it("is told in one message, and at each height once", () => {
    const harness = withPeers().ready(3, { wants: true })
    harness.has.set(1, 10).set(3, 10)
    const [first, second] = harness
      .valid(11)
      .take("Send")
      .filter(({ message }) => message._tag === "cmpctblock")
    expect(first?.message).toBe(second?.message)
    harness.words()
    harness.has.set(1, OTHER + 10)
    expect(harness.valid(OTHER + 11).words()).toEqual([])
  })

  it("is not told where blocks are held back, or segwit is to come", () => {
    for (const options of [{ announces: false }, { serves: false }]) {
      const harness = withPeers(options)
      harness.has.set(1, 10)
      expect(told(harness)).toEqual([])
    }
    const old = withPeers()
    old.hasWitness = false
    old.has.set(1, 10)
    expect(told(old)).toEqual([])
  })

  it("is told with what had to be fetched for it whole, and with what came whole and we had not", () => {
    const harness = withPeers({ lacks: [2, 5, 7] }).choose(2)
    harness.compact(2, 11, compact(blockOf(11), { prefill: [3, 5, 9] })).blocktxn(2, 11, [2, 7])
    harness.has.set(1, 10)
    harness.words()
    expect(told(harness)).toEqual(["1 Send cmpctblock, whole 0,2,5,7", "1 Announced 11"])
  })

  it("of ours is told with what it has of our own that nobody asked for whole, one of others' is not", () => {
    const block = blockOf(11)
    const unbroadcast = (): ReadonlyArray<Uint8Array> => [
      ...[9, 4].map((i) => block.transaction(i).wtxid(portableSha256)),
      new Uint8Array(32).fill(1)
    ]
    const whole = (isOurs: boolean, options: HarnessOptions): string | undefined => {
      const harness = withPeers({ unbroadcast, ...options })
      harness.has.set(1, 10)
      return harness.valid(11, isOurs).words()[0]
    }
    expect(whole(true, {})).toBe("1 Send cmpctblock, whole 0,4,9")
    expect(whole(false, {})).toBe("1 Send cmpctblock, whole 0")
    expect(whole(true, { prefills: false })).toBe("1 Send cmpctblock, whole 0")
  })

  it("is told with nothing but its coinbase whole where that is all that is to be", () => {
    const harness = withPeers({ lacks: [2, 5], prefills: false }).choose(2)
    harness.compact(2, 11).blocktxn(2, 11, [2, 5])
    harness.has.set(1, 10)
    harness.words()
    expect(told(harness)).toEqual(["1 Send cmpctblock, whole 0", "1 Announced 11"])
  })
})

describe("a block that is asked for in short", () => {
  const asked = (harness: CompactHarness, header: number, peer = 2): ReadonlyArray<string> =>
    harness.input({ _tag: "BlockRequested", peer: peer as never, header, block: blockOf(header) }).words()

  it("is given so down to five below the tip, and deeper whole", () => {
    const harness = withPeers()
    expect(asked(harness, 10)).toEqual(["2 Send cmpctblock, whole 0"])
    expect(asked(harness, 10 - MAX_CMPCTBLOCK_DEPTH)).toEqual(["2 Send cmpctblock, whole 0"])
    expect(asked(harness, 9 - MAX_CMPCTBLOCK_DEPTH)).toEqual(["2 Send block"])
    expect(asked(harness, 10, 7)).toEqual([])
  })

  it("is given whole while our tip is old", () => {
    const harness = withPeers()
    harness.isRecent = false
    expect(asked(harness, 10)).toEqual(["2 Send block"])
  })

  it("is built once for all who ask", () => {
    const harness = withPeers()
    const message = (header: number): unknown => {
      harness.input({ _tag: "BlockRequested", peer: 2 as never, header, block: blockOf(header) })
      return harness.take("Send").at(-1)?.message
    }
    const first = message(10)
    for (let header = 6; header < 10; header++) message(header)
    expect(message(10)).toBe(first)
    for (let header = 5; header < 10; header++) message(header)
    message(OTHER + 10)
    expect(message(10)).not.toBe(first)
  })
})

describe("transactions of a block that are asked for", () => {
  it("are given at once of the newest block", () => {
    const harness = withPeers().valid(11)
    harness.words()
    harness.getblocktxn(2, 11, [0, 3, 20])
    const [sent] = harness.take("Send")
    const message = sent?.message
    if (message?._tag !== "blocktxn") throw new Error("nothing was given")
    expect(message.transactions.map(({ bytes }) => bytes)).toEqual(
      [0, 3, 20].map((i) => blockOf(11).transaction(i).bytes)
    )
    expect(harness.words()).toEqual([])
  })

  it("are read of others, one question of a peer at a time", () => {
    const harness = withPeers({ tip: 12 }).getblocktxn(2, 9, [1, 2]).getblocktxn(2, 8, [1])
    expect(harness.words()).toEqual(["2 ReplyOwed true", "2 ReadBlock 9"])
    harness.input({ _tag: "BlockTxnRead", peer: 2 as never, block: blockOf(9) })
    expect(harness.words()).toEqual(["2 Send blocktxn 9: 2", "2 ReplyOwed false"])
    harness.getblocktxn(2, 8, [1]).input({ _tag: "BlockTxnRead", peer: 2 as never, block: undefined })
    expect(harness.words()).toEqual(["2 ReplyOwed true", "2 ReadBlock 8", "2 ReplyOwed false"])
  })

  it("are read down to ten below the tip, and deeper the whole block is given", () => {
    const harness = withPeers({ tip: 20 })
    expect(harness.getblocktxn(2, 20 - MAX_BLOCKTXN_DEPTH, [1]).words()).toContain("2 ReadBlock 10")
    expect(harness.getblocktxn(1, 19 - MAX_BLOCKTXN_DEPTH, [1]).words()).toEqual(["1 GiveWhole 9"])
  })

  it("are not given of what is not here, nor where nothing is given", () => {
    expect(withPeers().getblocktxn(2, 11, [1]).words()).toEqual([])
    expect(withPeers({ serves: false }).getblocktxn(2, 10, [1]).words()).toEqual([])
    const unknown = { _tag: "getblocktxn", blockHash: new Uint8Array(32) as never, indexes: [1] } as const
    expect(
      withPeers()
        .input({ _tag: "Received", peer: 2 as never, message: unknown })
        .words()
    ).toEqual([])
  })

  it("that the block does not have cost the connection", () => {
    const harness = withPeers().valid(11)
    harness.words()
    expect(harness.getblocktxn(2, 11, [20, 21]).words()).toEqual(["2 Misbehaved getblocktxn"])
    harness.getblocktxn(1, 9, [21]).input({ _tag: "BlockTxnRead", peer: 1 as never, block: blockOf(9) })
    expect(harness.words().slice(-2)).toEqual(["1 Misbehaved getblocktxn", "1 ReplyOwed false"])
  })

  it("are forgotten where who asked has gone", () => {
    const harness = withPeers().getblocktxn(2, 9, [1]).gone(2)
    harness.words()
    expect(harness.input({ _tag: "BlockTxnRead", peer: 2 as never, block: blockOf(9) }).words()).toEqual([])
  })
})
