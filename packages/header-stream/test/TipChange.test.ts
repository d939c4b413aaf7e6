import { MAX_CHANGE_HEADERS, nextChange } from "@satwire/header-stream"
import { HEADER_SIZE } from "@satwire/primitives"
import { describe, expect, test } from "vitest"
import { chainOf, hashAt, treeOf } from "./Chains.ts"

const TRUNK = chainOf(100)
const OLD = chainOf(5000, 1, hashAt(TRUNK, 99), 100)
const NEW = chainOf(4500, 2, hashAt(TRUNK, 99), 100)

/** All steps of a way. */
const steps = (tree: ReturnType<typeof treeOf>, from: number, to: number) => {
  const changes = []
  for (let at = from; at !== to;) {
    const step = nextChange(tree, at, to)
    changes.push(step.change)
    at = step.at
  }
  return changes
}

describe("the way from one tip to another", () => {
  const tree = treeOf([TRUNK, OLD, NEW])
  const [old, young] = [tree.find(hashAt(OLD, 4999)), tree.find(hashAt(NEW, 4499))]

  test("leaves and joins in steps of bounded size that lead on from one another", () => {
    const changes = steps(tree, old, young)
    expect(
      changes.map(({ added, fork, removed, tip }) => [removed.count, fork.height, added.count, tip.height])
    ).toEqual([
      [2000, 3100, 0, 3100],
      [2000, 1100, 0, 1100],
      [1000, 100, 2000, 2100],
      [0, 2100, 2000, 4100],
      [0, 4100, 500, 4600]
    ])
    expect(changes.map(({ hasMore }) => hasMore)).toEqual([true, true, true, true, false])
    for (const { added, removed } of changes) {
      for (const { count, headers } of [added, removed]) {
        expect(count).toBeLessThanOrEqual(MAX_CHANGE_HEADERS)
        expect(headers.length).toBe(count * HEADER_SIZE)
      }
    }
    const removed = changes.map((change) => change.removed).filter(({ count }) => count > 0)
    expect(Buffer.concat(removed.reverse().map(({ headers }) => headers)).equals(OLD)).toBe(true)
    const added = changes.map((change) => change.added).filter(({ count }) => count > 0)
    expect(Buffer.concat(added.map(({ headers }) => headers)).equals(NEW)).toBe(true)
  })

  test("to an ancestor only leaves, and from one only joins", () => {
    const fork = tree.fork(old, young)
    expect(steps(tree, old, fork).every(({ added }) => added.count === 0)).toBe(true)
    expect(steps(tree, fork, young).every(({ removed }) => removed.count === 0)).toBe(true)
    expect(steps(tree, fork, young).map(({ added }) => added.firstHeight)).toEqual([101, 2101, 4101])
  })
})
