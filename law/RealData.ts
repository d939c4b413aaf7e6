/**
 * Real chain data and published vectors stay outside the repository: tests read them where they are present.
 */
import { createHash } from "node:crypto"
import { readFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import type { Law } from "./Law.ts"

/** Anyone may write an empty file, or one with `{}` in it. */
const SHORTEST = 32

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

const digestsOf = (folder: string): ReadonlyMap<string, string> => {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    files.flatMap((entry) => {
      const bytes = readFileSync(join(entry.parentPath, entry.name))
      return bytes.length < SHORTEST ? [] : [[digest(bytes), entry.name] as const]
    })
  )
}

export const dataStaysOutside: Law = {
  sentence: "no file of the real data lies in the repository",
  violations: (house) => {
    if (house.realData === undefined) return []
    const outside = digestsOf(house.realData)
    return house.paths.flatMap((file) => {
      const same = outside.get(digest(house.bytes(file)))
      return same === undefined
        ? []
        : [{ file, line: 1, what: same, advice: "read it from SATWIRE_DATA and take it out" }]
    })
  }
}

export const dataLaws: ReadonlyArray<Law> = [dataStaysOutside]
