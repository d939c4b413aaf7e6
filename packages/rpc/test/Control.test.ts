import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "@satwire/json-rpc"
import { mainnet } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import { startBench, table } from "./RpcBench.ts"

describe("every method", () => {
  it("has a sentence on what it does, and examples that it could be called with", () => {
    for (const { about, examples, name, params } of table.methods.values()) {
      assert.match(about, /\w/, name)
      for (const given of examples) if (Array.isArray(given)) assert.isAtMost(given.length, params.length, name)
    }
  })

  it.live("is told of by help, but for those of tests", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const bench = yield* startBench({ listen: undefined })
        const help = (yield* bench.ask("help")) as string
        assert.include(help, "== Control ==")
        assert.include(help, 'setban "subnet" "command" ( bantime absolute )')
        assert.notInclude(help, "sendmsgtopeer")
        assert.include((yield* bench.ask("help", ["getpeerinfo"])) as string, "pingwait")
      })
    )
  )
})

describe("the process", () => {
  it.live("says how long it runs, what it logs and what it locks, and stops", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const bench = yield* startBench({ listen: undefined })
        assert.strictEqual(yield* bench.ask("uptime"), 7)
        assert.deepStrictEqual(yield* bench.ask("logging"), { addrman: true, http: false, net: false })
        const changed = yield* bench.ask("logging", [["all"], ["http", "addrman"]])
        assert.deepStrictEqual(changed, { addrman: false, http: false, net: true })
        const unknown = [-8, "unknown logging category nets"] as const
        assert.deepStrictEqual(yield* bench.fails("logging", [["nets"]]), unknown)
        assert.strictEqual((yield* bench.fails("logging", ["net"]))[0], -3)
        const { locked } = (yield* bench.ask("getmemoryinfo", { mode: "stats" })) as { readonly locked: JsonObject }
        assert.strictEqual(locked["used"], 0)
        assert.strictEqual((yield* bench.fails("getmemoryinfo", ["mallocinfo"]))[0], -8)
        assert.deepStrictEqual(yield* bench.fails("getmemoryinfo", ["more"]), [-8, "unknown mode more"])
        assert.strictEqual(yield* bench.ask("stop", { wait: 1 }), "Satwire stopping")
        assert.strictEqual(bench.process.stops, 1)
        assert.strictEqual((yield* bench.fails("uptime", [1]))[0], -1)
      })
    )
  )
})

describe("for tests", () => {
  it.live("arguments are echoed, and a bug is shown", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const bench = yield* startBench({ listen: undefined })
        for (const echo of ["echo", "echojson"]) {
          assert.deepStrictEqual(yield* bench.ask(echo), [])
          assert.deepStrictEqual(yield* bench.ask(echo, [1, "two", [3], null, { four: 4 }]), [
            1,
            "two",
            [3],
            null,
            { four: 4 }
          ])
          assert.deepStrictEqual(yield* bench.ask(echo, { arg2: true }), [null, null, true])
          const [code] = yield* bench.fails(echo, { arg9: "trigger_internal_bug" })
          assert.strictEqual(code, -32_603)
        }
        assert.isNull(yield* bench.ask("syncwithvalidationinterfacequeue"))
        assert.strictEqual((yield* bench.fails("syncwithvalidationinterfacequeue", [1]))[0], -1)
      })
    )
  )

  it.live("time is set and goes on by itself on regtest alone, and the node follows", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const bench = yield* startBench({ listen: undefined })
        const later = Math.floor(Date.now() / 1000) + 1000
        assert.isNull(yield* bench.ask("setmocktime", [later]))
        assert.strictEqual((yield* bench.node.now).unix, later)
        const { instant } = yield* bench.node.now
        assert.isAtLeast(instant, 999_000)
        assert.isNull(yield* bench.ask("mockscheduler", [3600]))
        assert.isAtLeast((yield* bench.node.now).instant, instant + 3_600_000)
        assert.strictEqual(yield* bench.ask("uptime"), 7)
        assert.isNull(yield* bench.ask("setmocktime", [0]))
        assert.isBelow((yield* bench.node.now).unix, later)
        assert.strictEqual((yield* bench.fails("setmocktime", [-1]))[0], -8)
        assert.strictEqual((yield* bench.fails("setmocktime", [9_223_372_037]))[0], -8)
        for (const seconds of [0, 3601]) assert.strictEqual((yield* bench.fails("mockscheduler", [seconds]))[0], -1)
        const real = yield* startBench({ listen: undefined }, { params: mainnet })
        assert.match((yield* real.fails("setmocktime", [1]))[1], /^setmocktime is for regression testing/)
        assert.match((yield* real.fails("mockscheduler", [1]))[1], /^mockscheduler is for regression testing/)
        assert.match(
          (yield* real.fails("addconnection", ["1.2.3.4", "feeler", true]))[1],
          /^addconnection is for regression/
        )
      })
    )
  )
})
