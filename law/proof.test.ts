/**
 * Every law is proven: it is silent in a house in order, and it speaks, at the right file, in the same house with one thing broken.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { houseWith, smallLayers } from "./GoodHouse.ts"
import type { House } from "./House.ts"
import { breaches, laws } from "./Laws.ts"

type Changes = Parameters<typeof houseWith>[0]

interface Breach {
  readonly name: string
  readonly sentence: RegExp
  readonly changes: Changes
  readonly file: string
  readonly what: string
  readonly also?: Partial<House>
}

const append =
  (line: string) =>
  (text: string): string =>
    `${text}${line}\n`

const edit =
  (from: string | RegExp, to: string) =>
  (text: string): string => {
    const edited = text.replace(from, to)
    if (edited === text) throw new Error(`nothing to edit: ${from}`)
    return edited
  }

/** A text that this file must not hold, because it would break the law that it proves. */
const spelled = (...parts: ReadonlyArray<string>): string => parts.join("")

const breach = (
  name: string,
  sentence: RegExp,
  changes: Changes,
  file: string,
  what: string,
  also?: Partial<House>
): Breach => ({ name, sentence, changes, file, what, ...(also === undefined ? {} : { also }) })

const LEFT = "packages/left/src/index.ts"
const EDGE = "packages/edge/src/index.ts"
const LEFT_TEST = "packages/left/test/Depth.test.ts"
const LEFT_MANIFEST = "packages/left/package.json"

const imports: ReadonlyArray<Breach> = [
  breach(
    "an import that goes up",
    /go down/,
    { [LEFT]: append('export * as E from "@satwire/edge"') },
    LEFT,
    "@satwire/edge"
  ),
  breach(
    "a type that goes up",
    /go down/,
    { [LEFT]: append('export type E = import("@satwire/edge").E') },
    LEFT,
    "@satwire/edge"
  ),
  breach(
    "an import of a sibling",
    /go down/,
    { [LEFT]: append('export * as R from "@satwire/right"') },
    LEFT,
    "@satwire/right"
  ),
  breach(
    "source that imports a dev package",
    /go down/,
    { [LEFT]: append('export * as K from "@satwire/kit"') },
    LEFT,
    "@satwire/kit"
  ),
  breach(
    "a pure package that imports a door at the edge",
    /go down/,
    { [LEFT]: append('export * as N from "@satwire/low/node"') },
    LEFT,
    "@satwire/low/node"
  ),
  breach(
    "an index that opens its own room's higher door",
    /go down/,
    { "packages/low/src/Depth.ts": append('export * as N from "./node.ts"') },
    "packages/low/src/Depth.ts",
    "./node.ts"
  ),
  breach(
    "a test that imports a package above",
    /go down/,
    { [LEFT_TEST]: append('import "@satwire/edge"') },
    LEFT_TEST,
    "@satwire/edge"
  ),
  breach("a package without a layer", /stands on one layer/, {}, "layers.json", "right", {
    layers: {
      ...smallLayers,
      layers: smallLayers.layers.map((layer) => ({ ...layer, rooms: layer.rooms.filter((room) => room !== "right") }))
    }
  }),
  breach(
    "a relative import that leaves the package",
    /entered by its doors/,
    { [LEFT]: append('export * as R from "../../right/src/index.ts"') },
    LEFT,
    "../../right/src/index.ts"
  ),
  breach(
    "source that imports a test",
    /entered by its doors/,
    { [LEFT]: append('export * as T from "../test/Depth.test.ts"') },
    LEFT,
    "../test/Depth.test.ts"
  ),
  breach(
    "a door that is not open",
    /entered by its doors/,
    { [LEFT]: append('export * as D from "@satwire/low/Depth"') },
    LEFT,
    "@satwire/low/Depth"
  ),
  breach(
    "an unnamed npm package below the seam",
    /only the named npm packages/,
    { [LEFT]: append('export * as M from "msgpackr"') },
    LEFT,
    "msgpackr"
  ),
  breach(
    "Effect's runtime below the seam",
    /only the named npm packages/,
    { [LEFT]: append('export * as E from "effect/Effect"') },
    LEFT,
    "effect/Effect"
  ),
  breach(
    "an undeclared dependency",
    /declares, and the other way/,
    { [LEFT_MANIFEST]: edit(/"@satwire\/low": "\^1\.2\.0"/, '"@satwire/gone": "1"') },
    LEFT,
    "@satwire/low"
  ),
  breach(
    "a declared dependency that nothing imports",
    /declares, and the other way/,
    { [LEFT]: edit(/.*noble.*\n/, "") },
    LEFT_MANIFEST,
    "@noble/hashes"
  ),
  breach(
    "a test that imports what nobody declares",
    /tests, benches, scripts/,
    { [LEFT_TEST]: append('import "chai"') },
    LEFT_TEST,
    "chai"
  )
]

const lines = (count: number): string => "  f()\n".repeat(count)

const sizes: ReadonlyArray<Breach> = [
  breach(
    "a file of 701 lines",
    /no source file/,
    { "packages/low/src/Depth.ts": "\n".repeat(701) },
    "packages/low/src/Depth.ts",
    "file"
  ),
  breach(
    "a function of 71 lines",
    /no function/,
    { [LEFT]: append(`export const long = () => {\n${lines(69)}}`) },
    LEFT,
    "long"
  ),
  breach(
    "a method of 71 lines",
    /no function/,
    { [LEFT]: append(`export class C {\n  #run() {\n${lines(69)}  }\n}`) },
    LEFT,
    "run"
  ),
  breach(
    "a test of 71 lines",
    /no function/,
    { [LEFT_TEST]: append(`it("is long", () => {\n${lines(69)}})`) },
    LEFT_TEST,
    "(anonymous)"
  ),
  breach(
    "a package of 2,501 lines",
    /the source of a package/,
    Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`packages/low/src/Deep${i}.ts`, "\n".repeat(500)])),
    "packages/low/package.json",
    "low"
  )
]

const words: ReadonlyArray<Breach> = [
  breach(
    "a file called utils",
    /utils, helpers/,
    { "packages/left/src/utils.ts": "" },
    "packages/left/src/utils.ts",
    "utils.ts"
  ),
  breach(
    "a file called ByteHelpers",
    /utils, helpers/,
    { "packages/left/src/ByteHelpers.ts": "" },
    "packages/left/src/ByteHelpers.ts",
    "ByteHelpers.ts"
  ),
  breach(
    "a folder called common",
    /utils, helpers/,
    { "packages/left/src/common/A.ts": "" },
    "packages/left/src/common/A.ts",
    "common"
  ),
  breach(
    "a file in camelCase",
    /PascalCase/,
    { "packages/left/src/someThing.ts": "" },
    "packages/left/src/someThing.ts",
    "someThing.ts"
  ),
  breach(
    "a note of unfinished work",
    /unfinished/,
    { [LEFT]: append(spelled("// TO", "DO more")) },
    LEFT,
    spelled("TO", "DO")
  ),
  breach(
    "a test set aside",
    /unfinished/,
    { [LEFT_TEST]: append(spelled("it.ski", "p('x', f)")) },
    LEFT_TEST,
    spelled("it.ski", "p(")
  ),
  breach(
    "a test that silences the others",
    /unfinished/,
    { [LEFT_TEST]: append(spelled("it.effect.on", "ly('x', f)")) },
    LEFT_TEST,
    spelled("it.effect.on", "ly(")
  ),
  breach(
    "a path of one machine",
    /unfinished/,
    { "packages/left/README.md": append(spelled("see /wo", "rk/main")) },
    "packages/left/README.md",
    spelled("/wo", "rk/m")
  ),
  breach(
    "lint silenced without a reason",
    /unfinished/,
    { [LEFT]: append(spelled("// oxlint-dis", "able-next-line no-var")) },
    LEFT,
    spelled("oxlint-dis", "able")
  ),
  breach(
    "a BIP without its zeros",
    /cite a BIP/,
    { [LEFT]: append(spelled("// as BI", "P152 says")) },
    LEFT,
    spelled("BI", "P152")
  ),
  breach(
    "a second declaration file",
    /ambient/,
    { "packages/left/src/x.d.ts": "" },
    "packages/left/src/x.d.ts",
    "x.d.ts"
  ),
  breach(
    "a source that nothing reaches",
    /is reached/,
    { "packages/left/src/Lost.ts": "" },
    "packages/left/src/Lost.ts",
    "Lost.ts"
  ),
  breach(
    "a test file that no test reaches",
    /is reached/,
    { "packages/left/test/Lost.ts": "" },
    "packages/left/test/Lost.ts",
    "Lost.ts"
  ),
  breach(
    "a door with nothing behind it",
    /behind every door/,
    { "packages/low/src/node.ts": undefined },
    "packages/low/package.json",
    "./node"
  )
]

const manifests: ReadonlyArray<Breach> = [
  breach("another licence", /one shape/, { [LEFT_MANIFEST]: edit('"MIT"', '"ISC"') }, LEFT_MANIFEST, "license"),
  breach(
    "conditions in another order",
    /one shape/,
    { [LEFT_MANIFEST]: edit(/("@satwire\/source": ".*?"),\s*("types": ".*?")/, "$2, $1") },
    LEFT_MANIFEST,
    "."
  ),
  breach(
    "a declaration of another file",
    /one shape/,
    { [LEFT_MANIFEST]: edit("./dist/index.d.ts", "./dist/other.d.ts") },
    LEFT_MANIFEST,
    "."
  ),
  breach(
    "an app without a binary",
    /every app/,
    {
      "apps/x/package.json":
        '{ "name": "x", "version": "1.0.0", "description": "X", "files": [], "license": "MIT", "type": "module", "engines": { "node": ">=22.19.0" } }'
    },
    "apps/x/package.json",
    "bin"
  ),
  breach(
    "an app that has its users install what it carries",
    /every app/,
    {
      "apps/x/package.json":
        '{ "name": "x", "version": "1.0.0", "description": "X", "files": [], "bin": {}, "license": "MIT", "type": "module", "engines": { "node": ">=22.19.0" }, "dependencies": { "@satwire/low": "^1.2.0" } }'
    },
    "apps/x/package.json",
    "@satwire/low"
  ),
  breach(
    "a package at another version",
    /present version/,
    { [LEFT_MANIFEST]: edit('"@satwire/low": "^1.2.0"', '"@satwire/low": "^1.1.0"') },
    LEFT_MANIFEST,
    "@satwire/low"
  ),
  breach(
    "Effect in the wrong range",
    /present version/,
    { [LEFT_MANIFEST]: edit('"^4.1.0"', '"~4.1.0"') },
    LEFT_MANIFEST,
    "peerDependencies"
  ),
  breach(
    "another version for Deno",
    /deno.json says/,
    { "packages/left/deno.json": edit("1.2.0", "1.1.0") },
    "packages/left/deno.json",
    "version"
  ),
  breach(
    "a door that Deno does not have",
    /deno.json says/,
    { "packages/low/deno.json": edit(',"./node":"./src/node.ts"', "") },
    "packages/low/deno.json",
    "exports"
  ),
  breach(
    "a package for JSR that reads a file beside itself",
    /to JSR/,
    { "packages/edge/src/index.ts": append('export const page = new URL("./page.html", import.meta.url)') },
    "packages/edge/deno.json",
    "publish"
  ),
  breach(
    "a package for JSR that stands on one that is not",
    /to JSR/,
    { "packages/edge/src/index.ts": append('export const page = new URL("./page.html", import.meta.url)') },
    "packages/kit/deno.json",
    "publish"
  ),
  breach(
    "a package that is kept from JSR without need",
    /to JSR/,
    { "packages/left/deno.json": edit(/"publish":.*/, '"publish":false}') },
    "packages/left/deno.json",
    "publish"
  ),
  breach(
    "a pure package that sees the platform",
    /sees no platform/,
    { "packages/left/tsconfig.json": edit("pure", "edge") },
    "packages/left/tsconfig.json",
    "extends"
  ),
  breach(
    "a missing README",
    /README of one screen/,
    { "packages/left/README.md": undefined },
    "packages/left/README.md",
    "file"
  ),
  breach(
    "a README with another heading",
    /README of one screen/,
    { "packages/left/README.md": edit("## Limits", "## Bounds") },
    "packages/left/README.md",
    "headings"
  ),
  breach(
    "a README without an example",
    /README of one screen/,
    { "packages/left/README.md": edit("```ts", "```") },
    "packages/left/README.md",
    "example"
  ),
  breach(
    "a package that no changeset tells of",
    /never released/,
    { [LEFT_MANIFEST]: edit('"version": "1.2.0"', '"version": "0.0.0"') },
    LEFT_MANIFEST,
    "changeset"
  ),
  breach(
    "a decision without options",
    /every decision/,
    { "docs/adr/0001-x.md": "# X\n\n## Context\n\n## Decision\n\n## Consequences\n" },
    "docs/adr/0001-x.md",
    "shape"
  ),
  breach("a package without tests", /has tests/, { [LEFT_TEST]: undefined }, LEFT_MANIFEST, "test")
]

const seam: ReadonlyArray<Breach> = [
  ...(
    [
      ["a promise in a type", "export type P = Promise<void>", "Promise"],
      ["an async iterable in a type", "export type P = AsyncIterable<number>", "AsyncIterable"],
      ["a dynamic import", 'export const p = import("@satwire/low")', "import()"],
      ["a comparison by locale", "export const c = (a: string, b: string) => a.localeCompare(b)", "localeCompare"],
      ["a platform that is declared", "declare const Deno: unknown", "declare"],
      ["a module that asks where it lies", "export const here = import.meta.url", "import.meta"]
    ] as const
  ).map(([name, code, what]) => breach(name, /below the seam no promise/, { [LEFT]: append(code) }, LEFT, what)),
  breach(
    "an error with another tag than its type",
    /tag of an error/,
    { [EDGE]: append('const B: new () => E & { readonly _tag: "Lost" } = Data.TaggedError("Found")') },
    EDGE,
    "Found"
  ),
  breach("an exception that excuses nothing", /every exception/, {}, "law/exceptions.json", "no law / no file", {
    exceptions: [{ law: "no law", file: "no file", what: "nothing", reason: "none" }]
  })
]

const prove = (one: Breach): void => {
  const law = laws.find(({ sentence }) => one.sentence.test(sentence))
  if (law === undefined) throw new Error(`no law reads ${one.sentence}`)
  const found = breaches(houseWith(one.changes, one.also), law)
  expect(found.map(({ file, what }) => `${file} ${what}`)).toContain(`${one.file} ${one.what}`)
}

describe("a house in order", () => {
  test.each(laws.map((law) => [law.sentence, law] as const))("%s", (_, law) => {
    expect(breaches(houseWith({}), law)).toEqual([])
  })
  test("a chapter of tests may be long", () => {
    const house = houseWith({ [LEFT_TEST]: append(`describe("x", () => {\n${lines(100)}})`) })
    expect(laws.flatMap((law) => breaches(house, law))).toEqual([])
  })
  test("a test may take a dev package and a platform door", () => {
    const house = houseWith({ [LEFT_TEST]: append('import "@satwire/kit"\nimport "@satwire/low/node"') })
    expect(laws.flatMap((law) => breaches(house, law))).toEqual([])
  })
  test("a worker named by its URL is alive", () => {
    const house = houseWith({
      "packages/edge/src/Job.ts": "export const job = 1\n",
      "packages/edge/src/index.ts": append('export const url = new URL("./Job.ts", import.meta.url)')
    })
    expect(laws.flatMap((law) => breaches(house, law))).toEqual([])
  })
  test("an exception excuses what it names", () => {
    const law = laws.find(({ sentence }) => sentence.startsWith("no function")) as (typeof laws)[number]
    const exceptions = [{ law: law.sentence, file: LEFT, what: "long", reason: "a table" }]
    const house = houseWith({ [LEFT]: append(`export const long = () => {\n${lines(69)}}`) }, { exceptions })
    expect(laws.flatMap((each) => breaches(house, each))).toEqual([])
  })
})

describe("a law sees", () => {
  test.each([...imports, ...sizes, ...words, ...manifests, ...seam])("$name", prove)

  test("a file of the real data in the repository", () => {
    const data = mkdtempSync(join(tmpdir(), "satwire-data-"))
    try {
      writeFileSync(join(data, "block.bin"), "a real block, as far as this test is concerned")
      prove(
        breach(
          "",
          /real data/,
          { "docs/x.txt": "a real block, as far as this test is concerned" },
          "docs/x.txt",
          "block.bin",
          { realData: data }
        )
      )
    } finally {
      rmSync(data, { recursive: true })
    }
  })
})

test("every law is proven", () => {
  const proven = [...imports, ...sizes, ...words, ...manifests, ...seam].map(({ sentence }) => sentence)
  const unproven = laws.filter(({ sentence }) => ![...proven, /real data/].some((reads) => reads.test(sentence)))
  expect(unproven.map(({ sentence }) => sentence)).toEqual([])
})
