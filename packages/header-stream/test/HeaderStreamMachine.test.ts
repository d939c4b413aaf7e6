import { HEADERS_RESPONSE_TIME_MS as PATIENCE } from "@satwire/header-sync"
import { HEADER_SIZE, regtest } from "@satwire/primitives"
import { headersMessage } from "@satwire/wire"
import { describe, expect, test } from "vitest"
import { Harness, chainOf, hashAt, letGo, treeOf } from "./Chains.ts"

const LONG = chainOf(4500)
const run = (from: number, to: number) => headersMessage(LONG.slice(from * HEADER_SIZE, to * HEADER_SIZE))
const NOTHING = headersMessage(new Uint8Array(0))

describe("a peer that was asked", () => {
  test("has two minutes for the first answer, and then goes", () => {
    const harness = new Harness(treeOf([]))
    harness.ready(1)
    expect(letGo(harness.elapse(PATIENCE - 1))).toEqual([])
    expect(letGo(harness.elapse(1))).toEqual([[1, "NotServing"]])
    expect(letGo(harness.elapse(10 * PATIENCE))).toEqual([])
    harness.gone(1)
    expect(harness.machine.isEmpty).toBe(true)
  })

  test("has as long again from each new thing that it sends, and from none that is known", () => {
    const harness = new Harness(treeOf([]))
    harness.ready(1)
    harness.elapse(PATIENCE - 1)
    harness.receive(1, run(0, 2000))
    harness.elapse(0)
    expect(harness.machine.hasServed(1 as never)).toBe(true)
    expect(letGo(harness.elapse(PATIENCE - 1))).toEqual([])
    harness.receive(1, run(0, 2000))
    expect(letGo(harness.elapse(1))).toEqual([[1, "NotServing"]])
  })

  test("is free of it once it has no more, for as long as it stays", () => {
    const harness = new Harness(treeOf([]))
    harness.ready(1)
    harness.ready(2)
    harness.receive(1, run(0, 100))
    expect(harness.machine.isFound).toBe(true)
    // The other one never answers; nobody needs it.
    expect(letGo(harness.elapse(30 * PATIENCE))).toEqual([])
    harness.gone(1)
    expect(harness.machine.isFound).toBe(false)
    expect(letGo(harness.elapse(PATIENCE - 1))).toEqual([])
    expect(letGo(harness.elapse(1))).toEqual([[2, "NotServing"]])
  })

  test("is not late while it is not read from", () => {
    const harness = new Harness(treeOf([]))
    harness.ready(1)
    harness.give({ _tag: "Hold", held: true })
    expect(letGo(harness.elapse(100 * PATIENCE))).toEqual([])
    harness.give({ _tag: "Hold", held: false })
    expect(letGo(harness.elapse(PATIENCE))).toEqual([[1, "NotServing"]])
  })

  test("has no longer for saying again and again that it has no more, or the same", () => {
    const params = { ...regtest, minimumChainWork: 1_000_000n }
    for (const answer of [NOTHING, run(0, 50)]) {
      const harness = new Harness(treeOf([], params))
      harness.ready(1)
      harness.ready(2)
      const gone: Array<number> = []
      for (let i = 0; i < 20; i++) {
        for (const peer of [1, 2]) harness.receive(peer, answer)
        gone.push(...letGo(harness.elapse(PATIENCE / 2)).map(([peer]) => peer))
      }
      expect(gone.toSorted((a, b) => a - b)).toEqual([1, 2])
    }
  })

  test("goes when all that it has is too little work", () => {
    const params = { ...regtest, minimumChainWork: 1_000_000n }
    for (const answer of [NOTHING, run(0, 50)]) {
      const harness = new Harness(treeOf([], params))
      harness.ready(1)
      harness.receive(1, answer)
      expect(harness.machine.isFound).toBe(false)
      expect(letGo(harness.elapse(2 * PATIENCE))).toEqual([[1, "NotServing"]])
    }
  })

  test("goes at once for a header that breaks a rule, and is not heard any more", () => {
    const harness = new Harness(treeOf([]))
    harness.ready(1)
    const bad = LONG.slice(0, 10 * HEADER_SIZE).fill(0, 5 * HEADER_SIZE + 72, 5 * HEADER_SIZE + 76)
    expect(letGo(harness.receive(1, headersMessage(bad)))).toEqual([[1, "InvalidHeader"]])
    expect(harness.receive(1, run(0, 10))).toEqual([])
    expect(harness.tree.size).toBe(1)
  })
})

describe("along a skeleton", () => {
  const skeleton = [2000, 4000].map((height) => ({ height, hash: hashAt(LONG, height - 1) }))

  test("nobody is let go before it has ended, and then who serves nothing is", () => {
    const harness = new Harness(treeOf([]), skeleton)
    harness.ready(1)
    expect(letGo(harness.elapse(PATIENCE - 1))).toEqual([])
    // It is given up, and the ordinary question has its own two minutes.
    expect(letGo(harness.elapse(2 * PATIENCE))).toEqual([[1, "NotServing"]])
  })

  test("that is in the tree already, the sync is the ordinary one", () => {
    const harness = new Harness(
      treeOf([LONG.subarray(0, 2000 * HEADER_SIZE), LONG.subarray(2000 * HEADER_SIZE)]),
      skeleton
    )
    harness.ready(1)
    harness.receive(1, NOTHING)
    expect(harness.machine.isFound).toBe(true)
  })
})
