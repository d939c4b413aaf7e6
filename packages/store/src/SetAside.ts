/** A file that cannot be used is renamed, never written over: it may be worth something to somebody. */
import * as Effect from "effect/Effect"
import type { FileError, FilesShape } from "./Files.ts"

/** Renames the file to its name and `.damaged-1`, or the first number that is free; gives its new path. */
export const setAside = (
  files: FilesShape,
  directory: string,
  name: string,
  why: "damaged" | "foreign"
): Effect.Effect<string, FileError> =>
  Effect.gen(function* () {
    const taken = new Set(yield* files.list(directory))
    let n = 1
    while (taken.has(`${name}.${why}-${n}`)) n++
    const path = `${directory}/${name}.${why}-${n}`
    yield* files.rename(`${directory}/${name}`, path)
    return path
  })
