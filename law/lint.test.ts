/**
 * The linter is half of the law, so each of its rules is proven: a snippet that breaks it is refused where it should be, and
 * allowed where it should be. All snippets are linted in one run, in a folder laid out like the repository.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { root, theHouse } from "./House.ts"

/** The rules that an override sets for one side of the seam. */
const SIDED =
  /^(?:eslint\(no-restricted-(?:globals|imports|properties)\)|import\(no-nodejs-modules\)|oxc\(no-async-await\))$/

interface Snippet {
  readonly what: string
  readonly code: string
}

const snippet = (what: string, code: string): Snippet => ({ what, code })
const use = (expression: string): Snippet => snippet(expression, `export const it: unknown = ${expression}`)
const take = (specifier: string): Snippet =>
  snippet(specifier, `import * as It from "${specifier}"\nexport const it: unknown = It`)

const CLOCKS = ["Date.now()", "new Date()", "performance.now()", "globalThis.Date", "globalThis.performance"].map(use)
const TIMERS = ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "clearTimeout"].map((name) =>
  use(`${name}(f)`)
)
const IO = [
  "fetch(x)",
  "console.log(x)",
  "process.env",
  "globalThis.process",
  "new WebSocket(x)",
  "Deno",
  "new Worker(x)"
].map(use)
const CHANCE = ["Math.random()", "crypto.getRandomValues(x)", "globalThis.crypto"].map(use)
const PROMISES = [
  use("Promise.resolve(1)"),
  use("new AbortController()"),
  snippet("an async function", "export const it = async (): Promise<void> => {}")
]
const PLATFORM = [
  "node:fs",
  "node:net",
  "node:crypto",
  "fs",
  "effect",
  "effect/Effect",
  "effect/Stream",
  "effect/unstable/http/HttpServer",
  "@effect/platform-node"
].map(take)

const belowRefused = [
  ...CLOCKS,
  ...TIMERS,
  ...IO,
  ...CHANCE,
  ...PROMISES,
  ...PLATFORM,
  use("Buffer.alloc(1)"),
  use("new Intl.Collator()")
]
const belowAllowed = [
  "effect/Data",
  "effect/Result",
  "effect/Option",
  "effect/Brand",
  "@noble/hashes/sha2.js",
  "@satwire/bytes",
  "./Other.ts"
]
  .map(take)
  .concat(["Math.floor(x)", "new TextEncoder()", "new Uint8Array(1)", "x >>> 1"].map(use))

const edgeRefused = [
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "clearInterval"].map((name) => use(`${name}(f)`)),
  ...["Promise.all(x)", "Promise.race(x)", "Promise.any(x)", "Promise.allSettled(x)", "new AbortController()"].map(use),
  ...["globalThis.setTimeout", "new EventEmitter()", "Math.random()", "Date.now()", "performance.now()"].map(use),
  ...["node:events", "node:timers", "node:timers/promises", "effect"].map(take)
]
const edgeAllowed = ["effect/Effect", "effect/Stream", "node:path", "node:net"]
  .map(take)
  .concat([use("new Promise(f)")])

const adapterAllowed = ["node:net", "node:events", "effect/Effect"]
  .map(take)
  .concat([use("setTimeout(f)"), use("new AbortController()")])

const everywhereRefused: ReadonlyArray<readonly [code: string, rule: string]> = [
  ["export const it = (x: any): unknown => x", "typescript(no-explicit-any)"],
  ["export const it = (x: string | undefined): string => x!", "typescript(no-non-null-assertion)"],
  ["// @ts-ignore\nexport const it = 1", "typescript(ban-ts-comment)"],
  ["export const it = (x: unknown): boolean => x == 1", "eslint(eqeqeq)"],
  ["export default 1", "import(no-default-export)"],
  ["var x = 1\nexport const it = x", "eslint(no-var)"],
  ["console.log(1)\nexport const it = 1", "eslint(no-console)"]
]

interface Case extends Snippet {
  readonly file: string
}

const cases: Array<Case> = []
const place = (folder: string, snippets: ReadonlyArray<Snippet>): ReadonlyArray<Case> =>
  snippets.map((one) => {
    const found = { ...one, file: `${folder}/Case${cases.length}.ts` }
    cases.push(found)
    return found
  })

const pureRooms = theHouse().layers.layers.flatMap(({ side, rooms }) => (side === "pure" ? rooms : []))
const edgeRooms = theHouse().layers.layers.flatMap(({ side, rooms }) =>
  side === "edge" ? rooms.filter((room) => !room.startsWith("transport-")) : []
)
const folderOf = (room: string): string => (room.includes("/") ? `${room}/src` : `packages/${room}/src`)

const below = { refused: place("packages/wire/src", belowRefused), allowed: place("packages/wire/src", belowAllowed) }
const edge = { refused: place("packages/client/src", edgeRefused), allowed: place("packages/client/src", edgeAllowed) }
const adapter = place("packages/transport-tcp/src", adapterAllowed)
const everywhere = everywhereRefused.map(([code, rule]) => ({
  rule,
  at: place("packages/client/src", [snippet(rule, code)])
}))
const everyPureRoom = pureRooms.map((room) => ({
  room,
  at: place(folderOf(room), [use("Date.now()"), take("node:fs")])
}))
const everyEdgeRoom = edgeRooms.map((room) => ({ room, at: place(folderOf(room), [use("setTimeout(f)")]) }))

const effectDoor: Case = { ...take("effect/Effect"), file: "packages/header-sync/src/effect.ts" }
const platformDoor: Case = {
  what: "node:crypto and node:fs",
  code: 'import * as C from "node:crypto"\nimport * as F from "node:fs"\nexport const it: unknown = [C, F]',
  file: "packages/crypto/src/node.ts"
}
cases.push(effectDoor, platformDoor)

interface Diagnostic {
  readonly code?: string
  readonly filename: string
}

let folder = ""
const complaints = new Map<string, Array<string>>()

const lint = (): string => {
  const oxlint = join(root, "node_modules/.bin/oxlint")
  try {
    return execFileSync(oxlint, ["-f", "json", "."], { cwd: folder, encoding: "utf8", maxBuffer: 1 << 26 })
  } catch (error) {
    // Exit code 1: it found something, which is what this is for.
    return (error as { readonly stdout: string }).stdout
  }
}

const write = (file: string, text: string): void => {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), text)
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "satwire-lint-"))
  const config = JSON.parse(readFileSync(join(root, ".oxlintrc.json"), "utf8")) as { options: { typeAware: boolean } }
  // Snippets belong to no TypeScript project.
  config.options.typeAware = false
  write(".oxlintrc.json", JSON.stringify(config))
  for (const { file, code } of cases) write(file, `${code}\n`)
  const { diagnostics } = JSON.parse(lint()) as { readonly diagnostics: ReadonlyArray<Diagnostic> }
  for (const { code, filename } of diagnostics) {
    complaints.set(filename, [...(complaints.get(filename) ?? []), code ?? "(none)"])
  }
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const complaintsOn = (file: string): ReadonlyArray<string> => complaints.get(file) ?? []
const sided = (file: string): ReadonlyArray<string> => complaintsOn(file).filter((code) => SIDED.test(code))

describe("below the seam", () => {
  test.each(below.refused)("$what is refused", ({ file }) => {
    expect(sided(file)).not.toEqual([])
  })
  test.each(below.allowed)("$what is allowed", ({ file }) => {
    expect(sided(file)).toEqual([])
  })
  test.each(everyPureRoom)("the rules cover $room", ({ at }) => {
    for (const { file } of at) expect(sided(file)).not.toEqual([])
  })
  test("an ./effect door may take Effect's runtime", () => {
    expect(sided(effectDoor.file)).toEqual([])
  })
  test("the door of crypto to the platform may take node:crypto and nothing more", () => {
    expect(sided(platformDoor.file)).toEqual(["eslint(no-restricted-imports)"])
  })
})

describe("at the edge", () => {
  test.each(edge.refused)("$what is refused", ({ file }) => {
    expect(sided(file)).not.toEqual([])
  })
  test.each(edge.allowed)("$what is allowed", ({ file }) => {
    expect(sided(file)).toEqual([])
  })
  test.each(everyEdgeRoom)("the rules cover $room", ({ at }) => {
    for (const { file } of at) expect(sided(file)).not.toEqual([])
  })
  test.each(adapter)("$what is allowed in a transport adapter", ({ file }) => {
    expect(sided(file)).toEqual([])
  })
})

describe("everywhere", () => {
  test.each(everywhere)("$rule refuses what it should", ({ rule, at }) => {
    for (const { file } of at) expect(complaintsOn(file)).toContain(rule)
  })
})
