/**
 * The way to programs of the machine's that suites talk to: proxies, routers. None is a dependency of ours, and a suite that needs one
 * is skipped in one line where there is none.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import process from "node:process"
import type { Describe } from "./RealData.ts"

/** Where Debian has daemons, which are on the path of root alone. */
const DAEMONS = ["/usr/sbin", "/usr/local/sbin"]

/** Where the first of these programs lies, or `undefined` if there is none of them. */
export const programPath = (...names: ReadonlyArray<string>): string | undefined => {
  const folders = [...(process.env["PATH"] ?? "").split(Path.delimiter), ...DAEMONS]
  return folders.flatMap((folder) => names.map((name) => Path.join(folder, name))).find((path) => Fs.existsSync(path))
}

export const toStderr = (line: string): void => void process.stderr.write(line)

/** A suite that needs a program, whose path it is given. Where there is none the suite is skipped, and one line says so. */
export const describeWithProgram = (
  describe: Describe,
  program: string,
  name: string,
  suite: (executablePath: string) => void,
  report: (line: string) => void = toStderr
): void => {
  const found = programPath(program)
  if (found === undefined) report(`skipped "${name}": no ${program} on this machine (Debian's package ${program})\n`)
  describe.skipIf(found === undefined)(name, () => {
    if (found !== undefined) suite(found)
  })
}
