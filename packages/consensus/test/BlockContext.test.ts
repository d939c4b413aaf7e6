import { type Deployment, mainnet, regtest, signet } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import { BlockContexts } from "../src/index.ts"
import { ListView } from "./ListView.ts"

const from = (height: number): Deployment => ({ _tag: "Buried", height })

/** Headers from `height` on, ten minutes apart. */
const chainFrom = (height: number, count: number): ListView => {
  const view = new ListView(2016, [], height)
  for (let i = 0; i < count; i++) view.add({ time: 1000 + 600 * i })
  return view
}

describe("what a block at its place must satisfy", () => {
  const params = { ...mainnet, bip34Height: 13, csv: from(14), segwit: from(15) }
  const contexts = new BlockContexts(params, chainFrom(0, 20))

  it("changes at the height of each deployment, and not one block before", () => {
    const rules = [12, 13, 14, 15].map((height) => {
      const { hasHeight, lockTimeCutoff, hasWitness, ...rest } = contexts.after(height - 1, 99_999)
      expect(rest).toEqual({ height, signetChallenge: undefined })
      return [hasHeight, lockTimeCutoff, hasWitness]
    })
    expect(rules).toEqual([
      [false, 99_999, false],
      [true, 99_999, false],
      // Of the eleven headers from height 3 to 13 the one at 8 is in the middle.
      [true, 1000 + 600 * 8, false],
      [true, 1000 + 600 * 9, true]
    ])
  })

  it("follows votes where a deployment is voted on", () => {
    const vote: Deployment = { _tag: "VersionBits", bit: 1, startTime: 0, timeout: 0xffffffff, period: 4, threshold: 3 }
    const view = new ListView(2016)
    for (let i = 0; i < 16; i++) view.add({ time: i, version: i >= 4 && i < 8 ? 0x20000002 : 0x20000000 })
    const voted = new BlockContexts({ ...regtest, segwit: vote, csv: vote }, view)
    expect([10, 11].map((parent) => voted.after(parent, 77).hasWitness)).toEqual([false, true])
    expect([10, 11].map((parent) => voted.after(parent, 77).lockTimeCutoff)).toEqual([77, 6])
  })

  it("has no median where some times are not known, in a tree that starts in mid-chain", () => {
    const late = new BlockContexts(mainnet, chainFrom(800_000, 12))
    expect(late.after(9, 1)).toMatchObject({ height: 800_010, lockTimeCutoff: undefined, hasWitness: true })
    expect(late.after(10, 1).lockTimeCutoff).toBe(1000 + 600 * 5)
  })

  it("has a signet's challenge, and is data that can be cloned", () => {
    const context = new BlockContexts(signet, chainFrom(0, 1)).after(0, 7)
    expect(context.signetChallenge?.length).toBe(71)
    expect(structuredClone(context)).toEqual(context)
  })
})
