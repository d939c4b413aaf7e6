import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { type Given, loadSettings } from "../src/config/LoadSettings.ts"
import { OPTIONS, type OptionRow, environmentName } from "../src/config/Options.ts"

const LEAST = { allow: ["8.8.8.8:8333"], origin: ["*"] }
const settingsOf = (flags: Given["flags"], environment: Given["environment"] = {}) =>
  Result.getOrThrow(loadSettings({ flags: { ...LEAST, ...flags }, environment }))
const faultOf = (flags: Given["flags"], environment: Given["environment"] = {}): string => {
  const loaded = loadSettings({ flags, environment })
  return Result.isFailure(loaded) ? loaded.failure.message : "nothing wrong"
}

describe("settings", () => {
  it("have their defaults where nobody says anything", () => {
    const { allow, origin, ...rest } = settingsOf({})
    expect([allow.length, origin]).toEqual([1, ["*"]])
    expect(rest).toEqual({
      listen: { host: "127.0.0.1", port: 8343 },
      tlscert: undefined,
      tlskey: undefined,
      proxy: [],
      maxconnections: 200,
      maxpersource: 8,
      newperminute: 30,
      rate: 2_000_000,
      totalrate: 20_000_000,
      maxbytes: undefined,
      connecttimeout: 5000,
      handshaketimeout: 10_000,
      idletimeout: 600_000,
      allowv1: false,
      json: false
    })
  })

  it("come from the flags before the environment, where commas stand between several values", () => {
    const environment = {
      SATWIRE_BRIDGE_ORIGIN: "https://a.example, https://b.example",
      SATWIRE_BRIDGE_RATE: "5000",
      SATWIRE_BRIDGE_ALLOWV1: "1"
    }
    const fromBoth = settingsOf({ origin: ["none"], rate: ["6000", "7000"] }, environment)
    expect([fromBoth.origin, fromBoth.rate, fromBoth.allowv1]).toEqual([["none"], 7000, true])
    const fromEnvironment = loadSettings({ flags: { allow: ["8.8.8.8"] }, environment })
    expect(Result.getOrThrow(fromEnvironment)).toMatchObject({
      origin: ["https://a.example", "https://b.example"],
      rate: 5000
    })
  })

  it("allow nothing by default, and say so", () => {
    expect(faultOf({})).toMatch(/^no target is allowed: give --allow, which is host:port/)
    expect(faultOf({ allow: ["8.8.8.8"] })).toMatch(/^no page is allowed to use the bridge: give --origin, which is/)
    expect(faultOf({ ...LEAST, tlscert: ["a.pem"] })).toBe("tlscert and tlskey belong together: give both or none")
  })

  it("are refused in one sentence that names the place, the value and what is allowed", () => {
    expect(faultOf({ ...LEAST, maxconnections: ["0"] })).toBe(
      'the flag --maxconnections is "0", but must be a whole number from 1 to 100000'
    )
    expect(faultOf(LEAST, { SATWIRE_BRIDGE_LISTEN: "nowhere" })).toBe(
      'the environment variable SATWIRE_BRIDGE_LISTEN is "nowhere", but must be an address of this machine with a port from 0 to 65535'
    )
    for (const [name, row] of Object.entries<OptionRow<unknown>>(OPTIONS)) {
      if (row.metavar === "<file>") continue
      const fault = faultOf({ ...LEAST, [name]: ["\u0007nonsense/"] })
      expect(fault).toBe(`the flag --${name} is "?nonsense/", but must be ${row.allowed}`)
      expect(faultOf(LEAST, { [environmentName(name)]: "nonsense/" })).toMatch(
        name in LEAST ? /^nothing wrong$/ : /^the environment variable /
      )
    }
  })
})
