import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type ConfigFile, parseConfigFile } from "../src/config/ConfigFile.ts"
import { OPTIONS, ROWS, environmentName } from "../src/config/Options.ts"
import { type Resolution, type Sources, resolveSettings } from "../src/config/Settings.ts"

interface Given {
  readonly command?: Sources["command"]
  readonly flags?: Sources["flags"]
  readonly environment?: Sources["environment"]
  readonly file?: string
}

const resolve = ({
  command = "node",
  flags = {},
  environment = {},
  file
}: Given): Result.Result<Resolution, { readonly message: string }> => {
  const parsed: ConfigFile | undefined =
    file === undefined ? undefined : Result.getOrThrow(parseConfigFile(file, "x.conf"))
  return resolveSettings({ command, flags, environment, file: parsed })
}

const settingsOf = (given: Given): Resolution["settings"] => Result.getOrThrow(resolve(given)).settings
const networkOf = (given: Given): string => Result.getOrThrow(resolve(given)).network
const faultOf = (given: Given): string => {
  const resolved = resolve(given)
  return Result.isFailure(resolved) ? resolved.failure.message : "nothing wrong"
}

describe("settings", () => {
  it("have their defaults where nobody says anything", () => {
    const settings = settingsOf({})
    expect(settings).toMatchObject({ datadir: "~/.satwire", maxconnections: 125, timeout: 5000, connect: [] })
    expect(settings.listen).toBeUndefined()
    expect(networkOf({})).toBe("mainnet")
  })

  it("come from flags before the environment before the file, and a list is not added up", () => {
    const place = fc.constantFrom("flags", "environment", "file")
    const port = fc.integer({ min: 1, max: 65_535 })
    fc.assert(
      fc.property(fc.uniqueArray(place), fc.tuple(port, port, port), (places, [flag, variable, line]) => {
        const given: Given = {
          flags: places.includes("flags") ? { port: [`${flag}`], connect: [`f:${flag}`] } : {},
          environment: places.includes("environment")
            ? { SATWIRE_PORT: `${variable}`, SATWIRE_CONNECT: `e:${variable}, e2` }
            : {},
          ...(places.includes("file") ? { file: `port=${line}\nconnect=l:${line}` } : {})
        }
        const { port, connect } = settingsOf(given)
        if (places.includes("flags")) {
          expect([port, connect]).toEqual([flag, [{ host: "f", port: flag }]])
        } else if (places.includes("environment")) {
          expect(port).toBe(variable)
          expect(connect).toEqual([
            { host: "e", port: variable },
            { host: "e2", port: undefined }
          ])
        } else if (places.includes("file")) {
          expect([port, connect]).toEqual([line, [{ host: "l", port: line }]])
        } else expect([port, connect]).toEqual([undefined, []])
      })
    )
  })

  it("take the last of several flags, as Core does", () => {
    expect(settingsOf({ flags: { port: ["1", "2"] } }).port).toBe(2)
  })

  it("take 0 in a list for nobody, and what follows it", () => {
    expect(settingsOf({ flags: { connect: ["a", "0"] } }).connect).toEqual([])
    expect(settingsOf({ flags: { connect: ["a", "0", "b"] } }).connect).toEqual([{ host: "b", port: undefined }])
    expect(Result.getOrThrow(resolve({ flags: { connect: ["0"] } })).given.has("connect")).toBe(true)
  })

  it("take a proxy as Core writes it, with its usual port", () => {
    const flags = { proxy: ["127.0.0.1"], onion: ["unix:/run/tor/socks"], i2psam: ["[::1]"] }
    expect(settingsOf({ flags })).toMatchObject({
      proxy: { host: "127.0.0.1", port: 9050 },
      onion: { path: "/run/tor/socks" },
      i2psam: { host: "::1", port: 7656 }
    })
    expect(settingsOf({ flags: { onion: ["0"] } }).onion).toBe("none")
    for (const wrong of ["", "a b", "127.0.0.1:0", "127.0.0.1:65536", "unix:"]) {
      expect(faultOf({ flags: { proxy: [wrong] } }), wrong).toContain("unix:path")
    }
  })

  it("take an empty environment variable for none", () => {
    expect(settingsOf({ environment: { SATWIRE_PORT: "" }, file: "port=7" }).port).toBe(7)
  })

  it("know the other names of an option in the environment too", () => {
    expect(networkOf({ environment: { SATWIRE_CHAIN: "main" } })).toBe("mainnet")
    expect(networkOf({ environment: { SATWIRE_CHAIN: "test" } })).toBe("testnet3")
  })

  it("refuse in one sentence whatever no option allows, and never throw", () => {
    const row = fc.constantFrom(...ROWS.filter(({ commands }) => commands.includes("node")))
    fc.assert(
      fc.property(row, fc.string({ unit: "binary" }), (row, text) => {
        const said = faultOf({ flags: { [row.name]: [text] } })
        expect(said).toMatch(/^[^\n\r]+$/)
        if (said !== "nothing wrong") {
          expect(said).toContain(
            `the flag --${[row.name, ...row.aliases].join(" or --")} is ${row.isSecret ? "something else" : '"'}`
          )
          expect(said).toContain(`but must be ${row.allowed}`)
        }
      })
    )
  })

  it("have Schemas that read back what they write", () => {
    expect(settingsOf({ flags: { minimumchainwork: ["0x0fF"] } }).minimumchainwork).toBe(255n)
    expect(settingsOf({ command: "playground", flags: { interval: ["0.25"] } }).interval).toBe(250)
    expect(settingsOf({ flags: { bind: ["[::1]:0"] } }).bind).toEqual([{ host: "::1", port: 0, isOnion: false }])
    expect(faultOf({ flags: { connect: ["a:0"] } })).toContain('the flag --connect is "a:0"')
  })

  it("read every option from its variable, except those that are for flags alone", () => {
    for (const row of ROWS) {
      const command = row.commands[0] ?? "node"
      const said = faultOf({ command, environment: { [environmentName(row.name)]: "\u0001" } })
      expect(said).toBe(
        row.from === "flags" || row.from === "file" || row.value === OPTIONS.datadir.value
          ? "nothing wrong"
          : `the environment variable ${environmentName(row.name)} is ${row.isSecret ? "something else" : '"?"'}, but must be ${row.allowed}`
      )
    }
  })
})

describe("the network", () => {
  it.each([
    [{ flags: { regtest: ["1"] } }, "regtest"],
    [{ flags: { testnet: ["1"] } }, "testnet3"],
    [{ flags: { regtest: ["0"] } }, "mainnet"],
    [{ flags: { network: ["signet"] }, environment: { SATWIRE_REGTEST: "1" }, file: "testnet4=1" }, "signet"],
    [{ environment: { SATWIRE_REGTEST: "1" }, file: "testnet4=1" }, "regtest"],
    [{ flags: { regtest: ["0"] }, file: "regtest=1" }, "mainnet"],
    [{ flags: { regtest: ["1"], network: ["regtest"] } }, "regtest"],
    [{ file: "chain=test" }, "testnet3"]
  ])("of %j is %s", (given, network) => expect(networkOf(given)).toBe(network))

  it("is chosen once", () => {
    const two = { flags: { regtest: ["1"], network: ["signet"] } }
    expect(faultOf(two)).toBe("the flag --network and the flag --regtest choose two networks: give one of them")
  })
})

describe("a file's sections", () => {
  const file = "uacomment=all\nport=1\nuacomment=more\n[regtest]\nport=2\nuacomment=reg\nport=3\n"

  it("count for their network alone, and before what stands above them", () => {
    const regtest = settingsOf({ flags: { regtest: ["1"] }, file })
    expect([regtest.port, regtest.uacomment]).toEqual([2, ["reg", "all", "more"]])
    const mainnet = settingsOf({ file })
    expect([mainnet.port, mainnet.uacomment]).toEqual([1, ["all", "more"]])
  })

  it("keep mainnet's addresses and ports out of other networks, and say so", () => {
    const { settings, warnings } = Result.getOrThrow(
      resolve({ flags: { signet: ["1"] }, file: "connect=a\n[main]\nport=1" })
    )
    expect([settings.connect, settings.port]).toEqual([[], undefined])
    expect(warnings).toEqual([
      '"connect" in line 1 of x.conf stands in no section and counts for mainnet alone: move it below [signet]'
    ])
  })
})

describe("the environment", () => {
  it("is warned about where a variable is nearly an option's, and not where it is somebody else's", () => {
    const { warnings } = Result.getOrThrow(
      resolve({ environment: { SATWIRE_NETWROK: "x", SATWIRE_DATA: "y", SATWIRE_RUNTIME: "z", PORT: "1" } })
    )
    expect(warnings).toEqual(["the environment variable SATWIRE_NETWROK is no option; did you mean SATWIRE_NETWORK?"])
  })
})
