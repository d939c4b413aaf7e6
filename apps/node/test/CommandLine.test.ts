import { spawn } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import manifest from "../package.json" with { type: "json" }
import { OPTIONS } from "../src/config/Options.ts"
import { freshHome, run, runtimes } from "./Program.ts"
import { say } from "./Say.ts"

const REFUSALS: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
  [["--port=99999"], 'the flag --port is "99999", but must be a whole number from 0 to 65535'],
  [["-port=-1"], 'the flag --port is "-1", but must be a whole number from 0 to 65535'],
  [["-listen=maybe"], 'the flag --listen is "maybe", but must be 0 or 1'],
  [["-chain=foonet"], 'the flag --network or --chain is "foonet", but must be one of mainnet, testnet3'],
  [["-regtest", "-testnet4"], "the flag --regtest and the flag --testnet4 choose two networks: give one of them"],
  [["--connect"], "the flag --connect has no value, but must be host, host:port or [IPv6 address]:port"],
  [["-noport"], "there is no option --noport; did you mean --port?"],
  [["--regtset"], "there is no option --regtset; did you mean --regtest?"],
  [["-conect=127.0.0.1"], "there is no option --conect; did you mean --connect?"],
  [["-\u001B[31mred"], "there is no option --?[31mred"],
  [["--blocks=3"], '--blocks is an option of "satwire playground", not of "satwire"'],
  [["per"], 'there is no command "per"; did you mean peer?'],
  [["heders"], 'there is no command "heders"; did you mean headers? (see "satwire --help")'],
  [["headers", "improt"], 'there is no command "improt"; did you mean import? (see "satwire headers --help")'],
  [["headers", "import"], '"satwire headers import" needs <file>'],
  [["headers", "import", "--force", "a"], 'the flag --force has no meaning for "satwire headers import"'],
  [["headers", "export", "--forse", "a"], "there is no option --forse; did you mean --force?"],
  [["headers", "import", "-proxy=127.0.0.1", "a"], 'the flag --proxy has no meaning for "satwire headers import"'],
  [["peer"], '"satwire peer" needs <host:port>'],
  [["peer", "a", "b"], '"satwire peer" has no use for "b"'],
  [["peer", "a:b"], '"a:b" has a port that is not 0 to 65535: "b"'],
  [["peer", "a:0"], '"a:0" has port 0, which is nobody\'s'],
  [["crawl", "-regtest"], "regtest has no DNS seeds: name a node to begin with"],
  [["crawl", "a:b"], '"a:b" has a port that is not 0 to 65535: "b"'],
  [["crawl", "-connections=0"], 'the flag --connections is "0", but must be a whole number from 1 to 256'],
  [["crawl", "-seconds=soon"], 'the flag --seconds is "soon", but must be a number of seconds from 1 to 86400'],
  [["crawl", "--json"], '--json is an option of "satwire peer", not of "satwire crawl"'],
  [["playground", "--blocks=0"], 'the flag --blocks is "0", but must be a whole number from 1 on'],
  [["playground", "-regtest"], 'the flag --regtest has no meaning for "satwire playground"'],
  [["-nolisten", "-bind=127.0.0.1"], "bind names an address to listen on, but listen is 0: give one of them"],
  [["-dbcash=450"], "there is no option --dbcash; did you mean --dbcache?"],
  [["-includeconf=a.conf"], "includeconf can stand in a configuration file only"],
  [["-rpcauth=me:mine"], "the flag --rpcauth is something else, but must be a name, a colon, a salt"],
  [["-preset=productoin"], 'the flag --preset is "productoin", but must be one of development, production'],
  [["-debug=nets"], 'the flag --debug is "nets", but must be 1 or all'],
  [["-dns=0", "-addnode=example.org"], "dns is 0, but example.org is a name: give an address instead"],
  [["-testactivationheight=segwit@9"], "testactivationheight is for regtest alone, and this is mainnet"],
  [["-conf=/"], "the configuration file / cannot be read: it is a directory"],
  [["-conf=nowhere.conf"], "nowhere.conf does not exist"],
  [[`-uacomment=${"a".repeat(150)}`, `-uacomment=${"b".repeat(150)}`], "characters, but must have at most 256"],
  [["--completions=csh"], 'the flag --completions is "csh", but must be']
]

describe("the command line", () => {
  it.each(runtimes)("prints its version on %s", async (runtime) => {
    const { code, stdout, stderr } = await run(["--version"], { runtime })
    expect([code, stdout, stderr]).toEqual([0, `satwire ${manifest.version}\n`, ""])
  })

  it("ends with code 2 and one sentence for a command line that it does not understand", async () => {
    const { code, stdout, stderr } = await run(["--regtset"])
    const sentence = 'satwire: there is no option --regtset; did you mean --regtest? (see "satwire --help")\n'
    expect([code, stdout, stderr]).toEqual([2, "", sentence])
  })

  it.each(["--help", "-h", "-help", "-?"])("explains itself by %s", async (flag) => {
    const { code, stdout, stderr } = await say([flag])
    expect([code, stderr]).toEqual([0, ""])
    for (const row of Object.values(OPTIONS)) {
      expect(new RegExp(`--${row.name}\\b`).test(stdout)).toBe(row.commands.includes("node") && row.from !== "file")
    }
    for (const promised of ["~/.satwire", "SATWIRE_PORT", "satwire.conf", "Examples", "milliseconds", "default: 125"]) {
      expect(stdout).toContain(promised)
    }
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100)
  })

  it("shows for each command the options that it has", async () => {
    const { stdout: peer } = await say(["peer", "--help"])
    expect(peer).toContain("--json")
    expect(peer).toContain("--network")
    expect(peer).not.toContain("--connect")
    const { stdout: crawl } = await say(["crawl", "--help"])
    for (const option of ["--connections", "--seconds", "--out", "--network", "--proxy"])
      expect(crawl).toContain(option)
    expect(crawl).not.toContain("--json")
    expect(crawl).toContain("  satwire crawl [<host:port>] ... [options]\n")
    expect(peer).toContain("  satwire peer <host:port> [options]\n")
    const { stdout: exporting } = await say(["headers", "export", "--help"])
    for (const option of ["--force", "--network", "--datadir", "--conf"]) expect(exporting).toContain(option)
    for (const option of ["--proxy", "--connect", "--json"]) expect(exporting).not.toContain(option)
    expect(exporting).toContain("  satwire headers export <file> [options]\n")
    const { stdout: headers } = await say(["headers", "--help"])
    expect(headers).toContain("Usage\n  satwire headers <command> [options]\n")
    for (const word of ["  export  ", "  import  ", "--datadir"]) expect(headers).toContain(word)
    for (const option of ["--connect", "--proxy"]) expect(headers).not.toContain(option)
    const { stdout: playground } = await say(["playground", "--help"])
    expect(playground).toContain("--blocks")
    expect(playground).not.toContain("--network")
  })

  it.each(REFUSALS)("refuses %j in one sentence", async (args, sentence) => {
    const { code, stdout, stderr } = await say([...args, `-datadir=${freshHome()}`].slice(0, takesDatadir(args)))
    expect([code, stdout]).toEqual([2, ""])
    expect(stderr).toMatch(/^satwire: .+$/)
    expect(stderr).toContain(sentence)
  })

  it("says whether a flag, the environment or a line of a file is wrong", async () => {
    const home = freshHome()
    mkdirSync(join(home, ".satwire"))
    const file = join(home, ".satwire", "satwire.conf")
    writeFileSync(file, "# mine\nuacomment=a\ntimeout=soon\n")
    const allowed = "but must be a whole number of milliseconds from 1 to 600000\n"
    const options = { home, environment: { SATWIRE_TIMEOUT: "never" } }
    const flag = await run(["-timeout=x"], options)
    expect([flag.code, flag.stderr]).toEqual([2, `satwire: the flag --timeout is "x", ${allowed}`])
    const variable = await run([], options)
    const sentence = `satwire: the environment variable SATWIRE_TIMEOUT is "never", ${allowed}`
    expect([variable.code, variable.stderr]).toEqual([2, sentence])
    const line = await run([], { home })
    expect([line.code, line.stderr]).toEqual([2, `satwire: "timeout" in line 3 of ${file} is "soon", ${allowed}`])
  })

  it.each(["bash", "zsh", "fish", "powershell"])("completes its options in %s", async (shell) => {
    const { code, stdout } = await say(["--completions", shell])
    expect(code).toBe(0)
    for (const word of ["testnet4", "datadir", "crawl", "playground"]) expect(stdout).toContain(word)
  })

  it("completes the values of an option in bash", async () => {
    const { stdout } = await say(["--completions=bash"])
    expect(stdout).toContain("--nolisten")
    const words = `COMP_LINE="satwire --network re" COMP_WORDS=(satwire --network re) COMP_CWORD=2`
    const script = `${stdout}\n${words}\n_satwire satwire re --network\necho "\${COMPREPLY[@]}"`
    expect((await bash(script)).trim()).toBe("regtest")
  })
})

/** A command line is refused for its own fault and not for a file of whoever runs these tests, but the playground has no data directory. */
const takesDatadir = (args: ReadonlyArray<string>): number => (args[0] === "playground" ? args.length : args.length + 1)

const bash = (script: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn("bash", ["--norc", "-s"], { stdio: ["pipe", "pipe", "inherit"] })
    let out = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text
    })
    child.on("error", reject).on("close", () => resolve(out))
    child.stdin.end(script)
  })
