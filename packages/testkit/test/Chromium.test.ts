import process from "node:process"
import { afterEach, describe, expect, it, vi } from "vitest"
import { chromiumPath, describeWithChromium } from "../src/index.ts"

afterEach(() => void vi.unstubAllEnvs())

/** A `describe` that runs what is not skipped, and keeps what was. */
const skipping = () => {
  const skipped: Array<string> = []
  const describe = {
    skipIf: (condition: boolean) => (name: string, suite: () => void) => {
      if (condition) skipped.push(name)
      else suite()
    }
  }
  return { skipped, describe }
}

describe("a suite that needs a browser", () => {
  it("is skipped in one line where there is none", () => {
    vi.stubEnv("PATH", import.meta.dirname)
    vi.stubEnv("SATWIRE_CHROMIUM", undefined)
    const lines: Array<string> = []
    const { skipped, describe } = skipping()
    describeWithChromium(
      describe,
      "a page",
      () => expect.unreachable(),
      (line) => lines.push(line)
    )
    expect(skipped).toEqual(["a page"])
    expect(lines).toEqual([expect.stringMatching(/^skipped "a page": no chromium .*\n$/)])
  })

  it("is given the one that is named", () => {
    vi.stubEnv("SATWIRE_CHROMIUM", process.execPath)
    const { skipped, describe } = skipping()
    const given: Array<string> = []
    describeWithChromium(describe, "a page", (path) => given.push(path))
    expect([skipped, given]).toEqual([[], [process.execPath]])
    expect(chromiumPath()).toBe(process.execPath)
  })
})
