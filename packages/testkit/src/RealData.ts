/**
 * The way to the folder of public chain data and published vectors. It is no part of the repository: it lies at `../shared/data` beside
 * it, or where `SATWIRE_DATA` says, and a suite that needs it is skipped in one line where it is absent.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import process from "node:process"
import {
  type HeaderBase,
  type HeaderSegment,
  headerBase,
  headerSegments,
  parseRetargetPoints
} from "./HeaderSegments.ts"

/** The folder's files, by their paths in it. */
export interface RealData {
  /** Where the folder lies. */
  readonly root: string
  /** A file's bytes, in an array of their own. Throws where there is no such file. */
  bytes(path: string): Uint8Array<ArrayBuffer>
  text(path: string): string
  json(path: string): unknown
  /** The names in a folder, sorted. */
  list(path: string): ReadonlyArray<string>
  /** The unbroken runs of headers of a network, by height. Their bytes are read when asked for. */
  headerSegments(network: string): ReadonlyArray<HeaderSegment>
  /** What must be known of the parent of a mainnet segment's first header; `undefined` where that is genesis. */
  headerBase(segment: HeaderSegment): HeaderBase | undefined
}

/** `../shared/data`, seen from the root of the repository. */
const besideRepository = (): string => Path.join(import.meta.dirname ?? ".", "../../../../shared/data")

/** Where the folder is looked for. */
export const realDataPath = (): string => process.env["SATWIRE_DATA"] ?? besideRepository()

/** The folder of real data, or `undefined` where it is absent. */
export const realData = (): RealData | undefined => {
  const root = realDataPath()
  if (!Fs.existsSync(Path.join(root, "README.md"))) return undefined
  const bytes = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(Fs.readFileSync(Path.join(root, path)))
  const text = (path: string): string => Fs.readFileSync(Path.join(root, path), "utf8")
  const list = (path: string): ReadonlyArray<string> => Fs.readdirSync(Path.join(root, path)).toSorted()
  return {
    root,
    bytes,
    text,
    json: (path) => JSON.parse(text(path)) as unknown,
    list,
    headerSegments: (network) => headerSegments(network, list(`headers/${network}`), bytes),
    headerBase: (segment) =>
      headerBase(segment, parseRetargetPoints(text("headers/mainnet/retarget_points_0-832608.csv")))
  }
}

/** The part of a test runner that {@link describeWithData} takes: vitest's `describe` has it. */
export interface Describe {
  readonly skipIf: (condition: boolean) => (name: string, suite: () => void) => unknown
}

const toStderr = (line: string): void => void process.stderr.write(line)

/** Set once the absence was reported: a file of tests with many such suites says it once. */
let reported = false

/** A suite that needs the real data. Where that is absent the suite is skipped, and one line per file of tests says so. */
export const describeWithData = (
  describe: Describe,
  name: string,
  suite: (data: RealData) => void,
  report: (line: string) => void = toStderr
): void => {
  const data = realData()
  if (data === undefined && !reported) {
    report(`skipped "${name}": no real data at ${realDataPath()} (SATWIRE_DATA names the folder)\n`)
    reported = true
  }
  describe.skipIf(data === undefined)(name, () => {
    if (data !== undefined) suite(data)
  })
}
