/**
 * What the READMEs show is run: each document's examples in one process, and all of them through the type checker. They are
 * written into a folder that git ignores, from which the packages resolve as they do for the sources.
 */
import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, rmdirSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Example, everyFence, examples, fences, fileOf, runnerOf } from "./Examples.ts"
import { root, theHouse } from "./House.ts"

const house = theHouse()
const all = examples(house)
const byDocument = Map.groupBy(all, ({ document }) => document)

const LIMIT_MS = 30_000
const isDeno = "Deno" in globalThis
const runtime = isDeno ? ["run", "-A", "--conditions=@satwire/source"] : ["--conditions=@satwire/source"]

const parent = join(root, "dist")
let folder = ""

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

const runnerText = (found: ReadonlyArray<Example>): string =>
  found.map((example) => `await import("./${basename(fileOf(example))}")\n`).join("")

beforeAll(() => {
  mkdirSync(parent, { recursive: true })
  folder = mkdtempSync(join(parent, "examples-"))
  for (const example of all) write(fileOf(example), example.code)
  for (const [document, found] of byDocument) write(runnerOf(document), `${runnerText(found)}export {}\n`)
  write(
    "tsconfig.json",
    JSON.stringify({
      extends: "../../tsconfig.base.json",
      // An example may name what it does not use again.
      compilerOptions: { types: ["node"], rootDir: "../..", noUnusedLocals: false },
      include: ["**/*.ts", "../../ambient.d.ts"]
    })
  )
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  try {
    rmdirSync(parent)
  } catch {
    // Another run has its examples beside ours.
  }
})

interface Finished {
  readonly code: number | string
  readonly output: string
}

/** Runs a command to its end, or to the limit; whatever it prints, both streams together. */
const run = (command: string, args: ReadonlyArray<string>): Promise<Finished> =>
  new Promise((done) => {
    execFile(command, args, { cwd: root, timeout: LIMIT_MS, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.killed === true ? `not finished after ${LIMIT_MS} ms` : (error.code ?? 1)
      done({ code, output: `${stdout}${stderr}` })
    })
  })

/** `packages/wire/README.md:12` for the file of that example. */
const named = (output: string): string =>
  all.reduce((text, example) => text.replaceAll(fileOf(example), `${example.document}:${example.line}`), output)

describe("examples", () => {
  test.each([...byDocument.keys()])("of %s run and end by themselves", async (document) => {
    const { code, output } = await run(process.execPath, [...runtime, join(folder, runnerOf(document))])
    expect(code, named(output)).toBe(0)
  })

  test("pass the type checker", async () => {
    const { code, output } = await run(join(root, "node_modules/.bin/tsc"), ["-p", join(folder, "tsconfig.json")])
    expect(code, named(output)).toBe(0)
  })

  test("assert what they show, in every package", () => {
    const silent = all.filter(({ document, code }) => document.startsWith("packages/") && !/\bassert\b/.test(code))
    expect(silent.map(({ document, line }) => `${document}:${line}`)).toEqual([])
  })

  test("are the only TypeScript and JavaScript in these documents", () => {
    const other = everyFence(house).filter(({ info }) =>
      /^(?:typescript|javascript|[mc]?[jt]sx?\b.+|[mc]?js|[mc]ts|[jt]sx)$/i.test(info)
    )
    expect(
      other.map(({ document, line, info }) => `${document}:${line} \`\`\`${info}: write \`\`\`ts, so that it runs`)
    ).toEqual([])
  })
})

describe("fences", () => {
  test("are found with their line, their language and their text", () => {
    const text = ["a", "```ts", "one()", "```", "", "````md", "```ts", "inner", "```", "````", "```", "x", "```"].join(
      "\n"
    )
    expect(fences("x.md", text).map(({ line, info, code }) => [line, info, code])).toEqual([
      [2, "ts", "one()\n"],
      [6, "md", "```ts\ninner\n```\n"],
      [11, "", "x\n"]
    ])
  })
})
