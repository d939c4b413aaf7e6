/**
 * The examples of the READMEs as files: every `ts` block becomes a module of its own, named after the line on which it begins.
 */
import { type House, roomOf, rooms } from "./House.ts"

export interface Example {
  readonly document: string
  /** The line of its fence. */
  readonly line: number
  readonly code: string
}

export interface Fence {
  readonly document: string
  readonly line: number
  readonly info: string
  readonly code: string
}

/** Documents whose code is run: what people read first. Decisions in `docs/adr` show fragments. */
export const documents = (house: House): ReadonlyArray<string> =>
  house.paths.filter((path) => {
    if (!/^(?:[A-Z]+\.md|docs\/[^/]+\.md|(?:packages|apps)\/[^/]+\/README\.md)$/.test(path)) return false
    return roomOf(rooms(house), path)?.built ?? true
  })

export const fences = (document: string, text: string): ReadonlyArray<Fence> => {
  const found: Array<Fence> = []
  let open: { readonly mark: string; readonly info: string; readonly line: number } | undefined
  let lines: Array<string> = []
  for (const [i, line] of text.split("\n").entries()) {
    const fence = /^ {0,3}(`{3,})(.*)$/.exec(line)
    if (open === undefined) {
      if (fence !== null) open = { mark: fence[1] as string, info: (fence[2] as string).trim(), line: i + 1 }
      lines = []
    } else if (fence !== null && fence[2] === "" && (fence[1] as string).length >= open.mark.length) {
      found.push({ document, line: open.line, info: open.info, code: `${lines.join("\n")}\n` })
      open = undefined
    } else lines.push(line)
  }
  return found
}

export const everyFence = (house: House): ReadonlyArray<Fence> =>
  documents(house).flatMap((document) => fences(document, house.text(document)))

export const examples = (house: House): ReadonlyArray<Example> =>
  everyFence(house)
    .filter(({ info }) => info === "ts")
    .map(({ document, line, code }) => ({ document, line, code }))

/** Where the module of an example lies, from the folder of all examples. */
export const fileOf = ({ document, line }: Example): string => `${document.replace(/\W/g, "_")}/line${line}.ts`

/** The module that runs all examples of one document, one after another. */
export const runnerOf = (document: string): string => `${document.replace(/\W/g, "_")}/all.ts`
