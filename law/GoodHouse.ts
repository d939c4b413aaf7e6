/**
 * A small house in which every law holds: the ground on which `proof.test.ts` breaks one law at a time.
 */
import { type House, houseOf } from "./House.ts"
import type { Layers } from "./Layers.ts"

export const smallLayers: Layers = {
  layers: [
    { name: "L0", side: "pure", rooms: ["low"] },
    { name: "L1", side: "pure", rooms: ["left", "right"] },
    { name: "platform", side: "edge", rooms: [] },
    { name: "L5", side: "edge", rooms: ["edge"] },
    { name: "dev", side: "dev", rooms: ["kit"] }
  ],
  inside: {},
  doors: { "packages/low/src/node.ts": { layer: "platform", may: [], why: "its hashing" } },
  npm: { pure: ["effect/Result", "@noble/hashes"] }
}

interface Plan {
  readonly key: string
  readonly project: "pure" | "edge"
  readonly effect: string
  readonly doors: ReadonlyArray<string>
  readonly dependencies: Readonly<Record<string, string>>
  readonly index: string
  readonly extra?: Readonly<Record<string, string>>
}

const RESULT = 'import type * as Result from "effect/Result"\nexport type Answer = Result.Result<number, string>\n'

const plans: ReadonlyArray<Plan> = [
  {
    key: "low",
    project: "edge",
    effect: "^4.1.0",
    doors: ["index", "node"],
    dependencies: {},
    index: `${RESULT}export { Depth } from "./Depth.ts"\n`,
    extra: {
      "src/Depth.ts": "export const Depth = 1\n",
      "src/node.ts": 'import * as C from "node:crypto"\nexport { C }\n'
    }
  },
  {
    key: "left",
    project: "pure",
    effect: "^4.1.0",
    doors: ["index"],
    dependencies: { "@noble/hashes": "^2.4.0", "@satwire/low": "^1.2.0" },
    index: 'import { sha256 } from "@noble/hashes/sha2.js"\nexport { Depth } from "@satwire/low"\nexport { sha256 }\n'
  },
  { key: "right", project: "pure", effect: "^4.1.0", doors: ["index"], dependencies: {}, index: RESULT },
  {
    key: "edge",
    project: "edge",
    effect: "~4.1.0",
    doors: ["index"],
    dependencies: { "@satwire/left": "^1.2.0", "@satwire/low": "^1.2.0" },
    index: 'export * as L from "@satwire/left"\nexport * as N from "@satwire/low/node"\n'
  },
  {
    key: "kit",
    project: "edge",
    effect: "^4.1.0",
    doors: ["index"],
    dependencies: { "@satwire/edge": "^1.2.0" },
    index: 'export * as E from "@satwire/edge"\n'
  }
]

const doorsOf = (names: ReadonlyArray<string>): ReadonlyArray<readonly [door: string, name: string]> =>
  names.map((name) => [name === "index" ? "." : `./${name}`, name])

const manifest = ({ key, effect, doors, dependencies }: Plan): object => ({
  name: `@satwire/${key}`,
  version: "1.2.0",
  description: "Shows a house in order",
  license: "MIT",
  repository: { type: "git", url: "x", directory: `packages/${key}` },
  files: ["dist", "src", "README.md"],
  type: "module",
  sideEffects: false,
  exports: {
    ...Object.fromEntries(
      doorsOf(doors).map(([door, name]) => [
        door,
        { "@satwire/source": `./src/${name}.ts`, types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` }
      ])
    ),
    "./package.json": "./package.json"
  },
  publishConfig: { access: "public", provenance: true },
  scripts: {
    build: "tsup --config ../../tsup.config.ts && tsc -p tsconfig.build.json",
    typecheck: "tsc -p tsconfig.json",
    test: `vitest run --root ../.. --dir packages/${key}`,
    "lint:pkg": "publint --strict && attw --pack . --profile esm-only"
  },
  dependencies,
  peerDependencies: { effect },
  engines: { node: ">=22.19.0" }
})

const readme = (key: string): string =>
  `# @satwire/${key}\n\nShows.\n\n## Owns\n\n## Example\n\n\`\`\`ts\n// # Not a heading\n\`\`\`\n\n## Limits\n\n## Tests\n`

const filesOf = (plan: Plan): ReadonlyArray<readonly [string, string]> => {
  const { key, project, doors } = plan
  const deno = {
    name: `@satwire/${key}`,
    version: "1.2.0",
    license: "MIT",
    exports: Object.fromEntries(doorsOf(doors).map(([door, name]) => [door, `./src/${name}.ts`])),
    publish: { include: ["src", "README.md", "deno.json"] }
  }
  const files: Record<string, string> = {
    "package.json": JSON.stringify(manifest(plan), undefined, 2),
    "deno.json": JSON.stringify(deno),
    "tsconfig.json": `{ "extends": "../../tsconfig.${project}.json" }`,
    "tsconfig.build.json": '{ "extends": ["./tsconfig.json", "../../tsconfig.dist.json"] }',
    "README.md": readme(key),
    "src/index.ts": plan.index,
    "test/Depth.test.ts": `import { it } from "vitest"\nimport * as It from "@satwire/${key}"\nit("has it", () => It)\n`,
    ...plan.extra
  }
  return Object.entries(files).map(([path, text]) => [`packages/${key}/${path}`, text])
}

const goodTexts: ReadonlyMap<string, string> = new Map([
  ...plans.flatMap(filesOf),
  ["package.json", JSON.stringify({ devDependencies: { vitest: "5.1.1" } })],
  ["layers.json", JSON.stringify(smallLayers)],
  ["law/exceptions.json", "[]"]
])

/** The good house with some files written anew (or taken out, where the text is `undefined`). */
export const houseWith = (
  changes: Readonly<Record<string, string | ((text: string) => string) | undefined>>,
  also: Partial<House> = {}
): House => {
  const texts = new Map(goodTexts)
  for (const [path, change] of Object.entries(changes)) {
    if (change === undefined) texts.delete(path)
    else texts.set(path, typeof change === "string" ? change : change(texts.get(path) ?? ""))
  }
  return { ...houseOf(texts, smallLayers), ...also }
}
