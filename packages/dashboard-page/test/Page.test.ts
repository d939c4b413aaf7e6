import { bundlePage, pageFiles } from "@satwire/dashboard-page"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import type { Sample, State } from "../src/Told.ts"
import { ago, axisTimes, bytes, count, duration, ms, percent, rate } from "../src/page/Format.ts"
import { syncProgress } from "../src/page/Sync.ts"

describe("the page's files", () => {
  const text = async (name: "index.html" | "page.js" | "page.css"): Promise<string> =>
    new TextDecoder().decode((await bundlePage())[name])

  it("name each other and nothing else, and hold no script or style but by file", async () => {
    const html = await text("index.html")
    const named = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address ?? "")
    expect(named.filter((address) => !address.startsWith("data:image/svg+xml"))).toEqual([
      "/dashboard/page.css",
      "/dashboard/page.js"
    ])
    expect(html).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]*src=)/)
    expect(await text("page.css")).not.toMatch(/url\(|@import/)
    const script = await text("page.js")
    expect(script).not.toMatch(/\beval\(|new Function\(|document\.write/)
    // Names of formats that begin like addresses, and no address.
    expect([...script.matchAll(/https?:\/\/[^"'`\s)]*/g)].every(([address]) => address.includes("www.w3.org"))).toBe(
      true
    )
  })

  it("are small", async () => {
    expect((await text("page.js")).length).toBeLessThan(150_000)
    expect((await text("page.css")).length).toBeLessThan(20_000)
  })

  it("have a type and a tag of their own", async () => {
    const files = [...(await Effect.runPromise(Effect.flatten(pageFiles))).values()]
    expect(files.map(({ contentType }) => contentType.split(";")[0])).toEqual([
      "text/html",
      "text/javascript",
      "text/css"
    ])
    expect(new Set(files.map(({ etag }) => etag)).size).toBe(3)
  })
})

it("numbers are written as people read them", () => {
  expect([0, 999, 1000, 1_234_567, 5e12].map(bytes)).toEqual(["0 B", "999 B", "1.0 kB", "1.2 MB", "5.0 TB"])
  expect(rate(1500)).toBe("1.5 kB/s")
  expect([null, 0.0312, 3.21, 42.4, 2500].map(ms)).toEqual(["–", "31 µs", "3.2 ms", "42 ms", "2.5 s"])
  expect([5, 65, 3700, 200_000].map(duration)).toEqual(["5 s", "1 min 5 s", "1 h 1 min", "2 d 7 h"])
  expect([ago(null), ago(61_000), count(1_234_567), percent(0.0123)]).toEqual([
    "never",
    "1 min 1 s ago",
    "1,234,567",
    "1.2 %"
  ])
})

it("times under an axis have their seconds where two would be the same without", () => {
  expect([axisTimes([30, 40]), axisTimes([60, 120])].map((times) => times.map((time) => time.length))).toEqual([
    [8, 8],
    [5, 5]
  ])
})

describe("progress", () => {
  const NOW_S = 1_800_000_000
  const tip = { hash: "", count: 1, syncingWith: null, presyncing: [] }
  const stateOf = (more: object): State =>
    ({
      isPublic: true,
      spacingSeconds: 600,
      unixMs: 1000 * NOW_S,
      blocks: null,
      headers: null,
      ...more
    }) as unknown as State
  /** So many seconds, in each of which so many more headers and blocks came. */
  const samplesOf = (seconds: number, headers: number, blocks: number): ReadonlyArray<Sample> =>
    Array.from({ length: seconds }, (_, i) => ({
      unixMs: 1000 * i,
      headers: headers * i,
      blocks: blocks * i
    })) as unknown as ReadonlyArray<Sample>

  it("of headers is told by the age of the tip, and how long the rest takes by the last half minute", () => {
    const headers = { ...tip, height: 1000, time: NOW_S - 600 * 500 }
    expect(syncProgress(stateOf({ headers }), samplesOf(60, 50, 0))).toEqual({
      what: "headers",
      done: 1000,
      of: 1500,
      left: 10
    })
    expect(syncProgress(stateOf({ headers }), samplesOf(3, 50, 0))?.left).toBeUndefined()
  })

  it("of blocks is told by the height up to which they are fetched, and of nothing where nothing is behind", () => {
    const headers = { ...tip, height: 1000, time: NOW_S - 60 }
    const behind = stateOf({ headers, blocks: { height: 400, targetHeight: 1000 } })
    expect(syncProgress(behind, samplesOf(30, 0, 20))).toEqual({ what: "blocks", done: 400, of: 1000, left: 30 })
    expect(syncProgress(stateOf({ headers, blocks: { height: 1000, targetHeight: 1000 } }), [])).toBeUndefined()
    expect(syncProgress(stateOf({}), [])).toBeUndefined()
  })
})
