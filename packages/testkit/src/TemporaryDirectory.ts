/** Directories on the disk of which a test leaves nothing. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/**
 * A new directory, gone with the test that asks for it.
 *
 * @param name what is seen of it beside those of others: `satwire-<name>-…`
 * @param whenFinished takes what is to be done once the test is over: vitest's `onTestFinished`. A hook of a module that suites share would be
 * the first suite's alone.
 */
export const temporaryDirectory = (name: string, whenFinished: (undo: () => void) => void): string => {
  const path = realpathSync(mkdtempSync(join(tmpdir(), `satwire-${name}-`)))
  whenFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }))
  return path
}
