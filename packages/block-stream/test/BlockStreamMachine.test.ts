import { DEFAULT_BLOCK_BYTES_AHEAD, LACKING_MS, MAX_BLOCKS_AHEAD, MAX_BLOCK_BYTES_BEHIND } from "@satwire/block-stream"
import { BLOCK_STALLING_TIMEOUT_DEFAULT_MS } from "@satwire/block-sync"
import { PeerId } from "@satwire/machine"
import { NODE_NETWORK, NODE_NETWORK_LIMITED, NODE_WITNESS } from "@satwire/wire"
import { describe, expect, test } from "vitest"
import { ChaChaRandom } from "@satwire/crypto"
import { ReadBlocks, type TestPeer, blockAt, chainOf, mutated, spoilt } from "./ReadBlocks.ts"

const LONG = chainOf(400)
const range = (from: number, to: number): Array<number> => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const up = (from: number, to: number): Array<string> => Array.from({ length: to - from + 1 }, (_, i) => `+${from + i}`)
/** What so many of these small blocks count. */
const bytesOf = (blocks: number): number => blocks * blockAt(LONG, 1).bytes.length

describe("blocks for a reader", () => {
  test("come in order from several peers at once, every one checked and none asked for twice", () => {
    const world = new ReadBlocks()
    world.joinAll({ chain: LONG }, { chain: LONG }, { chain: LONG })
    expect(world.read()).toEqual(up(1, 400))
    expect(new Set(world.asked.map((asked) => asked.split(":")[1])).size).toBe(400)
    expect(world.asked).toHaveLength(400)
    expect(new Set(world.asked.map((asked) => asked.split(":")[0])).size).toBe(3)
    for (const id of [1, 2, 3]) world.leave(id)
    expect(world.machine.isEmpty).toBe(true)
  })

  test("are fetched no further ahead than they may be, and on when the reader takes some", () => {
    const world = new ReadBlocks({ bytesAhead: bytesOf(20) })
    world.joinAll({ chain: LONG }, { chain: LONG })
    world.elapse(60_000)
    const { blocksAhead, bytesAhead } = world.machine.snapshot()
    expect(blocksAhead).toBeGreaterThan(10)
    expect(bytesAhead).toBeLessThanOrEqual(bytesOf(22))
    expect(world.read(10)).toHaveLength(10)
    world.elapse(60_000)
    expect(world.asked.length).toBeLessThanOrEqual(10 + 22)
    expect(world.read()).toEqual(up(11, 400))
    expect(world.letGo).toEqual([])
  })

  test("are never more than so many, however small they are", () => {
    const world = new ReadBlocks({ bytesAhead: DEFAULT_BLOCK_BYTES_AHEAD })
    const least = DEFAULT_BLOCK_BYTES_AHEAD / MAX_BLOCKS_AHEAD
    world.join(1, { chain: LONG })
    expect(world.machine.snapshot()).toMatchObject({ blocksAhead: 400, bytesAhead: 400 * least })
  })

  test("are asked for one by one where there is no room and the next one is missing", () => {
    const world = new ReadBlocks({ bytesAhead: bytesOf(8) })
    // It is asked first, and says nothing; the other fills all the room behind it.
    world.join(1, { chain: LONG, gives: () => "nothing" })
    world.join(2, { chain: LONG })
    const before = world.asked.filter((asked) => asked.startsWith("2:")).length
    expect(world.read()).toEqual([])
    world.elapse(BLOCK_STALLING_TIMEOUT_DEFAULT_MS - 1)
    world.leave(1)
    expect(world.read()).toEqual(up(1, 400))
    expect(before).toBeLessThan(20)
  })
})

describe("a peer of a block stream", () => {
  test("is let go when it alone keeps a reader waiting, while another could go on", () => {
    const world = new ReadBlocks({ bytesAhead: bytesOf(8) })
    world.join(1, { chain: LONG, gives: () => "nothing" })
    world.join(2, { chain: LONG, gives: (height) => (height === 1 ? "nothing" : blockAt(LONG, height)) })
    world.elapse(2 * BLOCK_STALLING_TIMEOUT_DEFAULT_MS)
    expect(world.letGo).toContain("1 BlockStalling")
  })

  test("has served once a block of it was kept, though its headers were known", () => {
    const world = new ReadBlocks({ stored: [LONG] })
    world.join(1, { chain: LONG, gives: () => "nothing" })
    expect(world.machine.hasServed(PeerId(1))).toBe(false)
    world.join(2, { chain: LONG })
    expect([world.read().length, world.machine.hasServed(PeerId(2))]).toEqual([0, true])
  })

  test("has so long for the first block that it owes", () => {
    const world = new ReadBlocks({ blockTimeoutMs: 120_000 })
    world.join(1, { chain: LONG, gives: () => "nothing" })
    world.elapse(119_999)
    expect(world.letGo).toEqual([])
    world.elapse(1)
    expect(world.letGo).toEqual(["1 BlockTimeout"])
  })

  test("is let go for bytes that are not those of the block, which another is asked for", () => {
    const world = new ReadBlocks()
    world.join(1, { chain: LONG, gives: (height) => mutated(blockAt(LONG, height)) })
    world.join(2, { chain: LONG })
    expect(world.read()).toEqual(up(1, 400))
    expect(world.letGo).toContain("1 BadBlock")
    expect(world.faults[0]).toEqual({ _tag: "BadBlock", rule: "bad-txnmrklroot" })
    expect(world.letGo.every((gone) => gone === "1 BadBlock")).toBe(true)
  })

  test("is of no use where it offers no blocks, or none with witnesses", () => {
    for (const services of [0n, NODE_WITNESS, NODE_NETWORK]) {
      const world = new ReadBlocks()
      world.join(1, { chain: LONG, services })
      expect(world.letGo).toEqual(["1 NoBlocks"])
    }
  })

  test("that keeps the last blocks alone gives those, and is let go after a while for one below where nobody else has it", () => {
    const services = NODE_NETWORK_LIMITED | NODE_WITNESS
    const near = new ReadBlocks({ start: { from: 200 } })
    near.join(1, { chain: LONG, services })
    expect(near.read()).toEqual(up(200, 400))
    const far = new ReadBlocks()
    far.join(1, { chain: LONG, services })
    far.elapse(LACKING_MS - 1)
    expect([far.letGo, far.asked.includes("1:1")]).toEqual([[], false])
    far.elapse(1)
    expect(far.faults).toEqual([{ _tag: "BlockLacking", height: 1 }])
    const helped = new ReadBlocks()
    helped.join(1, { chain: LONG, services })
    helped.elapse(LACKING_MS - 1)
    helped.join(2, { chain: LONG })
    helped.elapse(10 * LACKING_MS)
    expect([helped.read(), helped.letGo]).toEqual([up(1, 400), []])
  })

  test("that has not one block is passed over for it, and let go where all others have it not", () => {
    const lacking = {
      chain: LONG,
      gives: (height: number) => (height === 7 ? "notfound" : blockAt(LONG, height))
    } as const
    const world = new ReadBlocks()
    world.join(1, { ...lacking })
    world.join(2, { ...lacking })
    expect(world.read()).toEqual(up(1, 6))
    world.elapse(LACKING_MS)
    expect(world.letGo.toSorted()).toEqual(["1 BlockLacking", "2 BlockLacking"])
    world.join(3, { chain: LONG })
    expect(world.read()).toEqual(up(7, 400))
  })

  test("is not let go for what none but a chain that it does not follow has", () => {
    const longer = chainOf(2, LONG)
    const world = new ReadBlocks()
    world.join(1, { chain: longer, gives: (height) => (height > 400 ? "notfound" : blockAt(LONG, height)) })
    world.join(2, { chain: LONG })
    expect(world.read()).toEqual(up(1, 400))
    world.elapse(10 * LACKING_MS)
    expect(world.letGo).toEqual(["1 BlockLacking"])
  })
})

describe("a reorganisation", () => {
  const trunk = chainOf(10)
  const [old, longer] = [chainOf(3, trunk, 10, 1), chainOf(5, trunk, 10, 2)]

  test("is told as the way back, with bytes that are at hand, and the way on, once its blocks are here", () => {
    const world = new ReadBlocks()
    world.join(1, { chain: old })
    expect(world.read()).toEqual(up(1, 13))
    world.announce(1, longer)
    expect(world.read()).toEqual(["-13", "-12", "-11", ...up(11, 15)])
    // And back again, over blocks that were taken before.
    world.announce(1, chainOf(4, old, 13, 3))
    expect(world.read()).toEqual(["-15", "-14", "-13", "-12", "-11", ...up(11, 17)])
    expect(world.machine.snapshot().blocksAhead).toBe(0)
  })

  test("is told without the bytes of what is further back than is at hand", () => {
    // Each counts two megabytes.
    const world = new ReadBlocks({ bytesAhead: MAX_BLOCKS_AHEAD * 2_000_000 })
    world.join(1, { chain: trunk })
    expect(world.read()).toEqual(up(1, 10))
    world.announce(1, chainOf(9, trunk, 3, 4))
    const back = ["-10", "-9", "-8", "-7", "-6?", "-5?", "-4?"]
    expect(MAX_BLOCK_BYTES_BEHIND).toBe(8_000_000)
    expect(world.read()).toEqual([...back, ...up(4, 12)])
  })

  test("costs a reader who has not come so far nothing", () => {
    const world = new ReadBlocks()
    world.join(1, { chain: old })
    expect(world.read(9)).toEqual(up(1, 9))
    world.announce(1, longer)
    expect(world.read()).toEqual(up(10, 15))
    expect(world.machine.snapshot().blocksAhead).toBe(0)
  })

  test("is told from a place of a chain that was left while nobody read, without the bytes, and back over it with them", () => {
    const world = new ReadBlocks({
      stored: [old, longer],
      start: { after: { height: 13, hash: old.hash(13) } }
    })
    world.join(1, { chain: longer })
    expect(world.read()).toEqual(["-13?", "-12?", "-11?", ...up(11, 15)])
    world.announce(1, chainOf(4, old, 13, 3))
    // Those that were taken before the start were never fetched here, and are now.
    expect(world.read()).toEqual(["-15", "-14", "-13", "-12", "-11", ...up(11, 17)])
  })

  test("leads away from a block that breaks a rule, and from what follows it", () => {
    const world = new ReadBlocks()
    const bad = spoilt(trunk)
    world.join(1, { chain: trunk })
    expect(world.read()).toEqual(up(1, 10))
    world.announce(1, bad)
    expect([world.read(), world.letGo]).toEqual([[], ["1 BadBlock"]])
    expect(world.tree.isValid(world.tree.find(bad.hash(11)))).toBe(false)
    expect(world.tree.height(world.tree.best)).toBe(10)
    world.join(2, { chain: longer })
    expect(world.read()).toEqual(up(11, 15))
  })
})

describe("where a reader begins", () => {
  test("is behind the place that he noted, at once where its header is here", () => {
    const start = { after: { height: 390, hash: LONG.hash(390) } }
    for (const stored of [[], [LONG]]) {
      const world = new ReadBlocks({ start, stored })
      world.join(1, { chain: LONG })
      expect(world.read()).toEqual(up(391, 400))
      expect(world.asked).toHaveLength(10)
    }
  })

  test("is unknown where no peer has its header, some time after the chain was found, or where it is at another height", () => {
    const world = new ReadBlocks({ start: { after: { height: 3, hash: chainOf(3, undefined, 0, 9).hash(3) } } })
    world.join(1, { chain: LONG })
    world.elapse(LACKING_MS - 1)
    expect(world.isPlaceUnknown).toBe(false)
    world.elapse(1)
    expect([world.isPlaceUnknown, world.asked]).toEqual([true, []])
    const high = new ReadBlocks({ start: { after: { height: 4, hash: LONG.hash(3) } } })
    high.join(1, { chain: LONG })
    expect(high.isPlaceUnknown).toBe(true)
  })

  test("is known later where a peer that comes has the header", () => {
    const world = new ReadBlocks({ start: { after: { height: 399, hash: LONG.hash(399) } } })
    world.join(1, { chain: chainOf(0, LONG, 100) })
    world.elapse(LACKING_MS - 1)
    world.join(2, { chain: LONG })
    world.elapse(LACKING_MS)
    expect([world.isPlaceUnknown, world.read()]).toEqual([false, ["+400"]])
  })

  test("is a height of the best chain, or a time with two hours to spare, once that chain is found", () => {
    const high = new ReadBlocks({ start: { from: 396 } })
    high.join(1, { chain: LONG })
    expect(high.read()).toEqual(up(396, 400))
    const late = new ReadBlocks({ start: { fromTime: LONG.time(390) } })
    late.join(1, { chain: LONG })
    // Twelve blocks are two hours, and the median lags by five.
    expect(late.read()).toEqual(up(383, 400))
    const future = new ReadBlocks({ start: { from: 402 } })
    future.join(1, { chain: LONG })
    expect([future.read(), future.asked]).toEqual([[], []])
    const longer = chainOf(3, LONG)
    future.announce(1, longer)
    expect(future.read()).toEqual(["+402", "+403"])
  })
})

describe("among peers of every kind", () => {
  const kinds: ReadonlyArray<NonNullable<TestPeer["gives"]> | undefined> = [
    undefined,
    () => "nothing",
    () => "notfound",
    (height) => (height % 3 === 0 ? "notfound" : "nothing")
  ]

  test.each(range(1, 12))(
    "a reader comes to the best chain in the end, and never has too much before him (seed %i)",
    (seed) => {
      const random = ChaChaRandom.fromNumber(seed)
      const most = bytesOf(12)
      const world = new ReadBlocks({ bytesAhead: most })
      let chain = chainOf(30, LONG, random.below(20), seed)
      world.join(1, { chain })
      for (let round = 2; round < 12; round++) {
        const bad = kinds[random.below(kinds.length)]
        world.join(round, { chain, ...(bad === undefined ? {} : { gives: bad }) })
        if (random.below(3) === 0) world.leave(2 + random.below(round))
        world.elapse(random.below(20_000))
        world.read(random.below(15))
        if (random.below(2) === 0) {
          chain = chainOf(2 + random.below(8), chain, chain.best - random.below(6), round)
          const longer = chain.best
          // Only more work is followed.
          if (longer > world.tree.height(world.tree.best)) world.announce(1, chain)
        }
        expect(world.machine.snapshot().bytesAhead).toBeLessThan(2 * most)
      }
      world.announce(1, chainOf(60, chain, chain.best, 99))
      for (let i = 0; i < 200; i++) {
        world.elapse(10_000)
        world.read()
      }
      const { at, tip } = world.machine
      expect([at, tip]).toEqual([world.tree.best, world.tree.best])
      expect(world.letGo.filter((gone) => gone.startsWith("1 "))).toEqual([])
    }
  )
})
