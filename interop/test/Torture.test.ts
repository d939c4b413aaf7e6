import { describe, expect, it } from "@effect/vitest"
import { ChaChaRandom } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { BlockView, toHex } from "@satwire/primitives"
import { Logs } from "../torture/Logs.ts"
import { Mirror } from "../torture/Mirror.ts"
import { sharedRules } from "../torture/Rules.ts"
import { memoryChecks } from "../torture/Verdict.ts"

describe("what a day of torture looks for", () => {
  it("finds a defect, a lost promise, an error with its stack in a log, and shows what came before", () => {
    const lines = [
      "satwire: this is a bug of Satwire, please report it:",
      "2026-01-01T00:00:01Z [error] All fibers interrupted without error",
      "[UnhandledPromiseRejection: something]",
      "TypeError: x is not a function",
      "    at handle (node:internal/process/task_queues:12:34)",
      "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"
    ]
    for (const line of lines) {
      const logs = new Logs()
      logs.observe("a", "Listening on 127.0.0.1:1.")
      logs.observe("a", line)
      expect(logs.found).toHaveLength(1)
      expect(logs.found[0]).toContain("Listening")
    }
  })

  it("takes nothing amiss that a node says in the course of a day, nor what the inspector says", () => {
    const logs = new Logs()
    for (const line of [
      "Debugger listening on ws://127.0.0.1:1/6f",
      "For help, see: https://nodejs.org/en/docs/inspector",
      "2026-01-01T00:37:41Z Disconnected 127.0.0.1:1: the connection was closed by the other side (reset).",
      "2026-01-01T01:10:11Z Warning: No block has come for long: another peer is asked."
    ]) {
      logs.observe("a", line)
    }
    expect([logs.found, logs.lines]).toEqual([[], 2])
  })

  it("calls memory too much that grew by more than a tenth, what headers and pool need aside", () => {
    const first = { rss: 150e6, reachable: 60e6, headers: 1000, poolBytes: 0 }
    const holds = (last: typeof first): ReadonlyArray<boolean> => memoryChecks(first, last).map(([, holds]) => holds)
    expect(holds({ ...first, rss: 160e6 })).toEqual([true])
    expect(holds({ ...first, rss: 170e6 })).toEqual([false])
    expect(holds({ ...first, rss: 170e6, poolBytes: 10e6 })).toEqual([true])
    expect(holds({ ...first, rss: 170e6, headers: 51_000 })).toEqual([true])
  })

  it("mines a branch in secret that shares blocks with its chain up to where it leaves it", () => {
    const random = ChaChaRandom.fromNumber(1)
    const mine = (on: Mirror): BlockView => {
      const block = BlockView.of(on.make({ unix: 1_767_225_600, extraNonce: random.below(1_000_000) }))
      on.add(block)
      return block
    }
    const mirror = new Mirror(sharedRules)
    for (let i = 0; i < 5; i++) mine(mirror)
    const branch = mirror.branch(3)
    const coinbase = toHex(mine(branch).transaction(0).txid(platformSha256))
    expect([branch.best, mirror.best]).toEqual([4, 5])
    expect(branch.hash(3)).toEqual(mirror.hash(3))
    expect(branch.hash(4)).not.toEqual(mirror.hash(4))
    expect([branch.has(coinbase), mirror.has(coinbase)]).toEqual([true, false])
    branch.drop()
    expect([branch.best, branch.has(coinbase)]).toEqual([3, false])
  })
})
