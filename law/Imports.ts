/**
 * Laws of what may import what: the layers, the doors of packages, and what their manifests declare.
 */
import { builtinModules } from "node:module"
import { type House, type Room, has, json, lineWith, roomOf, rooms, sources } from "./House.ts"
import type { Law, Violation } from "./Law.ts"
import { type Place, placeOf, refusal, relativeTarget, standing, targetOf } from "./Layers.ts"
import { type Import, parseFile } from "./Source.ts"

const builtins = new Set(builtinModules)

const isRelative = (specifier: string): boolean => specifier.startsWith(".")
const isBuiltin = (specifier: string): boolean => specifier.startsWith("node:") || builtins.has(specifier)

/** `@noble/hashes` of `@noble/hashes/sha2.js`. */
export const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/")

interface Found {
  readonly file: string
  readonly place: Place | undefined
  readonly found: Import
}

/** Every import of every TypeScript file; `place` is undefined for files of no room (law, scripts, bench). */
const everyImport = (house: House): ReadonlyArray<Found> =>
  sources(house, "")
    .filter((file) => !file.startsWith("interop/"))
    .flatMap((file) => parseFile(house, file).imports.map((found) => ({ file, place: placeOf(house, file), found })))

const violation = ({ file, found }: Found, advice: string): Violation => ({
  file,
  line: found.line,
  what: found.specifier,
  advice
})

/** The file and room that an import of this workspace leads to. */
const landing = (house: House, at: Found): { readonly room: Room; readonly file: string } | undefined => {
  if (isRelative(at.found.specifier)) {
    const file = relativeTarget(at.file, at.found.specifier)
    const room = roomOf(rooms(house), file)
    return room === undefined ? undefined : { room, file }
  }
  const target = targetOf(rooms(house), at.found.specifier)
  return target?.door === undefined ? undefined : { room: target.room, file: target.door.file }
}

const layerViolation = (house: House, at: Found): ReadonlyArray<Violation> => {
  if (at.place === undefined) return []
  const to = landing(house, at)
  if (to === undefined) return []
  const { room, kind } = at.place
  const from = standing(house.layers, room.key, at.file)
  const there = standing(house.layers, to.room.key, to.file)
  if (from === undefined || there === undefined) return []
  // A test stands beside its room's source and may take any door of what that source may import.
  const inTest = kind === "test"
  const seen = inTest ? (standing(house.layers, to.room.key, "") ?? there) : there
  const why = refusal(from, seen, inTest)
  return why === undefined ? [] : [violation(at, why)]
}

export const layersHold: Law = {
  sentence: "imports go down the layers of layers.json",
  violations: (house) => everyImport(house).flatMap((at) => layerViolation(house, at))
}

export const roomsAreKnown: Law = {
  sentence: "every package and app stands on one layer of layers.json, and every room there exists",
  violations: (house) => {
    const placed = house.layers.layers.flatMap((layer) => layer.rooms)
    const existing = rooms(house).map((room) => room.key)
    const at = (what: string, advice: string): Violation => ({
      file: "layers.json",
      line: lineWith(house.text("layers.json"), `"${what}"`),
      what,
      advice
    })
    return [
      ...existing.filter((key) => !placed.includes(key)).map((key) => at(key, "name its layer")),
      ...placed.filter((key, i) => placed.indexOf(key) !== i).map((key) => at(key, "name it once")),
      // An app may be named before its folder exists: the first issue fills them in.
      ...placed
        .filter((key) => !existing.includes(key) && !key.startsWith("apps/"))
        .map((key) => at(key, "no such package: take it out")),
      ...Object.keys(house.layers.doors)
        .filter((file) => !has(house, file))
        .map((file) => at(file, "no such file: take it out"))
    ]
  }
}

export const doorsAreUsed: Law = {
  sentence: "a package is entered by its doors: no relative import leaves it, no import reaches behind its exports",
  violations: (house) =>
    everyImport(house).flatMap((at) => {
      if (at.place === undefined) return []
      if (isRelative(at.found.specifier)) {
        const file = relativeTarget(at.file, at.found.specifier)
        if (at.found.kind === "url" && !/\.[jt]s$/.test(file)) return []
        if (!file.startsWith(`${at.place.room.folder}/`)) {
          return [violation(at, "import it by the name of its package")]
        }
        const leavesSource = at.place.kind === "source" && !file.startsWith(`${at.place.room.folder}/src/`)
        return leavesSource && !file.endsWith("package.json")
          ? [violation(at, "source imports source: what tests share lives in test/ or in testkit")]
          : []
      }
      const target = targetOf(rooms(house), at.found.specifier)
      if (target === undefined || target.door !== undefined) return []
      return [violation(at, `${target.room.manifest.name} exports no such door`)]
    })
}

const npmImports = (house: House): ReadonlyArray<Found> =>
  everyImport(house).filter(({ found }) => !isRelative(found.specifier) && !isBuiltin(found.specifier))

export const pureTakesLittle: Law = {
  sentence: "below the seam only the named npm packages and Effect's Data, Result, Option and Brand are imported",
  violations: (house) =>
    npmImports(house).flatMap((at) => {
      if (at.place?.kind !== "source" || targetOf(rooms(house), at.found.specifier) !== undefined) return []
      if (standing(house.layers, at.place.room.key, at.file)?.side !== "pure") return []
      const { specifier } = at.found
      const allowed = house.layers.npm.pure.some((name) => specifier === name || packageOf(specifier) === name)
      return allowed ? [] : [violation(at, "inject it from the edge, or name it in layers.json with an ADR")]
    })
}

const DEPENDENCY_FIELDS = ["dependencies", "peerDependencies", "optionalDependencies"] as const

const names = (manifest: { readonly [field: string]: unknown }, fields: ReadonlyArray<string>): ReadonlyArray<string> =>
  fields.flatMap((field) => Object.keys((manifest[field] ?? {}) as Record<string, string>))

/** A package passes on the peers of what it stands on, so that its users are asked for them. */
const passesOn = (house: House, room: Room, name: string): boolean =>
  names(room.manifest, ["peerDependencies"]).includes(name) &&
  names(room.manifest, ["dependencies"]).some((dependency) => {
    const below = targetOf(rooms(house), dependency)
    return below !== undefined && names(below.room.manifest, ["peerDependencies"]).includes(name)
  })

/** Where a room declares what its source imports: an app carries all of it in its bundle, so that whoever installs it needs none. */
const fieldsOf = (room: Room): typeof DEPENDENCY_FIELDS | readonly ["devDependencies"] =>
  room.folder.startsWith("apps/") ? ["devDependencies"] : DEPENDENCY_FIELDS

const sourceDeclarations = (house: House, room: Room): ReadonlyArray<Violation> => {
  const fields = fieldsOf(room)
  const declared = names(room.manifest, fields)
  const imports = npmImports(house).filter(
    ({ place }) => place?.room.folder === room.folder && (place.kind === "source" || room.folder.startsWith("apps/"))
  )
  const inSource = imports.filter(({ place }) => place?.kind === "source")
  const used = new Set(inSource.map(({ found }) => packageOf(found.specifier)))
  const file = `${room.folder}/package.json`
  return [
    ...inSource
      .filter(({ found }) => {
        const name = packageOf(found.specifier)
        return name !== room.manifest.name && !declared.includes(name)
      })
      .map((at) => violation(at, `declare ${packageOf(at.found.specifier)} in ${file}: ${fields[0]}`)),
    ...declared
      .filter((name) => !used.has(name) && !passesOn(house, room, name))
      .map((name) => ({
        file,
        line: lineWith(house.text(file), `"${name}"`),
        what: name,
        advice: "no source imports it: take it out"
      }))
  ]
}

export const declarationsAgree: Law = {
  sentence: "what a package's source imports its package.json declares, and the other way round",
  violations: (house) =>
    rooms(house)
      .filter((room) => room.built)
      .flatMap((room) => sourceDeclarations(house, room))
}

export const testsAreDeclared: Law = {
  sentence: "what tests, benches, scripts and laws import from npm the root or their own package.json declares",
  violations: (house) => {
    const root = names(json(house, "package.json"), [...DEPENDENCY_FIELDS, "devDependencies"])
    return npmImports(house).flatMap((at) => {
      if (at.place?.kind === "source" || targetOf(rooms(house), at.found.specifier) !== undefined) return []
      const name = packageOf(at.found.specifier)
      const folder = at.place?.room.folder ?? at.file.split("/")[0]
      const own = `${folder}/package.json`
      const near = has(house, own) ? names(json(house, own), [...DEPENDENCY_FIELDS, "devDependencies"]) : []
      return root.includes(name) || near.includes(name) ? [] : [violation(at, "declare it in the root package.json")]
    })
  }
}

export const importLaws: ReadonlyArray<Law> = [
  layersHold,
  roomsAreKnown,
  doorsAreUsed,
  pureTakesLittle,
  declarationsAgree,
  testsAreDeclared
]
