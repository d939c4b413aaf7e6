import { assert, describe, it } from "@effect/vitest"
import { methodTable } from "@satwire/json-rpc"
import { nodeMethods } from "@satwire/rpc"
import * as Effect from "effect/Effect"
import { unansweredMethods } from "../src/Unanswered.ts"

describe("the table of all methods", () => {
  it("has each name once, and shows an answer of every method", () => {
    const { methods } = methodTable(nodeMethods)
    assert.isAbove(methods.size, 90)
    for (const { name, results } of methods.values()) assert.isNotEmpty(results, name)
  })

  it.effect("has what cannot be answered too, which fails with Core's codes and says why", () =>
    Effect.gen(function* () {
      const failures = yield* Effect.forEach(unansweredMethods, ({ name, run }) =>
        Effect.map(Effect.flip(run({})), ({ code, message }) => [name, code, message.length > 0] as const)
      )
      const codes = new Map(failures.map(([name, code]) => [name, code]))
      assert.isTrue(failures.every(([, , says]) => says))
      assert.deepStrictEqual(
        ["gettxoutsetinfo", "getblockfilter", "preciousblock", "submitpackage"].map((name) => codes.get(name)),
        [-32_603, -1, -20, -25]
      )
    })
  )
})
