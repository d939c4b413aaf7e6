import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, watch, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { regtestChain } from "@satwire/testkit"
import { keepHeaders } from "./Chain.ts"
import { type Running, freshHome, listening, run, start } from "./Program.ts"

const HEADERS = 40_000
let chain: Uint8Array
beforeAll(() => {
  chain = regtestChain(HEADERS)
})

const ANYWHERE = "-bind=127.0.0.1:0"

/** A node that has the first of the headers. */
const nodeWith = async (count: number): Promise<{ readonly node: Running; readonly address: string }> => {
  const home = freshHome()
  await keepHeaders(join(home, ".satwire"), chain.subarray(0, count * 80))
  const node = start(["-regtest", "-fetchblocks=0", "-noconnect", ANYWHERE], { home })
  return { node, address: await listening(node) }
}

/** Asks a node to stop; gives how it ended and how long that took. */
const stop = async (node: Running, signal: NodeJS.Signals = "SIGINT"): Promise<Awaited<Running["ended"]>> => {
  const since = performance.now()
  node.signal(signal)
  const ended = await node.ended
  expect(performance.now() - since).toBeLessThan(5000)
  return ended
}

/** What a file has as soon as that matches. */
const written = (path: string, pattern: RegExp): Promise<string> =>
  new Promise((resolve) => {
    const look = (): void => {
      const text = existsSync(path) ? readFileSync(path, "utf8") : undefined
      if (text === undefined || !pattern.test(text)) return
      watcher.close()
      resolve(text)
    }
    const watcher = watch(dirname(path), look)
    look()
  })

describe("satwire", () => {
  it("follows the headers of another node, says how it goes, and has them after a restart", async () => {
    const source = await nodeWith(3000)
    const home = freshHome()
    const follower = start(["-regtest", "-fetchblocks=0", `-connect=${source.address}`], { home })
    await follower.printed(/Headers: height 3,000\b/)
    const followed = await stop(follower)
    expect([followed.code, followed.stderr]).toEqual([0, ""])
    expect(followed.stdout).toMatch(/Z Shook hands with \S+, outbound, v2: \/satwire:\S+\/ at height 3,000\.\n/)
    expect(followed.stdout).toMatch(/Z Stopping at height 3,000\.\n\S+Z Stopped\.\n$/)
    expect(followed.stdout).not.toContain("Listening")
    for (const line of followed.stdout.trim().split("\n")) {
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S.*$/)
    }
    expect((await stop(source.node, "SIGTERM")).code).toBe(0)
    const again = start(["-regtest", "-noconnect", "-nolisten"], { home })
    await again.printed(/Loaded 3,000 headers from disk; the best chain has height 3,000\./)
    expect((await stop(again)).code).toBe(0)
    expect(existsSync(join(home, ".satwire/regtest/satwire.pid"))).toBe(false)
  })

  it("stops within five seconds in the middle of a sync, loses nothing, and goes on from there", async () => {
    const { address } = await nodeWith(HEADERS)
    const home = freshHome()
    const follower = start(["-regtest", "-fetchblocks=0", `-connect=${address}`], { home })
    await follower.printed(/Headers: height/)
    const stopped = await stop(follower)
    expect([stopped.code, stopped.stderr]).toEqual([0, ""])
    const reached = /Stopping at height ([\d,]+)\./.exec(stopped.stdout)?.[1] ?? ""
    const again = start(["-regtest", "-fetchblocks=0", `-connect=${address}`], { home })
    const [, loaded] = await again.printed(/Loaded ([\d,]+) headers from disk/)
    expect(loaded).toBe(reached)
    await again.printed(/Headers: height 40,000\b/)
    expect((await stop(again)).code).toBe(0)
  })

  it("starts as a test framework starts Core's daemon: says nothing, logs to its file under a mocked time, opens that anew, and ends with 0", async () => {
    const home = freshHome()
    const directory = join(home, ".satwire/regtest")
    mkdirSync(directory, { recursive: true })
    const logged = join(directory, "debug.log")
    const quiet = ["-printtoconsole=0", "-debug", "-loglevel=trace", "-mocktime=1388534400", "-disablewallet"]
    const binds = [ANYWHERE, "-bind=127.0.0.1:0=onion"]
    const node = start(["-regtest", "-connect=0", ...quiet, ...binds], { home })
    const text = await written(logged, /(?:Listening on .*\n[^]*){2}/)
    for (const line of text.trim().split("\n")) expect(line).toMatch(/^2014-01-01T00:00:\d\dZ /)
    expect(text).toContain("Z Options of Bitcoin Core that mean nothing here: disablewallet.\n")
    expect(readFileSync(join(directory, "satwire.pid"), "utf8")).toBe(`${node.pid}\n`)
    renameSync(logged, `${logged}.1`)
    node.signal("SIGHUP")
    await written(logged, /^/)
    const { code, stderr, stdout } = await stop(node, "SIGTERM")
    expect([code, stdout, stderr]).toEqual([0, "", ""])
    expect(readFileSync(logged, "utf8")).toMatch(/Z Stopped\.\n$/)
    expect(existsSync(join(directory, "satwire.pid"))).toBe(false)
  })

  it("names the process that has its data directory", async () => {
    const { node } = await nodeWith(0)
    const { code, stdout, stderr } = await run(["-regtest", "-noconnect", ANYWHERE], { home: node.home })
    expect(code).toBe(1)
    const directory = join(node.home, ".satwire/regtest")
    const sentence = `satwire: ${directory} is in use by process ${node.pid}: stop that one, or choose another data directory\n`
    expect(stderr).toBe(sentence)
    expect(stdout).not.toContain("Stopped")
  })

  it("lets nodes of two networks share a data directory", async () => {
    const { node } = await nodeWith(0)
    const signet = start(["-signet", "-noconnect", ANYWHERE], { home: node.home })
    await listening(signet)
    expect((await stop(signet)).code).toBe(0)
  })

  it("says that its port is taken", async () => {
    const { address } = await nodeWith(0)
    const { code, stderr } = await run(["-regtest", "-noconnect", `-bind=${address}`])
    const sentence = `satwire: ${address} is taken by another process or listener: stop it or choose another port\n`
    expect([code, stderr]).toEqual([1, sentence])
  })

  it("says that its data directory cannot be written", async () => {
    const home = freshHome()
    writeFileSync(join(home, "file"), "")
    const { code, stderr } = await run(["-regtest", "-datadir=file/below"], { home })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^satwire: \S+ cannot be written \(ENOTDIR\): [^\n]+\n$/)
  })

  it.skipIf(process.getuid?.() === 0)("says that it may not write to its data directory", async () => {
    const home = freshHome()
    chmodSync(home, 0o500)
    const { code, stderr } = await run(["-regtest"], { home })
    chmodSync(home, 0o700)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^satwire: \S+ cannot be written \(EACCES\): [^\n]+\n$/)
  })

  it.skipIf(process.platform === "win32")("says that the disk is full, and keeps what it has", async () => {
    const { address } = await nodeWith(HEADERS)
    const home = freshHome()
    // Deno dies of the signal that comes with the limit, unless it is ignored outside.
    const limited = 'trap "" XFSZ; ulimit -f 1000; exec "$0" "$@"'
    const { code, stdout, stderr } = await run(["-regtest", "-fetchblocks=0", `-connect=${address}`], {
      home,
      wrap: (command) => ["bash", "-c", limited, ...command]
    })
    const file = join(home, ".satwire/regtest/headers.dat")
    expect([code, stderr]).toEqual([1, `satwire: ${file} cannot grow, the disk is full (EFBIG): make room and go on\n`])
    expect(stdout).toMatch(/Stopped\.\n$/)
    const again = start(["-regtest", "-fetchblocks=0", `-connect=${address}`], { home })
    const [, loaded] = await again.printed(/Loaded ([\d,]+) headers from disk/)
    expect(Number(loaded?.replaceAll(",", ""))).toBeGreaterThan(0)
    await again.printed(/Headers: height 40,000\b/)
    expect((await stop(again)).code).toBe(0)
  })

  it("names a damaged file, sets it aside and goes on with what was whole", async () => {
    const home = freshHome()
    const directory = join(home, ".satwire")
    await keepHeaders(directory, chain.subarray(0, 80))
    await keepHeaders(directory, chain.subarray(80, 240))
    const file = join(directory, "regtest/headers.dat")
    const bytes = readFileSync(file)
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1
    writeFileSync(file, bytes)
    const node = start(["-regtest", "-noconnect", "-nolisten"], { home })
    await node.printed(/Loaded 1 header from disk; the best chain has height 1\./)
    expect(node.stdout()).toMatch(
      /Warning: \S+headers\.dat is damaged at byte \d+ .*: what came before was kept, and all of it lies in/
    )
    expect((await stop(node)).code).toBe(0)
    expect(readdirSync(join(directory, "regtest")).some((name) => /^headers\.dat\..+/.test(name))).toBe(true)
  })

  it("says on a public network what it validates, offers nothing there, and says whom it connects to", async () => {
    const node = start(["-signet", "-connect=0", "-listen", ANYWHERE])
    const address = await listening(node)
    expect(node.stdout()).toContain("Warning: This node validates headers only: it verifies no block, transaction")
    expect(node.stdout()).toContain("name one with --connect=host:port")
    const { stdout } = await run(["peer", "-signet", address, "--json"])
    expect(JSON.parse(stdout)).toMatchObject({ services: "0000000000000800", relay: false })
    expect((await stop(node)).code).toBe(0)
  })

  it("says that there is nobody to ask for peers where somebody took all seeds from it, and runs on", async () => {
    const node = start(["-signet", "-dnsseed=0", ANYWHERE])
    await node.printed(/There are neither DNS seeds nor seed nodes nor a seeds file to learn of peers from\./)
    expect((await stop(node)).code).toBe(0)
  })

  it("begins with the nodes of a seeds file, and names the line that is wrong in one", async () => {
    const home = freshHome()
    const seed = { chain: "regtest", address: "203.0.113.1", port: 18444, network: "ipv4", services: "9", seen: 1 }
    writeFileSync(join(home, "seeds.jsonl"), `${JSON.stringify(seed)}\nnonsense\n`)
    const wrong = await run(["-regtest", `-seedsfile=${join(home, "seeds.jsonl")}`, ANYWHERE], { home })
    expect([wrong.code, wrong.stdout]).toEqual([2, ""])
    expect(wrong.stderr).toMatch(/seedsfile: the seeds file .*seeds\.jsonl is wrong: line 2 is no JSON object/)
    const missing = await run(["-regtest", "-asmap=nowhere.dat", ANYWHERE], { home })
    expect(missing.stderr).toContain(`asmap: the file ${join(home, ".satwire/regtest/nowhere.dat")} does not exist`)
  })

  it("reads its options from a file with sections, and from the environment before the file", async () => {
    const home = freshHome()
    writeFileSync(
      join(home, "my.conf"),
      "regtest=1\nconnect=203.0.113.1\n[regtest]\nbind=127.0.0.1:0\nuacomment=file\n"
    )
    const options = { home, environment: { SATWIRE_UACOMMENT: "environment" } }
    const node = start([`-conf=${join(home, "my.conf")}`, "-datadir=data"], options)
    const address = await listening(node)
    expect(node.stdout()).toContain(`data in ${join(home, "data/regtest")}.`)
    expect(node.stdout()).toContain(`Read ${join(home, "my.conf")}.`)
    expect(node.stdout()).toContain("stands in no section and counts for mainnet alone: move it below [regtest]")
    const { stdout } = await run(["peer", "-regtest", address, "--json"])
    expect((JSON.parse(stdout) as { userAgent: string }).userAgent).toContain("(environment)")
    expect((await stop(node)).code).toBe(0)
  })

  // Deno's console says nothing of a broken pipe: there the node goes on without its log.
  it.skipIf("Deno" in globalThis)("stops when nobody reads what it prints any more", async () => {
    const home = freshHome()
    await keepHeaders(join(home, ".satwire"), chain.subarray(0, 80))
    const { code, stderr } = await run(["-regtest", "-noconnect", ANYWHERE], {
      home,
      wrap: (command) => ["bash", "-c", 'set -o pipefail; "$0" "$@" | head -1', ...command]
    })
    expect([code, stderr]).toEqual([0, ""])
    expect(existsSync(join(home, ".satwire/regtest/satwire.pid"))).toBe(false)
  })

  // Deno has no such hook.
  it.skipIf("Deno" in globalThis).each([
    [["-regtest", "-connect=0"], 0],
    [["rpc", "-regtest", "uptime"], 130]
  ])("hears a signal while it loads: %j ends with %d", async (args, code) => {
    const hook = `import { registerHooks } from "node:module"
      let told = false
      registerHooks({ resolve(specifier, context, next) {
        if (!told && specifier.includes("Commands.ts")) process.kill(process.pid, "SIGTERM")
        told ||= specifier.includes("Commands.ts")
        return next(specifier, context)
      } })`
    const preload = `--import=data:text/javascript,${encodeURIComponent(hook)}`
    const ended = await run(args, { environment: { NODE_OPTIONS: preload } })
    expect([ended.code, ended.signal, ended.stderr]).toEqual([code, null, ""])
  })

  it("ends by a second signal at the latest", async () => {
    const { node } = await nodeWith(0)
    node.signal("SIGINT")
    expect([0, 130]).toContain((await stop(node, "SIGTERM")).code)
  })
})
