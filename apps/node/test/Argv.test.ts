import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { normaliseArgv } from "../src/cli/Argv.ts"
import { coreOnlyNames } from "../src/config/CoreOnly.ts"
import { ROWS, optionNames, resolveName } from "../src/config/Options.ts"

const names = [...optionNames()]
const name = fc.constantFrom(...names)
const value = fc.string().filter((text) => text !== "--")
const option = fc.tuple(fc.constantFrom("-", "--"), name, fc.option(value)).map(([dashes, name, value]) => ({
  written: `${dashes}${name}${value === null ? "" : `=${value}`}`,
  long: `--${name}${value === null ? "" : `=${value}`}`
}))

describe("a command line as Core's users write it", () => {
  it.each([
    [["-regtest"], ["--regtest"]],
    [["--regtest"], ["--regtest"]],
    [["-network=regtest"], ["--network=regtest"]],
    [
      ["--network", "regtest"],
      ["--network", "regtest"]
    ],
    [["-chain=test"], ["--chain=test"]],
    [["-connect=1.2.3.4"], ["--connect=1.2.3.4"]],
    [["-connect=a=b"], ["--connect=a=b"]],
    [["-noconnect"], ["--connect=0"]],
    [["--no-connect"], ["--connect=0"]],
    [["-noconnect=0"], ["--noconnect=0"]],
    [["-nolisten"], ["--listen=0"]],
    [["-nolisten=1"], ["--listen=0"]],
    [["-nolisten=0"], ["--listen=1"]],
    [["-nolisten=2"], ["--nolisten=2"]],
    [["-noport"], ["--noport"]],
    [
      ["-testnet4", "-signet"],
      ["--testnet4", "--signet"]
    ],
    [["-help"], ["--help"]],
    [["-?"], ["--help"]],
    [["-version"], ["--version"]],
    [["-regtset"], ["--regtset"]],
    [
      ["-h", "-v", "-hv"],
      ["-h", "-v", "-hv"]
    ],
    [
      ["-1.5", "-", "peer"],
      ["-1.5", "-", "peer"]
    ],
    [
      ["-regtest", "--", "-regtest"],
      ["--regtest", "--", "-regtest"]
    ]
  ])("reads %j as %j", (written, read) => expect(normaliseArgv(written)).toEqual(read))

  it("reads every option the same with one dash and with two", () => {
    fc.assert(
      fc.property(fc.array(option), (options) => {
        expect(normaliseArgv(options.map(({ written }) => written))).toEqual(options.map(({ long }) => long))
      })
    )
  })

  it("changes nothing the second time, whatever it is given", () => {
    const anything = fc.oneof(
      fc.string(),
      option.map(({ written }) => written),
      name.map((name) => `-no${name}`)
    )
    fc.assert(
      fc.property(fc.array(anything), (argv) => {
        const once = normaliseArgv(argv)
        expect(once).toHaveLength(argv.length)
        expect(normaliseArgv(once)).toEqual(once)
      })
    )
  })

  it("leaves alone what is no option, and everything after --", () => {
    const word = fc.string().filter((text) => !text.startsWith("-"))
    fc.assert(
      fc.property(fc.array(word), fc.array(fc.string()), (words, rest) => {
        expect(normaliseArgv([...words, "--", ...rest])).toEqual([...words, "--", ...rest])
      })
    )
  })

  it("turns off every switch and empties every list by no and its name", () => {
    for (const row of ROWS) {
      const off = row.negatable ? `--${row.name}=0` : `--no${row.name}`
      expect(normaliseArgv([`-no${row.name}`])).toEqual([off])
      expect(resolveName(`no${row.name}`)?.row).toBe(row.negatable ? row : undefined)
    }
  })

  it("takes out what is an option of Core's alone, whatever it is set to, and leaves what is nobody's", () => {
    expect(normaliseArgv(["-dbcache=450", "--par=2", "-notxindex", "-disablewallet", "-reindex-chainstate"])).toEqual(
      ["dbcache", "par", "txindex", "disablewallet", "reindex-chainstate"].map((name) => `--core-option=${name}`)
    )
    expect(normaliseArgv(["-dbcash=450"])).toEqual(["--dbcash=450"])
    expect([...coreOnlyNames()].filter((name) => resolveName(name) !== undefined)).toEqual([])
  })
})
