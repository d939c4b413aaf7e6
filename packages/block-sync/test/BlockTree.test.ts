import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BlockTree } from "../src/index.ts"
import { TestTree } from "./TestTree.ts"

/** The same, as plainly as it can be said: sets, and each question answered by walking to the first header. */
class NaiveBlocks {
  readonly here: Set<number> = new Set()
  readonly kept: Set<number> = new Set()
  readonly once: Set<number> = new Set()
  readonly #tree: TestTree
  readonly #from: number
  tip = 0

  constructor(tree: TestTree, from: number) {
    this.#tree = tree
    this.#from = from
    this.tip = this.#unwanted()
  }

  isHere(header: number): boolean {
    return header === 0 || this.#tree.height(header) < this.#from || this.here.has(header)
  }

  /** Whether it and all before it were here at some time: what is lost later is followed as before. */
  isWhole(header: number): boolean {
    for (let at = header; at >= 0; at = this.#tree.parent(at)) if (!this.isHere(at) && !this.once.has(at)) return false
    return true
  }

  #unwanted(): number {
    const { best } = this.#tree
    return this.#tree.ancestor(best, Math.min(this.#tree.height(best), Math.max(0, this.#from - 1)))
  }

  /** @param news what became whole since it was looked at last; all there are where it is not given */
  follow(news: ReadonlyArray<number>): number {
    const tree = this.#tree
    while (!tree.isValid(this.tip)) this.tip = tree.parent(this.tip)
    for (const header of [this.#unwanted(), ...news]) {
      if (this.isWhole(header) && tree.isValid(header) && tree.compareWork(header, this.tip) > 0) this.tip = header
    }
    return this.tip
  }
}

type Step =
  | { readonly _tag: "grow"; readonly parent: number; readonly count: number }
  | { readonly _tag: "keep" | "lose" | "prune" | "invalidate"; readonly header: number }
  | { readonly _tag: "reconsider" }

const headers = fc.nat(1000)
const steps: fc.Arbitrary<ReadonlyArray<Step>> = fc.array(
  fc.oneof(
    {
      weight: 2,
      arbitrary: fc.record({ _tag: fc.constant("grow"), parent: headers, count: fc.integer({ min: 1, max: 8 }) })
    },
    { weight: 12, arbitrary: fc.record({ _tag: fc.constant("keep"), header: headers }) },
    {
      weight: 2,
      arbitrary: fc.record({ _tag: fc.constantFrom("lose", "prune"), header: headers })
    },
    { weight: 1, arbitrary: fc.record({ _tag: fc.constant("invalidate"), header: headers }) },
    { weight: 1, arbitrary: fc.record({ _tag: fc.constant("reconsider") }) }
  ),
  { minLength: 1, maxLength: 80 }
)

describe("which blocks are here", () => {
  it("and which chain of them is followed, agrees with a naive account on every step of random histories", () => {
    fc.assert(
      fc.property(steps, fc.nat(6), (history, from) => {
        const tree = new TestTree()
        tree.grow(0, 5)
        const blocks = new BlockTree(tree, { from })
        const naive = new NaiveBlocks(tree, from)
        for (const step of history) {
          const before = naive.tip
          const anew = apply(step, tree, blocks, naive)
          const move = blocks.follow(anew)
          const whole = Array.from({ length: tree.size }, (_, i) => i).filter((header) => naive.isWhole(header))
          naive.follow(whole)
          // Of several of the same work each may be taken; which one, is said elsewhere.
          expect(tree.compareWork(blocks.tip, naive.tip)).toBe(0)
          naive.tip = blocks.tip
          for (let header = 0; header < tree.size; header++) {
            expect([blocks.isHere(header), blocks.isKept(header)]).toEqual([
              naive.isHere(header),
              naive.kept.has(header)
            ])
            expect(blocks.isWhole(header)).toBe(naive.isWhole(header))
          }
          expect(blocks.keptCount).toBe(naive.kept.size)
          if (move === undefined) expect(blocks.tip).toBe(before)
          else {
            expect(move.tip).toBe(blocks.tip)
            expect(tree.isAncestor(move.fork, before) && tree.isAncestor(move.fork, move.tip)).toBe(true)
            expect(tree.height(move.fork) + move.removed).toBe(tree.height(before))
            expect(tree.height(move.fork) + move.added).toBe(tree.height(move.tip))
            expect(tree.fork(before, move.tip)).toBe(move.fork)
          }
        }
      }),
      { numRuns: 300 }
    )
  })

  it("stay with the chain that was whole first, of several of the same work", () => {
    const tree = new TestTree()
    const [a, b] = [tree.grow(0, 2), tree.grow(0, 2)]
    const blocks = new BlockTree(tree)
    for (const header of [3, b]) blocks.keep(header)
    expect(blocks.follow()?.tip).toBe(b)
    for (const header of [1, a]) blocks.keep(header)
    expect(blocks.follow()).toBe(undefined)
    expect(blocks.follow(true)).toBe(undefined)
  })
})

/** Gives whether the followed chain is to be looked for anew. */
const apply = (step: Step, tree: TestTree, blocks: BlockTree, naive: NaiveBlocks): boolean => {
  switch (step._tag) {
    case "grow":
      tree.grow(step.parent % tree.size, step.count)
      return false
    case "keep": {
      const header = 1 + (step.header % (tree.size - 1))
      blocks.keep(header)
      naive.here.add(header)
      naive.kept.add(header)
      naive.once.add(header)
      return false
    }
    case "lose":
    case "prune": {
      const header = [...naive.kept][step.header % Math.max(1, naive.kept.size)]
      if (header === undefined) return false
      // A block that is missing still counts as whole if it ever was: naive remembers it only then.
      if (!naive.isWhole(header)) return false
      blocks[step._tag](header)
      naive.kept.delete(header)
      if (step._tag === "lose") naive.here.delete(header)
      return false
    }
    case "invalidate": {
      const header = 1 + (step.header % (tree.size - 1))
      tree.invalidate(header)
      return true
    }
    case "reconsider":
      tree.reconsider()
      return true
  }
}
