/**
 * Laws of names and words: how files are called, what is not written anywhere, which files nobody reaches.
 */
import { basename, join } from "node:path"
import { type House, type Room, doors, has, isText, json, rooms, sources } from "./House.ts"
import type { Law, Violation } from "./Law.ts"
import { relativeTarget } from "./Layers.ts"
import { parseFile } from "./Source.ts"

const EMPTY_NAMES = /^(?:(?:.*[a-z])?(?:utils?|helpers?)|.*(?:Utils?|Helpers?)|common|misc|shared|types|manager\d+)$/i

export const namesSaySomething: Law = {
  sentence: "no file or folder is called utils, helpers, common, misc, types or manager2",
  violations: (house) =>
    house.paths.flatMap((file) =>
      file
        .split("/")
        .filter((part) => EMPTY_NAMES.test(part.replace(/(?:\.[a-z]+)+$/, "")))
        .map((part) => ({ file, line: 1, what: part, advice: "name the concept that a reader would look for" }))
    )
}

/** Entries and doors have the name under which they are imported or run. */
const LOWER_CASE_FILES = /^(?:index|main|worker)\.ts$/

export const filesAreNamedAfterConcepts: Law = {
  sentence: "a source file is PascalCase for a concept, lower case for a door, an entry or a message",
  violations: (house) =>
    rooms(house).flatMap((room) => {
      const entrances = new Set(doors(room).map((door) => door.file))
      return sources(house, `${room.folder}/src/`)
        .filter((file) => {
          const name = basename(file)
          if (/^[A-Z][A-Za-z0-9]*\.ts$/.test(name)) return false
          if (!/^[a-z][a-z0-9]*\.ts$/.test(name)) return true
          const isCommand = /\/(?:messages|commands)\//.test(file)
          return !(entrances.has(file) || LOWER_CASE_FILES.test(name) || isCommand)
        })
        .map((file) => ({ file, line: 1, what: basename(file), advice: "HeaderTree.ts, cmpctblock.ts, index.ts" }))
    })
}

/** Spelled with classes, so that this file does not break the law that it states. */
const BANNED: ReadonlyArray<readonly [RegExp, string]> = [
  [/\b(?:T[O]DO|FIX[M]E|X[X]X|H[A]CK)\b/, "do it, or write an issue"],
  [/\b(?:it|test|describe)(?:\.\w+)*\.(?:skip|only|todo)\b\s*\(/, "a test runs, or its reason stands in skipIf"],
  [/(?<![\w.~$}])\/(?:work|tmp|root|home|Users)\/[\w.-]/, "no path of one machine: take it from the environment"],
  [/\b[A-Z]:\\Users\\/, "no path of one machine: take it from the environment"],
  [/(?:oxlint|eslint)-disable(?!.*--\s*\S)/, "say why after two hyphens"]
]

const bannedIn = (house: House, file: string): ReadonlyArray<Violation> =>
  house
    .text(file)
    .split("\n")
    .flatMap((text, i) =>
      BANNED.flatMap(([pattern, advice]) => {
        const found = pattern.exec(text)
        return found === null ? [] : [{ file, line: i + 1, what: found[0].trim(), advice }]
      })
    )

export const wordsAreKept: Law = {
  sentence: "no note of unfinished work, no test set aside, no path of one machine, no lint silenced without a reason",
  violations: (house) => house.paths.filter(isText).flatMap((file) => bannedIn(house, file))
}

const citations = (house: House, file: string): ReadonlyArray<Violation> =>
  house
    .text(file)
    .split("\n")
    .flatMap((text, i) =>
      [...text.matchAll(/\bBIP[ -]?\d+\b/g)]
        .filter(([found]) => !/^BIP-\d{4}$/.test(found))
        .map(([found]) => ({
          file,
          line: i + 1,
          what: found,
          advice: 'write BIP-0152, or BIP-0152 §"Short transaction IDs"'
        }))
    )

export const bipsAreCitedOneWay: Law = {
  sentence: "sources cite a BIP by its four digits",
  violations: (house) => sources(house, "").flatMap((file) => citations(house, file))
}

export const declarationsAreTypeScript: Law = {
  sentence: "ambient.d.ts is the only declaration file",
  violations: (house) =>
    house.paths
      .filter((file) => /\.d\.[mc]?ts$/.test(file) && file !== "ambient.d.ts")
      .map((file) => ({ file, line: 1, what: basename(file), advice: "write TypeScript, or add to ambient.d.ts" }))
}

/** Sources that something outside of the imports starts: binaries, scripts, what a build or a test names by path. */
const entriesOf = (house: House, room: Room): ReadonlyArray<string> => {
  const bins = Object.values((room.manifest["bin"] ?? {}) as Record<string, string>)
  const scripts = [json(house, "package.json"), room.manifest].flatMap((manifest) =>
    Object.values((manifest["scripts"] ?? {}) as Record<string, string>)
  )
  const named = scripts.flatMap((script) => script.match(/[\w./-]+\.ts\b/g) ?? [])
  return [
    ...doors(room).map((door) => door.file),
    ...bins.map((bin) => join(room.folder, bin.replace(/^\.?\/?dist\//, "src/").replace(/\.m?js$/, ".ts"))),
    ...named.flatMap((path) => [path, join(room.folder, path)])
  ]
}

/** Every file that is reached from `entries` by relative imports, worker URLs among them. */
const reached = (house: House, entries: ReadonlyArray<string>): ReadonlySet<string> => {
  const seen = new Set<string>()
  const queue = entries.filter((file) => has(house, file))
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    if (!file.endsWith(".ts")) continue
    for (const { specifier } of parseFile(house, file).imports) {
      if (!specifier.startsWith(".")) continue
      const next = relativeTarget(file, specifier)
      if (has(house, next)) queue.push(next)
      // A worker names the file that it will be once built; its source lies beside.
      const source = next.replace(/\.js$/, ".ts")
      if (has(house, source)) queue.push(source)
    }
  }
  return seen
}

const NO_DEAD = "reached from no door, binary, script or test: take it out or open a door"

export const nothingIsDead: Law = {
  sentence: "every source file is reached from a door, a binary or a script, and every test file from a test",
  violations: (house) =>
    rooms(house)
      .filter((room) => room.built)
      .flatMap((room) => {
        const tests = sources(house, `${room.folder}/test/`)
        const live = reached(house, entriesOf(house, room))
        const tested = reached(house, [
          ...tests.filter((file) => file.endsWith(".test.ts")),
          ...sources(house, `${room.folder}/bench/`)
        ])
        const fromScripts = entriesOf(house, room)
        return [
          ...sources(house, `${room.folder}/src/`).filter((file) => !live.has(file)),
          ...tests.filter((file) => !tested.has(file) && !fromScripts.includes(file))
        ].map((file) => ({ file, line: 1, what: basename(file), advice: NO_DEAD }))
      })
}

export const doorsExist: Law = {
  sentence: "behind every door of a package is a file",
  violations: (house) =>
    rooms(house).flatMap((room) =>
      doors(room)
        .filter((door) => !has(house, door.file))
        .map((door) => ({
          file: `${room.folder}/package.json`,
          line: 1,
          what: door.name,
          advice: `${door.file} does not exist: write it or close the door`
        }))
    )
}

export const wordLaws: ReadonlyArray<Law> = [
  namesSaySomething,
  filesAreNamedAfterConcepts,
  wordsAreKept,
  bipsAreCitedOneWay,
  declarationsAreTypeScript,
  nothingIsDead,
  doorsExist
]
