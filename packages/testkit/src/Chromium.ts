/**
 * The way to a browser of the machine's, for suites that run a page. It is none of our dependencies: Debian's `chromium` will do, or
 * whatever `SATWIRE_CHROMIUM` names, and a suite that needs it is skipped in one line where there is none.
 */
import process from "node:process"
import { programPath, toStderr } from "./Programs.ts"
import type { Describe } from "./RealData.ts"

const NAMES = ["chromium", "chromium-browser", "google-chrome"]

/** Where a browser lies, or `undefined` if there is none. */
export const chromiumPath = (): string | undefined => process.env["SATWIRE_CHROMIUM"] ?? programPath(...NAMES)

/** Without a sandbox, which root has not, and without a word to anything but this machine. */
export const CHROMIUM_FLAGS: ReadonlyArray<string> = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
]

/** A suite that needs a browser, whose path it is given. Where there is none the suite is skipped, and one line says so. */
export const describeWithChromium = (
  describe: Describe,
  name: string,
  suite: (executablePath: string) => void,
  report: (line: string) => void = toStderr
): void => {
  const found = chromiumPath()
  if (found === undefined) report(`skipped "${name}": no chromium on the PATH (SATWIRE_CHROMIUM names one)\n`)
  describe.skipIf(found === undefined)(name, () => {
    if (found !== undefined) suite(found)
  })
}
