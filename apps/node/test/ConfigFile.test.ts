import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type FileEntry, parseConfigFile } from "../src/config/ConfigFile.ts"

const entriesOf = (text: string): ReadonlyArray<Pick<FileEntry, "name" | "value" | "section" | "line">> => {
  const { entries } = Result.getOrThrow(parseConfigFile(text, "x.conf"))
  return entries.map(({ row, value, section, line }) => ({ name: row.name, value, section, line }))
}

const faultOf = (text: string): string => {
  const parsed = parseConfigFile(text, "x.conf")
  return Result.isFailure(parsed) ? parsed.failure.message : "nothing wrong"
}

describe("the configuration file", () => {
  it("is read as bitcoin.conf is: comments, sections, dotted names, spaces, Windows line ends, a byte order mark", () => {
    const text = [
      "\uFEFF# a comment",
      "  uacomment = one two  # the rest is a comment",
      "",
      "signet.port=1",
      "[regtest]",
      "connect=127.0.0.1:18444\r",
      "nolisten=1",
      "[ main ]",
      "nolisten=0",
      "[test]",
      "port=2"
    ].join("\n")
    expect(entriesOf(text)).toEqual([
      { name: "uacomment", value: "one two", section: undefined, line: 2 },
      { name: "port", value: "1", section: "signet", line: 4 },
      { name: "connect", value: "127.0.0.1:18444", section: "regtest", line: 6 },
      { name: "listen", value: "0", section: "regtest", line: 7 },
      { name: "listen", value: "1", section: "mainnet", line: 9 },
      { name: "port", value: "2", section: "testnet3", line: 11 }
    ])
  })

  it.each([
    ["a\nprot=1", 'line 1 of x.conf sets "a", which is no option'],
    ["prot=1", 'line 1 of x.conf sets "prot", which is no option; did you mean port?'],
    ["\n-port=1", 'line 2 of x.conf sets "-port": in a file options stand without the leading -'],
    ["listen", "line 1 of x.conf sets nothing: write listen=1"],
    ["port", "line 1 of x.conf sets nothing: write port=<number>"],
    ["[regtset]", 'line 1 of x.conf begins the section "regtset", which is no network; did you mean regtest?'],
    ["mian.port=1", 'line 1 of x.conf is for the section "mian", which is no network; did you mean main?'],
    ["[signet]\nregtest=1", "line 2 of x.conf sets regtest for signet: what chooses the network stands before"],
    ["conf=y", "line 1 of x.conf sets conf, which only a flag or the environment can set"],
    ["json=1", 'line 1 of x.conf sets "json", which is no option'],
    ["nolisten=maybe", 'line 1 of x.conf is "nolisten=maybe", but nolisten must be 0 or 1'],
    ["noconnect=0", 'line 1 of x.conf is "noconnect=0": write connect=<host:port> instead']
  ])("says what is wrong with %j and in which line", (text, sentence) => expect(faultOf(text)).toContain(sentence))

  it("never throws and names the file, whatever is in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const parsed = parseConfigFile(text, "x.conf")
        if (Result.isFailure(parsed)) expect(parsed.failure.message).toMatch(/^line \d+ of x\.conf [^\n\r]+$/)
      })
    )
  })
})
