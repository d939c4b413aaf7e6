/** What npm gets: one folder that runs with nothing around it. That a worker runs in it is proven beside `@satwire/runtime`. */
import { execFile } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import manifest from "../package.json" with { type: "json" }

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const bin = (name: string): string => fileOf(`../../../node_modules/.bin/${name}`)
const folder = mkdtempSync(join(tmpdir(), "satwire-bundle-"))

const run = (command: string, args: ReadonlyArray<string>, cwd: string = folder): Promise<readonly [number, string]> =>
  new Promise((resolve) => {
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      DENO_DIR: join(folder, "deno"),
      DENO_NO_UPDATE_CHECK: "1"
    }
    execFile(command, args, { cwd, env }, (error, stdout, stderr) => {
      resolve([error === null ? 0 : Number(error.code), stdout + stderr])
    })
  })

beforeAll(async () => {
  const tsup = fileOf("../../../node_modules/tsup/dist/cli-default.js")
  const args = [tsup, "--config", "../../tsup.app.config.ts", "--out-dir", join(folder, "dist")]
  const [code, said] = await run(bin("node"), args, fileOf(".."))
  expect(code, said).toBe(0)
})
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))

describe("the bundle", () => {
  const runtimes = [
    ["node", []],
    ["deno", ["run", "-A"]]
  ] as const
  it.each(runtimes.filter(([name]) => existsSync(bin(name))))(
    "runs on %s without a package around it",
    async (name, before) => {
      const main = join(folder, "dist/main.js")
      expect(await run(bin(name), [...before, main, "--version"])).toEqual([0, `satwire ${manifest.version}\n`])
      const [code, said] = await run(bin(name), [...before, main, "playground", "--blocks=1", "--interval=0.01"])
      expect([code, said]).toEqual([
        0,
        expect.stringContaining("Both nodes are at height 111: 1 block on the first 110.")
      ])
      const [refused, why] = await run(bin(name), [...before, main, "-port=x"])
      expect([refused, why.split("\n")]).toEqual([2, [expect.stringMatching(/^satwire: the flag --port is "x"/), ""]])
    }
  )

  it("has the worker's program beside the main one, and the licences of all that it carries", () => {
    const files = readdirSync(join(folder, "dist"))
    expect(files).toContain("worker.js")
    const licences = readFileSync(join(folder, "dist/THIRD-PARTY-LICENCES.txt"), "utf8")
    for (const name of ["effect", "@effect/platform-node", "@noble/hashes"])
      expect(licences).toMatch(new RegExp(`^${name} \\d`, "m"))
    expect(readdirSync(join(folder, "dist/page")).toSorted()).toEqual([
      "THIRD-PARTY-LICENCES.txt",
      "index.html",
      "page.css",
      "page.js"
    ])
    expect(readFileSync(join(folder, "dist/page/THIRD-PARTY-LICENCES.txt"), "utf8")).toMatch(/^preact \d/m)
    const bytes = files.reduce((sum, file) => sum + statSync(join(folder, "dist", file)).size, 0)
    // JSON-RPC with its HTTP server is 0.6 MB of it, the page 0.1.
    expect(bytes).toBeLessThan(3_300_000)
  })
})
