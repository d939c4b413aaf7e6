/**
 * Laws of paper: every package has the same manifest, the same pair of TypeScript projects, a README of one shape and tests.
 */
import { isDeepStrictEqual } from "node:util"
import { type House, type Manifest, type Room, doors, has, json, lineWith, packages, rooms, sources } from "./House.ts"
import type { Law, Violation } from "./Law.ts"
import { sideOfRoom, targetOf } from "./Layers.ts"

const CONDITIONS = ["@satwire/source", "types", "default"]

const expectedDoor = (source: string): Record<string, string> => {
  const built = source.replace(/^\.\/src\//, "./dist/").replace(/\.ts$/, "")
  return { "@satwire/source": source, types: `${built}.d.ts`, default: `${built}.js` }
}

const expectedFields = (room: Room): Manifest => ({
  name: `@satwire/${room.key}`,
  license: "MIT",
  type: "module",
  sideEffects: false,
  files: ["dist", "src", "README.md"],
  publishConfig: { access: "public", provenance: true },
  engines: { node: ">=22.19.0" },
  scripts: {
    build: "tsup --config ../../tsup.config.ts && tsc -p tsconfig.build.json",
    typecheck: "tsc -p tsconfig.json",
    test: `vitest run --root ../.. --dir ${room.folder}`,
    "lint:pkg": "publint --strict && attw --pack . --profile esm-only"
  }
})

const manifestViolations = (house: House, room: Room): ReadonlyArray<Violation> => {
  const file = `${room.folder}/package.json`
  const at = (what: string, advice: string): Violation => ({
    file,
    line: lineWith(house.text(file), `"${what}"`),
    what,
    advice
  })
  const { manifest } = room
  const wrong = Object.entries(expectedFields(room))
    .filter(([field, value]) => !isDeepStrictEqual(manifest[field], value))
    .map(([field, value]) => at(field, `is ${JSON.stringify(value)} in every package`))
  const repository = manifest["repository"] as Manifest | undefined
  if (repository?.["directory"] !== room.folder) wrong.push(at("repository", `its directory is ${room.folder}`))
  const description = manifest["description"]
  if (typeof description !== "string" || !/^[A-Z].*[^.]$/.test(description)) {
    wrong.push(at("description", "one sentence without a full stop, saying what its user gets"))
  }
  return [...wrong, ...exportViolations(manifest, at)]
}

const exportViolations = (
  manifest: Manifest,
  at: (what: string, advice: string) => Violation
): ReadonlyArray<Violation> => {
  const exported = (manifest["exports"] ?? {}) as Record<string, unknown>
  const wrong: Array<Violation> = []
  if (exported["./package.json"] !== "./package.json") wrong.push(at("exports", 'has "./package.json"'))
  for (const [name, target] of Object.entries(exported)) {
    if (name === "./package.json") continue
    const source = (target as Record<string, string>)["@satwire/source"] ?? ""
    const inOrder = isDeepStrictEqual(Object.keys(target as object), CONDITIONS)
    if (!inOrder || !isDeepStrictEqual(target, expectedDoor(source))) {
      wrong.push(at(name, `has the conditions ${CONDITIONS.join(", ")} in this order, all of one file`))
    }
  }
  return wrong
}

export const manifestsAgree: Law = {
  sentence: "every package.json has one shape",
  violations: (house) => packages(house).flatMap((room) => manifestViolations(house, room))
}

export const appsArePublishable: Law = {
  sentence: "every app is an ESM package under MIT with a binary, its files, an engine and no dependencies",
  violations: (house) =>
    rooms(house)
      .filter((room) => room.folder.startsWith("apps/"))
      .flatMap((room) => {
        const file = `${room.folder}/package.json`
        const expected: Manifest = { license: "MIT", type: "module", engines: { node: ">=22.19.0" } }
        const wrong = Object.entries(expected).filter(
          ([field, value]) => !isDeepStrictEqual(room.manifest[field], value)
        )
        const missing = ["name", "version", "description", "files", "bin"].filter((field) => !(field in room.manifest))
        return [
          ...wrong.map(([what, value]) => ({ file, line: 1, what, advice: `is ${JSON.stringify(value)}` })),
          ...missing.map((what) => ({ file, line: 1, what, advice: "an app has it" })),
          ...Object.keys(room.manifest["dependencies"] ?? {}).map((what) => ({
            file,
            line: lineWith(house.text(file), `"${what}"`),
            what,
            advice: "the bundle carries it: a devDependency, or everybody installs it twice"
          }))
        ]
      })
}

/** Stable modules of Effect below the seam; the edge also takes modules that a minor version may change. */
const effectRange = (house: House, room: Room): string | undefined => {
  const side = sideOfRoom(house.layers, room.key)
  return side === "pure" ? "^4.1.0" : side === "edge" ? "~4.1.0" : undefined
}

export const rangesAgree: Law = {
  sentence: "packages ask for each other at their present version, and for Effect as a peer in the range of their side",
  violations: (house) =>
    packages(house).flatMap((room) => {
      const file = `${room.folder}/package.json`
      const wrong: Array<Violation> = []
      const say = (what: string, advice: string): void => {
        wrong.push({ file, line: lineWith(house.text(file), `"${what}"`), what, advice })
      }
      const dependencies = (room.manifest["dependencies"] ?? {}) as Record<string, string>
      for (const [name, range] of Object.entries(dependencies)) {
        const target = targetOf(rooms(house), name)
        const wanted = target === undefined ? undefined : `^${target.room.manifest.version}`
        if (wanted !== undefined && range !== wanted) say(name, `is ${wanted}, or npm installs a second copy`)
        if (name === "effect") say(name, "is a peer: two copies of Effect do not know each other's fibers")
      }
      const peer = ((room.manifest["peerDependencies"] ?? {}) as Record<string, string>)["effect"]
      const range = effectRange(house, room)
      if (peer !== undefined && range !== undefined && peer !== range)
        say("peerDependencies", `effect is ${range} here`)
      return wrong
    })
}

export const denoAgrees: Law = {
  sentence: "deno.json says the same name, version, licence and doors as package.json",
  violations: (house) =>
    packages(house).flatMap((room): ReadonlyArray<Violation> => {
      const file = `${room.folder}/deno.json`
      const here = (what: string, advice: string): Violation => ({ file, line: 1, what, advice })
      if (!has(house, file)) return [here("file", "write it: what Deno knows of the package")]
      const deno = json(house, file)
      const exported = Object.fromEntries(
        doors(room).map(({ name, file: door }) => [name, `.${door.slice(room.folder.length)}`])
      )
      const expected: Record<string, unknown> = {
        name: room.manifest.name,
        version: room.manifest.version,
        license: "MIT",
        exports: exported
      }
      return Object.entries(expected)
        .filter(([field, value]) => !isDeepStrictEqual(deno[field], value))
        .map(([field, value]) => here(field, `is ${JSON.stringify(value)} as in package.json`))
    })
}

/** JSR serves modules, and no files beside them. */
const READS_BESIDE = /new URL\(\s*["'`]\.\/[^"'`]*(?<!\.[jt]s)["'`],\s*import\.meta\.url/

const standsOnFiles = (house: House, room: Room): boolean =>
  sources(house, `${room.folder}/src/`).some((path) => READS_BESIDE.test(house.text(path))) ||
  Object.keys(room.manifest["dependencies"] ?? {}).some((name) => {
    const below = targetOf(rooms(house), name)
    return below !== undefined && standsOnFiles(house, below.room)
  })

export const jsrTakesModules: Law = {
  sentence: "deno.json publishes to JSR whatever needs no files beside its modules, and nothing else",
  violations: (house) =>
    packages(house).flatMap((room): ReadonlyArray<Violation> => {
      const file = `${room.folder}/deno.json`
      if (!has(house, file)) return []
      const wanted = standsOnFiles(house, room) ? false : { include: ["src", "README.md", "deno.json"] }
      if (isDeepStrictEqual(json(house, file)["publish"], wanted)) return []
      return [{ file, line: 1, what: "publish", advice: `is ${JSON.stringify(wanted)} here` }]
    })
}

export const projectsAgree: Law = {
  sentence: "below the seam a package's TypeScript project sees no platform",
  violations: (house) =>
    packages(house).flatMap((room) => {
      const hasPlatformDoor = doors(room).some((door) => door.file in house.layers.doors)
      const isPure = sideOfRoom(house.layers, room.key) === "pure" && !hasPlatformDoor
      const wanted: Record<string, Manifest> = {
        "tsconfig.json": { extends: `../../tsconfig.${isPure ? "pure" : "edge"}.json` },
        "tsconfig.build.json": { extends: ["./tsconfig.json", "../../tsconfig.dist.json"] }
      }
      return Object.entries(wanted)
        .map(([name, value]) => ({ file: `${room.folder}/${name}`, value }))
        .filter(({ file, value }) => !has(house, file) || !isDeepStrictEqual(json(house, file), value))
        .map(({ file, value }) => ({ file, line: 1, what: "extends", advice: `is exactly ${JSON.stringify(value)}` }))
    })
}

const README_LINES = 120

const headings = (text: string): ReadonlyArray<string> => {
  const outside = text.replace(/^```[\s\S]*?^```/gm, "")
  return outside.split("\n").filter((line) => /^#{1,2} /.test(line))
}

export const readmesHaveOneShape: Law = {
  sentence: "every package has a README of one screen with the same headings and an example that runs",
  violations: (house) =>
    packages(house)
      .filter((room) => room.built)
      .flatMap((room): ReadonlyArray<Violation> => {
        const file = `${room.folder}/README.md`
        const here = (what: string, advice: string): Violation => ({ file, line: 1, what, advice })
        if (!has(house, file)) return [here("file", "write it: what it is, Owns, Example, Limits, Tests")]
        const text = house.text(file)
        const wanted = [`# ${room.manifest.name}`, "## Owns", "## Example", "## Limits", "## Tests"]
        const wrong: Array<Violation> = []
        if (!isDeepStrictEqual(headings(text), wanted)) wrong.push(here("headings", `are ${wanted.join(" · ")}`))
        const example = /^## Example$([\s\S]*?)^## /m.exec(text)?.[1] ?? ""
        if (!/^```ts$/m.test(example)) wrong.push(here("example", "stands in a ```ts block, which CI runs"))
        if (text.split("\n").length > README_LINES)
          wrong.push(here("length", `one screen: at most ${README_LINES} lines`))
        return wrong
      })
}

export const everyPackageIsTested: Law = {
  sentence: "every package has tests",
  violations: (house) =>
    rooms(house)
      .filter(
        (room) => room.built && !house.paths.some((path) => path.startsWith(room.folder) && path.endsWith(".test.ts"))
      )
      .map((room) => ({
        file: `${room.folder}/package.json`,
        line: 1,
        what: "test",
        advice: "write test/<Concept>.test.ts"
      }))
}

const DECISION_HEADINGS = ["Context", "Options", "Decision", "Consequences"]

export const decisionsHaveOneShape: Law = {
  sentence: "every decision has its context, its options, the decision and its consequences",
  violations: (house) => {
    const found = house.paths.filter((path) => /^docs\/adr\/(?!README\.md$).*\.md$/.test(path))
    const numbers = found.map((path) => path.slice("docs/adr/".length, "docs/adr/".length + 4))
    return found.flatMap((file, i) => {
      const second = headings(house.text(file)).filter((line) => line.startsWith("## "))
      const right = isDeepStrictEqual(
        second,
        DECISION_HEADINGS.map((heading) => `## ${heading}`)
      )
      const shaped = /^docs\/adr\/\d{4}-[a-z0-9-]+\.md$/.test(file)
      const advice = `is docs/adr/NNNN-title.md with the headings ${DECISION_HEADINGS.join(", ")}, and its number is its own`
      return right && shaped && numbers.indexOf(numbers[i] as string) === i
        ? []
        : [{ file, line: 1, what: "shape", advice }]
    })
  }
}

const UNRELEASED = "0.0.0"

export const releasesAreTold: Law = {
  sentence: "a package that was never released is named in a changeset",
  violations: (house) => {
    const told = house.paths
      .filter((path) => /^\.changeset\/.*\.md$/.test(path))
      .map((path) => house.text(path))
      .join("\n")
    return rooms(house)
      .filter(({ manifest }) => manifest.version === UNRELEASED && !told.includes(`"${manifest.name}": `))
      .map((room) => ({
        file: `${room.folder}/package.json`,
        line: 1,
        what: "changeset",
        advice: "npm run changeset: say in one sentence what its users get"
      }))
  }
}

export const manifestLaws: ReadonlyArray<Law> = [
  manifestsAgree,
  appsArePublishable,
  rangesAgree,
  denoAgrees,
  jsrTakesModules,
  projectsAgree,
  readmesHaveOneShape,
  everyPackageIsTested,
  decisionsHaveOneShape,
  releasesAreTold
]
