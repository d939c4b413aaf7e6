/**
 * `npm run bench:rpc [-- --rounds 3 --rate 200]`: how long a node lets those wait who call it while it syncs at full speed. The node is the real
 * program, `satwire -regtest`, with its data on disk; its peer is a replay server in a process of its own, over loopback, which stands for another
 * machine and has of this one what the node and its callers leave; this process calls, over HTTP with connections that stay open, one method
 * after another at a fixed rate, whether those before are answered or not.
 *
 *   headers   a chain of headers, no blocks
 *   small     22,000 near-empty blocks
 *   big       segwit blocks of 2 MB
 *   bulk      the same, while somebody asks for such blocks with all their transactions (`getblock` of verbosity 2), one after another
 *
 * With `--open` all connections are there before that: libuv accepts one a turn, so that who opens some at once waits for them to be accepted.
 *
 * What is timed is from the moment at which a call was to be made to the end of its answer: a stall counts for all that wait in it. The last row
 * is what the node itself is to blame for: how long its event loop was held without a break, in processor time, as a call finds it that comes at
 * any moment. On a machine with other work the rows above it say more of that than of the node.
 */
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { Agent, request } from "node:http"
import { cpus, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as Readline from "node:readline"
import { parseArgs } from "node:util"
import { LineProcess } from "../LineProcess.ts"
import { mostBlocks } from "../block-sync/Chain.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    rate: { type: "string", default: "200" },
    only: { type: "string", default: "headers,small,big,bulk" },
    headers: { type: "string", default: "300000" },
    small: { type: "string", default: "22000" },
    big: { type: "string", default: "400" },
    methods: { type: "boolean", default: false },
    open: { type: "boolean", default: false }
  }
})
const rounds = Number(values.rounds)
const gapMs = 1000 / Number(values.rate)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

type Call = readonly [method: string, ...params: ReadonlyArray<unknown>]

/** No call that waits by what it is, and none whose answer is a block. */
const CALLS: ReadonlyArray<Call> = [
  ["getblockchaininfo"],
  ["getblockcount"],
  ["getbestblockhash"],
  ["getblockhash", 0],
  ["getblockheader", "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"],
  ["getchaintips"],
  ["getdifficulty"],
  ["getdeploymentinfo"],
  ["getindexinfo"],
  ["getmempoolinfo"],
  ["getrawmempool"],
  ["getmininginfo"],
  ["getnetworkhashps"],
  ["getnetworkinfo"],
  ["getpeerinfo"],
  ["getconnectioncount"],
  ["getnettotals"],
  ["getaddrmaninfo"],
  ["getnodeaddresses", 10],
  ["getaddednodeinfo"],
  ["listbanned"],
  ["uptime"],
  ["getrpcinfo"],
  ["getmemoryinfo"],
  ["logging"],
  ["help", "getblock"],
  ["validateaddress", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"],
  ["decodescript", "76a914000000000000000000000000000000000000000088ac"]
]

interface Node {
  readonly call: (call: Call) => Promise<unknown>
  /** How long it takes until it has all. */
  readonly synced: Promise<void>
  /** How long its loop was held since this was asked the last time, in milliseconds of its thread's processor time. */
  readonly held: () => Promise<ReadonlyArray<number>>
  readonly stop: () => Promise<void>
}

/** As many as wait at once; the others wait here. */
const CONNECTIONS = 32

const MAIN = join(import.meta.dirname, "..", "..", "apps", "node", "src", "main.ts")

/** A node on a fresh directory that syncs from this port, once it answers over HTTP. */
const startNode = async (port: string, done: RegExp, args: ReadonlyArray<string>): Promise<Node> => {
  const directory = mkdtempSync(join(tmpdir(), "satwire-bench-"))
  const own = [
    "-regtest",
    `-datadir=${directory}`,
    `-connect=127.0.0.1:${port}`,
    "-nolisten",
    "-rpcport=0",
    "-v2transport=0"
  ]
  const guard = join(directory, "held.json")
  const child = spawn(
    process.execPath,
    ["--conditions=@satwire/source", "--import", join(import.meta.dirname, "LoopGuard.ts"), MAIN, ...own, ...args],
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, LOOP_GUARD: guard }
    }
  )
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()))
  const served = Promise.withResolvers<string>()
  const synced = Promise.withResolvers<void>()
  Readline.createInterface({ input: child.stdout }).on("line", (line) => {
    const at = /Answers HTTP on (127\.0\.0\.1:\d+)/.exec(line)?.[1]
    if (at !== undefined) served.resolve(at)
    if (done.test(line)) synced.resolve()
  })
  const at = await served.promise
  const cookie = readFileSync(join(directory, "regtest", ".cookie"), "utf8")
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  return {
    call: (call) => post(at, cookie, agent, call),
    synced: synced.promise,
    held: async () => {
      child.kill("SIGUSR2")
      while (!existsSync(guard)) await pause(5)
      const held = JSON.parse(readFileSync(guard, "utf8")) as ReadonlyArray<number>
      rmSync(guard)
      return held
    },
    stop: async () => {
      agent.destroy()
      child.kill("SIGTERM")
      await ended
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

const post = (at: string, cookie: string, agent: Agent, [method, ...params]: Call): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const asked = request(`http://${at}/`, { method: "POST", agent, auth: cookie }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString()
        // What is long is not looked into: that would hold up this process, and so what it measures.
        if (text.length > 100_000) return resolve(undefined)
        const { error, result } = JSON.parse(text) as {
          readonly error: { readonly code: number } | null
          readonly result: unknown
        }
        return error?.code === METHOD_NOT_FOUND ? reject(new Error(`${method}: ${text}`)) : resolve(result)
      })
    })
    asked.on("error", reject)
    asked.end(JSON.stringify({ id: 1, method, params }))
  })

/** Other errors are answers too: that the node warms up, that it has no pool of transactions. */
const METHOD_NOT_FOUND = -32601

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Once it has warmed up. */
const ready = async (node: Node): Promise<void> => {
  if (values.open) await Promise.all(Array.from({ length: CONNECTIONS }, () => node.call(["getblockcount"])))
  while (typeof (await node.call(["getblockcount"])) !== "number") await pause(2)
}

interface Timed {
  readonly method: string
  readonly ms: number
}

/** Calls at a fixed rate until `ended`. */
const callUntil = async (node: Node, ended: Promise<void>): Promise<ReadonlyArray<Timed>> => {
  const timed: Array<Timed> = []
  const under: Array<Promise<unknown>> = []
  let hasEnded = false
  void ended.then(() => (hasEnded = true))
  const start = performance.now()
  for (let i = 0; !hasEnded; i++) {
    const due = start + i * gapMs
    const left = due - performance.now()
    if (left > 0) await pause(left)
    const call = CALLS[i % CALLS.length] as Call
    under.push(node.call(call).then(() => timed.push({ method: call[0], ms: performance.now() - due })))
  }
  await Promise.all(under)
  return timed
}

/** Asks for whole blocks, one after another, as far as there are some. Gives how many it got. */
const askForBlocks = async (node: Node, ended: Promise<void>): Promise<number> => {
  let count = 0
  let hasEnded = false
  void ended.then(() => (hasEnded = true))
  while (!hasEnded) {
    const hash = await node.call(["getbestblockhash"])
    const height = (await node.call(["getblockcount"])) as number | null
    if (height !== null && height > 0 && typeof hash === "string") {
      await node.call(["getblock", hash, 2])
      count++
    } else await pause(50)
  }
  return count
}

const quantile = (sorted: ReadonlyArray<number>, q: number): number => sorted[Math.ceil(q * sorted.length) - 1] ?? NaN

/** Of stretches, those that one finds who looks at moments a millisecond apart: a long one as often as it is long. */
const asFound = (stretches: ReadonlyArray<number>): ReadonlyArray<number> =>
  stretches.flatMap((ms) => Array.from({ length: Math.max(1, Math.round(ms)) }, () => ms))

const row = (name: string, all: ReadonlyArray<number>): string => {
  const sorted = all.toSorted((a, b) => a - b)
  const [p50, p99, most] = [0.5, 0.99, 1].map((q) => quantile(sorted, q).toFixed(1).padStart(7))
  return `${name.padEnd(20)} ${String(all.length).padStart(6)} ${p50} ${p99} ${most}`
}

const measure = async (phase: string, kind: string, count: number, args: ReadonlyArray<string>): Promise<void> => {
  const server = await LineProcess.start(
    join(import.meta.dirname, "..", "block-sync", "Server.ts"),
    kind,
    String(count),
    "1"
  )
  server.giveWay()
  const timed: Array<Timed> = []
  const held: Array<number> = []
  let blocks = 0
  let seconds = 0
  for (let round = 0; round < rounds; round++) {
    const isHeaders = args.includes("-fetchblocks=0")
    const height = count.toLocaleString("en")
    const done = new RegExp(isHeaders ? `Headers: height ${height}\\b` : `Blocks: height ${height},`)
    const node = await startNode(server.first, done, args)
    await ready(node)
    await node.held()
    const begin = performance.now()
    const [calls, got] = await Promise.all([
      callUntil(node, node.synced),
      phase === "bulk" ? askForBlocks(node, node.synced) : 0
    ])
    seconds += (performance.now() - begin) / 1000
    held.push(...(await node.held()))
    timed.push(...calls)
    blocks += got
    await node.stop()
  }
  server.stop()
  const bulk = blocks > 0 ? `, ${blocks} blocks asked for whole` : ""
  say(`\n${phase}: ${(seconds / rounds).toFixed(1)} s a round${bulk}`)
  say(`${"".padEnd(20)}  calls  p50 ms  p99 ms  max ms`)
  const methods = [...new Set(timed.map(({ method }) => method))]
  const of = (method: string): ReadonlyArray<number> => timed.filter((one) => one.method === method).map(({ ms }) => ms)
  for (const method of methods) if (values.methods) say(row(method, of(method)))
  say(
    row(
      "all",
      timed.map(({ ms }) => ms)
    )
  )
  say(row("loop held", asFound(held)))
}

const longest = Math.max(...[values.headers, values.small, values.big].map(Number))
if (!(longest <= mostBlocks())) {
  process.stderr.write(
    `${longest} blocks are too many: those of ten minutes each would begin before regtest does; take ${mostBlocks()} at most\n`
  )
  process.exit(2)
}

say(
  `${process.version}, ${cpus()[0]?.model ?? "?"}, ${cpus().length} CPUs, load ${loadavg()[0]?.toFixed(1)}, ${new Date().toISOString().slice(0, 10)}, ${values.rate} calls/s, ${rounds} rounds`
)
const only = values.only.split(",")
if (only.includes("headers")) await measure("headers", "small", Number(values.headers), ["-fetchblocks=0"])
if (only.includes("small")) await measure("small", "small", Number(values.small), [])
if (only.includes("big")) await measure("big", "big", Number(values.big), [])
if (only.includes("bulk")) await measure("bulk", "big", Number(values.big), [])
