import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { TestClock } from "effect/testing"
import { describe, expect } from "vitest"
import type { BridgeEvent } from "../src/bridge/BridgeEvent.ts"
import { makeTell } from "../src/log/BridgeLog.ts"
import { LINES_A_MINUTE } from "../src/log/LogBudget.ts"

const asker = { source: "8.8.8.8", origin: 'https://a.example" level=ERROR', target: "1.2.3.4:8333" }
const rejected: BridgeEvent = { _tag: "Rejected", asker, status: 403, why: "not for you" }

/** The lines that are logged while `body` runs. */
const logged = (body: (tell: (event: BridgeEvent) => void) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const keep = Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))
    yield* Effect.flatMap(makeTell, body).pipe(Effect.provide(Logger.layer([keep])))
    return lines
  })

describe("the log of a bridge", () => {
  it.effect("has a word for each event and its fields, and strangers' text stays inside its quotes", () =>
    Effect.gen(function* () {
      const summary = { why: "the page: gone", toNodeBytes: 1, toPageBytes: 2, seconds: 1.23456 }
      const lines = yield* logged((tell) =>
        Effect.sync(() => {
          tell({ _tag: "Listening", endpoint: { host: "::1", port: 1 } })
          tell(rejected)
          tell({ _tag: "Refused", asker, code: 4403, why: "it is not on the list" })
          tell({ _tag: "Carrying", asker, address: { host: "1.2.3.4", port: 8333 } })
          tell({ _tag: "Carried", asker: { ...asker, origin: undefined }, summary })
        })
      )
      expect(lines.map((line) => /message=(\w+)/.exec(line)?.[1])).toEqual([
        ...["listening", "rejected", "refused", "carrying", "carried"]
      ])
      expect(lines[0]).toContain("endpoint=[::1]:1")
      expect(lines[1]).toContain('origin="https://a.example\\" level=ERROR"')
      expect(lines[1]).toContain("status=403")
      expect(lines[4]).toContain("origin=none")
      expect(lines[4]).toContain("seconds=1.235")
      expect(lines.join("")).not.toContain("\n")
    })
  )

  it.effect("is filled by no kind of event beyond its budget, and says how much it left out", () =>
    Effect.gen(function* () {
      const lines = yield* logged((tell) =>
        Effect.gen(function* () {
          for (let i = 0; i < LINES_A_MINUTE + 500; i++) tell(rejected)
          tell({ _tag: "Carrying", asker, address: { host: "1.2.3.4", port: 8333 } })
          yield* TestClock.adjust("1 minute")
          tell(rejected)
        })
      )
      expect(lines.length).toBe(LINES_A_MINUTE + 2)
      expect(lines.at(-2)).toContain("message=carrying")
      expect(lines.at(-1)).toContain("leftOut=500")
    })
  )
})
