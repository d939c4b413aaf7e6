import process from "node:process"
import { basename, dirname } from "node:path"
import { afterEach, describe, expect, it, vi } from "vitest"
import { describeWithProgram, programPath } from "../src/index.ts"

afterEach(() => void vi.unstubAllEnvs())

describe("a suite that needs a program", () => {
  it("is skipped in one line where there is none", () => {
    const lines: Array<string> = []
    const skipped: Array<string> = []
    describeWithProgram(
      { skipIf: (condition) => (name) => void (condition && skipped.push(name)) },
      "no-such-program",
      "a proxy",
      () => expect.unreachable(),
      (line) => lines.push(line)
    )
    expect(skipped).toEqual(["a proxy"])
    expect(lines).toEqual([expect.stringMatching(/^skipped "a proxy": no no-such-program .*\n$/)])
  })

  it("is given its path", () => {
    vi.stubEnv("PATH", dirname(process.execPath))
    const given: Array<string> = []
    describeWithProgram(
      { skipIf: (condition) => (_name, suite) => (condition ? undefined : suite()) },
      basename(process.execPath),
      "this runtime",
      (path) => given.push(path)
    )
    expect(given).toEqual([programPath(basename(process.execPath))])
    expect(given[0]).toBe(process.execPath)
  })
})
