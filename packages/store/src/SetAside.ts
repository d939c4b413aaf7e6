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
  Effect.tap(pathAside(files, directory, name, why), (path) => files.rename(`${directory}/${name}`, path))

/** The first path of that kind that is free. */
export const pathAside = (
  files: FilesShape,
  directory: string,
  name: string,
  why: "damaged" | "foreign"
): Effect.Effect<string, FileError> =>
  Effect.map(files.list(directory), (names) => {
    const taken = new Set(names)
    let n = 1
    while (taken.has(`${name}.${why}-${n}`)) n++
    return `${directory}/${name}.${why}-${n}`
  })
