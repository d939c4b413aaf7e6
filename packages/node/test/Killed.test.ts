import { assert, describe, it, onTestFinished } from "vitest"
import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { killedLife } from "./KilledLife.ts"

/** How many times: a few here, and as many as `SATWIRE_KILLS` says for who has the time. */
const KILLS = Number(process.env["SATWIRE_KILLS"] ?? 6)
/** The longest that a life lasts, from its first line on. */
const LIFE_MS = 4000

const script = new URL("./KilledNode.ts", import.meta.url)

interface Line {
  readonly began?: { readonly addresses: number; readonly bans: number }
  readonly dials?: string
  readonly saved?: "addresses" | "anchors" | "bans"
  readonly count?: number
}

describe("kill -9", () => {
  it(
    "loses no address, anchor or ban that was said to be kept, at whatever moment",
    async () => {
      const directory = realpathSync(mkdtempSync(join(tmpdir(), "satwire-killed-")))
      onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
      const kept = { addresses: 0, anchors: 0, bans: 0 }
      for (let number = 0; number < KILLS; number++) {
        // From the first moment to well after the first addresses are written.
        const lines = await killedLife<Line>(
          script,
          [directory, String(number)],
          (LIFE_MS * ((number * 7) % KILLS)) / KILLS
        )
        const began = lines.find((line) => line.began !== undefined)?.began
        assert.isAtLeast(began?.addresses ?? -1, kept.addresses, `life ${number}`)
        assert.isAtLeast(began?.bans ?? -1, kept.bans, `life ${number}`)
        const first = lines.find((line) => line.dials !== undefined)?.dials
        // Only who was an anchor is dialled for blocks alone before all else.
        if (kept.anchors > 0 && first !== undefined) assert.strictEqual(first, "block-relay-only", `life ${number}`)
        for (const { count = 0, saved } of lines) if (saved !== undefined) kept[saved] = count
        kept.addresses = Math.max(kept.addresses, began?.addresses ?? 0)
      }
      assert.isAbove(kept.bans, 10)
      assert.isAbove(kept.addresses, 8)
      assert.strictEqual(kept.anchors, 1)
      const files = readdirSync(directory, { recursive: true }).map(String)
      assert.deepStrictEqual(
        files.filter((name) => /damaged|foreign/.test(name)),
        []
      )
    },
    60_000 + KILLS * 6000
  )
})
