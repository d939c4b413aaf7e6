/** What was written for Bitcoin Core: its files, its options, and the way a test framework starts its daemon. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { normaliseArgv } from "../src/cli/Argv.ts"
import { CORE_OPTION, coreOnlyNames, coreOnlySentence } from "../src/config/CoreOnly.ts"
import { parseConfigFile } from "../src/config/ConfigFile.ts"
import { type Loaded, loadSettings } from "../src/config/LoadSettings.ts"
import { OPTIONS, ROWS, resolveName } from "../src/config/Options.ts"
import { PRESETS } from "../src/config/Presets.ts"
import { formatConfig } from "../src/config/PrintConfig.ts"
import { resolveSettings } from "../src/config/Settings.ts"
import { RPC_PORTS } from "../src/config/rows/Rpc.ts"
import { freshHome } from "./Program.ts"

/** The flags of a command line, as the parser would give them. */
const flagsOf = (argv: ReadonlyArray<string>): Record<string, Array<string>> => {
  const flags: Record<string, Array<string>> = {}
  for (const arg of normaliseArgv(argv)) {
    const [, name = "", value] = /^--([^=]+)(?:=(.*))?$/.exec(arg) ?? []
    const row = resolveName(name)?.row
    const texts = (flags[row?.name ?? name] ??= [])
    texts.push(value ?? row?.bare ?? "")
  }
  return flags
}

interface Given {
  readonly argv?: ReadonlyArray<string>
  /** By their names, in the data directory. */
  readonly files?: Readonly<Record<string, string>>
}

const load = async ({ argv = [], files = {} }: Given): Promise<Result.Result<Loaded, { readonly message: string }>> => {
  const datadir = freshHome()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(datadir, name), text)
  const flags = flagsOf([`-datadir=${datadir}`, ...argv])
  return Effect.runPromise(Effect.result(loadSettings("node", flags)).pipe(Effect.provide(NodeServices.layer)))
}

const loaded = async (given: Given): Promise<Loaded> => Result.getOrThrow(await load(given))
const faultOf = async (given: Given): Promise<string> => {
  const outcome = await load(given)
  return Result.isFailure(outcome) ? outcome.failure.message : "nothing wrong"
}

/** As Core's functional tests begin: `write_config` of util.py, and `start` of test_node.py. */
const FRAMEWORK: Given = {
  files: {
    "bitcoin.conf": [
      "regtest=1",
      "[regtest]",
      "port=11000",
      "rpcport=16000",
      "rpcservertimeout=99000",
      "rpcdoccheck=1",
      "fallbackfee=0.0002",
      "server=1",
      "keypool=1",
      "discover=0",
      "dnsseed=0",
      "fixedseeds=0",
      "listenonion=0",
      "peertimeout=999999999",
      "printtoconsole=0",
      "upnp=0",
      "natpmp=0",
      "shrinkdebugfile=0",
      "deprecatedrpc=create_bdb",
      "unsafesqlitesync=1",
      "connect=0",
      "bind=127.0.0.1"
    ].join("\n")
  },
  argv: [
    ..."-logtimemicros -debug -debugexclude=libevent -debugexclude=leveldb -debugexclude=rand".split(" "),
    ..."-uacomment=testnode0 -disablewallet -logthreadnames -logsourcelocations -loglevel=trace -v2transport=0".split(
      " "
    ),
    ..."-bind=0.0.0.0:11000 -bind=127.0.0.1:19000=onion -minimumchainwork=0x65 -mocktime=1388534400".split(" "),
    ..."-acceptnonstdtxn=1 -testactivationheight=csv@432 -whitelist=noban@127.0.0.1 -maxuploadtarget=800M".split(" ")
  ]
}

describe("what was written for Core", () => {
  it("is read as a test framework writes it, from bitcoin.conf where there is no satwire.conf", async () => {
    const { coreOnly, file, network, settings, warnings } = await loaded(FRAMEWORK)
    expect([network, warnings, file?.endsWith("/bitcoin.conf")]).toEqual(["regtest", [], true])
    expect(settings).toMatchObject({
      port: 11_000,
      rpcport: 16_000,
      rpcservertimeout: 99_000_000,
      peertimeout: 999_999_999_000,
      printtoconsole: false,
      connect: [],
      debug: ["1"],
      debugexclude: ["libevent", "leveldb", "rand"],
      loglevel: [{ level: "trace" }],
      v2transport: false,
      mocktime: 1_388_534_400,
      maxuploadtarget: 800 * 1024 * 1024,
      testactivationheight: [{ rule: "csv", height: 432 }],
      bind: [
        { host: "0.0.0.0", port: 11_000, isOnion: false },
        { host: "127.0.0.1", port: 19_000, isOnion: true }
      ]
    })
    expect(coreOnly).toEqual(
      "acceptnonstdtxn deprecatedrpc disablewallet fallbackfee fixedseeds keypool listenonion logsourcelocations logthreadnames natpmp rpcdoccheck unsafesqlitesync upnp".split(
        " "
      )
    )
    const own = await loaded({ files: { "bitcoin.conf": "port=1", "satwire.conf": "port=2" } })
    expect([own.settings.port, own.file?.endsWith("/satwire.conf")]).toEqual([2, true])
    expect((await loaded({ files: { "bitcoin.conf": "port=1" }, argv: ["-noconf"] })).settings.port).toBeUndefined()
  })

  it("names what means nothing here in one line, however it was given, and in no other network's section", async () => {
    const { coreOnly } = await loaded({
      argv: ["-dbcache=450", "-nolistenonion", "-daemon"],
      files: { "satwire.conf": "par=4\ndbcache=1\n[regtest]\nkeypool=1" }
    })
    expect(coreOnly).toEqual(["daemon", "dbcache", "listenonion", "par"])
    expect(coreOnlySentence(["dbcache", "par"])).toBe("Options of Bitcoin Core that mean nothing here: dbcache, par.")
    expect(coreOnlySentence(["daemon"])).toContain("systemd")
    for (const name of coreOnlyNames()) expect(flagsOf([`-${name}=x`])).toEqual({ [CORE_OPTION]: [name] })
  })

  it("has its ports of JSON-RPC", () => {
    expect(Object.values(RPC_PORTS)).toEqual([8332, 18_332, 48_332, 38_332, 18_443])
  })

  it("includes other files below its own lines, with their names in what is wrong", async () => {
    const files = {
      "satwire.conf": "includeconf=more.conf\nport=1\n[regtest]\nincludeconf=reg.conf\n",
      "more.conf": "port=2\nuacomment=more\nmaxconnections=9\n",
      "reg.conf": "uacomment=reg\n"
    }
    const { settings } = await loaded({ files })
    expect([settings.port, settings.uacomment, settings.maxconnections]).toEqual([1, ["more"], 9])
    expect((await loaded({ files, argv: ["-regtest"] })).settings.uacomment).toEqual(["reg", "more"])
    expect(await faultOf({ files: { ...files, "more.conf": "\nprot=1" } })).toMatch(
      /^line 2 of \S+more\.conf sets "prot", which is no option; did you mean port\?$/
    )
    const nested = await loaded({ files: { ...files, "more.conf": "includeconf=x\nmaxconnections=8" } })
    expect(nested.settings.maxconnections).toBe(8)
    expect(nested.warnings).toEqual([
      expect.stringMatching(/^line 1 of \S+more\.conf sets includeconf=x, which does not count: this file is included/)
    ])
    expect(await faultOf({ files: { "satwire.conf": "includeconf=no.conf" } })).toMatch(/no\.conf does not exist$/)
  })
})

describe("a preset", () => {
  it("stands below what anybody says and above the defaults", async () => {
    const { given, settings } = await loaded({ argv: ["-preset=production", "-timeout=7"], files: {} })
    expect(settings).toMatchObject({ maxconnections: 1000, timeout: 7, pinginterval: 300_000 })
    expect(given.has("maxconnections")).toBe(false)
    const development = await loaded({ files: { "satwire.conf": "preset=development\nmaxconnections=8" } })
    expect(development.settings).toMatchObject({ maxconnections: 8, timeout: 10_000, pinginterval: 60_000 })
  })

  it("has values that its options allow", () => {
    for (const preset of Object.keys(PRESETS)) {
      const sources = { command: "node", flags: { preset: [preset] }, environment: {}, file: undefined } as const
      expect(Result.isSuccess(resolveSettings(sources)), preset).toBe(true)
    }
  })
})

describe("--print-config", () => {
  const given: Given = {
    argv: [
      "-regtest",
      "-preset=development",
      "-bind=127.0.0.1:7=onion",
      "-rpcauth=me:salt$" + "0".repeat(64),
      "-dbcache=9"
    ],
    files: { "satwire.conf": "maxconnections=8\nuacomment=a\nuacomment=b\nrpcpassword=verysecret\n[regtest]\nport=5" }
  }

  it("says of every setting where it comes from, and of no secret what it is", async () => {
    const config = await loaded(given)
    const text = formatConfig(config, "node")
    for (const line of [
      "network=regtest # flag --regtest",
      /^maxconnections=8 # \S+satwire\.conf:1$/m,
      "timeout=10000 # preset development",
      "# prune=0 (default)",
      "# rpcauth=*** (not shown; flag --rpcauth)",
      "# dbcache: an option of Bitcoin Core that means nothing here",
      "bind=127.0.0.1:7=onion # flag --bind"
    ]) {
      expect(text).toMatch(line instanceof RegExp ? line : new RegExp(`^${line.replace(/[*().]/g, "\\$&")}$`, "m"))
    }
    expect(text).not.toMatch(/verysecret|salt/)
    const names = ROWS.filter(
      (row) => row.commands.includes("node") && row.from === "everywhere" && row !== OPTIONS.preset
    )
    for (const { name } of names) {
      const isSwitch = ["regtest", "signet", "testnet", "testnet4"].includes(name)
      expect(new RegExp(`^(?:# )?${name}=`, "m").test(text), name).toBe(!isSwitch)
    }
  })

  it("can be read back and comes to the same", async () => {
    const config = await loaded(given)
    const file = Result.getOrThrow(parseConfigFile(formatConfig(config, "node"), "printed.conf"))
    const again = Result.getOrThrow(resolveSettings({ command: "node", flags: {}, environment: {}, file }))
    const isTold = (name: string): boolean => !["regtest", "preset", "rpcauth", "rpcpassword"].includes(name)
    const told = (settings: object): ReadonlyArray<unknown> => Object.entries(settings).filter(([name]) => isTold(name))
    expect(again.network).toBe("regtest")
    expect(told({ ...again.settings, network: "regtest" })).toEqual(told({ ...config.settings, network: "regtest" }))
  })
})

it("reads a file that a directory stands in the way of as what it is", async () => {
  const datadir = freshHome()
  mkdirSync(join(datadir, "satwire.conf"))
  const said = await faultOf({ argv: [`-datadir=${datadir}`] })
  expect(said).toBe(`the configuration file ${join(datadir, "satwire.conf")} cannot be read: it is a directory`)
})
