/**
 * Laws of size: rooms small enough to finish reading.
 */
import { type House, packages, sources } from "./House.ts"
import type { Law } from "./Law.ts"
import { functions, parseFile } from "./Source.ts"

export const FILE_LINES = 700
/** From here on an author thinks about splitting. */
export const FILE_LINES_HINT = 400
export const FUNCTION_LINES = 70
export const PACKAGE_LINES = 2500
/** A package of many small files is right as it is (HOUSE §5). */
const BIG_PACKAGES = ["wire"]

const lines = (house: House, path: string): number => house.text(path).split("\n").length - 1

const ours = (house: House): ReadonlyArray<string> => sources(house, "")

export const filesAreShort: Law = {
  sentence: `no source file has more than ${FILE_LINES} lines`,
  violations: (house) =>
    ours(house)
      .filter((file) => lines(house, file) > FILE_LINES)
      .map((file) => ({
        file,
        line: FILE_LINES + 1,
        what: "file",
        advice: `${lines(house, file)} lines: split it by concept`
      }))
}

/** Files about which to think: no law, a line in the output of the tests. */
export const longFiles = (house: House): ReadonlyArray<string> =>
  ours(house)
    .filter((file) => lines(house, file) > FILE_LINES_HINT)
    .map((file) => `${file} has ${lines(house, file)} lines: think about splitting from ${FILE_LINES_HINT} on`)

export const functionsAreShort: Law = {
  sentence: `no function has more than ${FUNCTION_LINES} lines`,
  violations: (house) =>
    ours(house).flatMap((file) =>
      functions(parseFile(house, file))
        .filter((found) => found.lines > FUNCTION_LINES)
        .map((found) => ({
          file,
          line: found.line,
          what: found.name,
          advice: `${found.lines} lines: name its parts and take them out`
        }))
    )
}

export const packagesAreShort: Law = {
  sentence: `the source of a package has no more than ${PACKAGE_LINES} lines`,
  violations: (house) =>
    packages(house)
      .filter((room) => !BIG_PACKAGES.includes(room.key))
      .map((room) => ({
        room,
        total: sources(house, `${room.folder}/src/`).reduce((sum, file) => sum + lines(house, file), 0)
      }))
      .filter(({ total }) => total > PACKAGE_LINES)
      .map(({ room, total }) => ({
        file: `${room.folder}/package.json`,
        line: 1,
        what: room.key,
        advice: `${total} lines of source: which concept in it would a reader look for by another name?`
      }))
}

export const sizeLaws: ReadonlyArray<Law> = [filesAreShort, functionsAreShort, packagesAreShort]
