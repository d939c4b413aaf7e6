import { ProofOfWork, headerFault } from "@satwire/consensus"
import { HEADER_SIZE, genesisHeader, headerHash } from "@satwire/primitives"
import { portableSha256 } from "@satwire/crypto"
import { describe, expect, it } from "vitest"
import { MinedChain, contest, fastTestNetwork } from "../src/index.ts"

describe("a mined chain", () => {
  it("begins with its network's genesis and obeys every rule over several retargets", () => {
    const params = fastTestNetwork()
    const chain = new MinedChain(params)
    expect(chain.hash(0)).toEqual(params.genesisHash)
    const work = new ProofOfWork(params)
    const bits = new Set<number>()
    for (let i = 1; i <= 70; i++) {
      // Blocks come three times as fast as they should, then three times as slowly.
      const { header } = chain.mine({ unix: chain.time(chain.best) + (i <= 40 ? 20 : 180) })
      bits.add(header.bits)
      expect(headerFault(params, chain, i - 1, header, header.time)).toBeUndefined()
      expect(work.meets(chain.hash(i), 0, header.bits)).toBe(true)
    }
    expect(chain.blocks.length).toBe(70)
    expect(bits.size).toBeGreaterThan(2)
  })

  it("gives its headers as they are on the wire, side by side", () => {
    const chain = new MinedChain(fastTestNetwork())
    for (let i = 0; i < 3; i++) chain.mine()
    const raw = chain.rawHeaders(0, 3)
    expect(raw.slice(0, HEADER_SIZE)).toEqual(genesisHeader(chain.params))
    for (let i = 0; i <= 3; i++) {
      const header = raw.subarray(i * HEADER_SIZE, (i + 1) * HEADER_SIZE)
      expect(headerHash(portableSha256, header)).toEqual(chain.hash(i))
    }
    expect(() => chain.header(4)).toThrow(RangeError)
  })
})

describe("a contest", () => {
  it("tells each contender's speed beside the first one's", () => {
    const work = (units: number) => (): number => {
      let sum = 0
      for (let i = 0; i < 20_000; i++) sum = (sum + i * i) % 1009
      return sum < 0 ? 0 : units
    }
    const scores = contest(
      [
        { name: "first", run: work(10) },
        { name: "a tenth", run: work(1) }
      ],
      { rounds: 9, roundMs: 5 }
    )
    expect(scores.map(({ name }) => name)).toEqual(["first", "a tenth"])
    expect(scores[0]?.ratio).toBe(1)
    expect(scores[1]?.ratio).toBeGreaterThan(0.02)
    expect(scores[1]?.ratio).toBeLessThan(0.5)
    for (const { perSecond } of scores) expect(perSecond).toBeGreaterThan(0)
  })
})
