/**
 * `npm run bench:blocks [-- --rounds 5]`: blocks from a replay server in another process, over loopback TCP, checked and safe on disk; wall clock.
 *
 *   small    22,000 near-empty regtest blocks over one connection, beside bcoin, which checks coins and scripts too and keeps all in memory
 *   big      generated segwit blocks of 2 MB over one connection; bcoin does not take them, as what they spend does not exist
 *   memory   the same from eight peers: the most resident memory beyond that of the node before it
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { Node, layerOnDisk } from "@satwire/node"
import { regtest } from "@satwire/primitives"
import { WorkerPool } from "@satwire/runtime/workers"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { LineProcess } from "../LineProcess.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "small,big,memory" },
    small: { type: "string", default: "22000" },
    big: { type: "string", default: "400" }
  }
})
const rounds = Number(values.rounds)
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const median = (numbers: ReadonlyArray<number>): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN

interface Measured {
  readonly seconds: number
  readonly bytes: number
  readonly cpu: number
  /** Megabytes beyond what was resident when the node had started. */
  readonly memory: number
}

/** A node on a fresh directory that fetches all blocks from these ports. */
const syncOnce = async (ports: ReadonlyArray<number>, count: number): Promise<Measured> => {
  const directory = mkdtempSync(join(tmpdir(), "satwire-bench-"))
  const options = {
    params: regtest,
    roles: { headers: { serve: false, announce: false }, mining: undefined },
    blocks: { serve: false },
    userAgent: "/bench/",
    services: 0n,
    connect: ports.map((port) => ({ host: "127.0.0.1", port })),
    listen: undefined,
    maxInbound: 0,
    dialTimeoutMs: 5000,
    v2transport: false
  }
  let bytes = 0
  const program = Effect.gen(function* () {
    const node = yield* Node
    const empty = process.memoryUsage().rss
    let most = empty
    yield* Effect.forkScoped(
      Effect.repeat(
        Effect.sync(() => {
          most = Math.max(most, process.memoryUsage().rss)
        }),
        Schedule.spaced(20)
      )
    )
    yield* node.facts.pipe(
      Stream.tap((fact) =>
        Effect.sync(() => {
          if (fact._tag === "BlocksStored") bytes += fact.bytes
        })
      ),
      Stream.takeUntil((fact) => fact._tag === "BlockTipChanged" && fact.tip.height === count),
      Stream.runDrain
    )
    return { end: performance.now(), memory: (most - empty) / 1e6 }
  })
  const start = performance.now()
  const before = process.cpuUsage()
  const edges = Layer.mergeAll(layerTcp, layerOnDisk(directory, regtest), WorkerPool.layer())
  const layer = Layer.provideMerge(Node.layer(options), edges)
  const { end, memory } = await Effect.runPromise(Effect.scoped(Effect.provide(program, layer)))
  const { system, user } = process.cpuUsage(before)
  rmSync(directory, { recursive: true, force: true })
  return { seconds: (end - start) / 1000, bytes, cpu: (system + user) / 1e6, memory }
}

const line = (name: string, count: number, all: ReadonlyArray<Measured>): string => {
  const seconds = median(all.map((one) => one.seconds))
  const bytes = median(all.map((one) => one.bytes))
  const cpu = median(all.map((one) => one.cpu))
  const memory = median(all.map((one) => one.memory))
  return `${name.padEnd(8)} satwire  ${Math.round(count / seconds).toLocaleString("en")} blocks/s, ${(bytes / seconds / 1e6).toFixed(1)} MB/s in ${seconds.toFixed(2)} s; CPU here ${cpu.toFixed(2)} s; ${memory.toFixed(0)} MB more than before`
}

const hasBcoin = existsSync(join(import.meta.dirname, "..", "..", "interop", "node_modules", "bcoin"))

const bcoinOnce = async (port: number, count: number): Promise<number> => {
  const client = await LineProcess.start(join(import.meta.dirname, "BcoinClient.ts"), String(port), String(count))
  const answer = await client.ask("sync")
  client.stop()
  return Number(answer)
}

const run = async (name: string, kind: string, count: number, peers: number): Promise<void> => {
  const server = await LineProcess.start(join(import.meta.dirname, "Server.ts"), kind, String(count), String(peers))
  const ports = server.first.split(",").map(Number)
  const ours: Array<Measured> = []
  const theirs: Array<number> = []
  for (let round = 0; round < rounds; round++) {
    ours.push(await syncOnce(ports, count))
    if (name === "small" && hasBcoin) theirs.push(await bcoinOnce(ports[0] ?? 0, count))
  }
  say(line(name, count, ours))
  if (theirs.length > 0) {
    const seconds = median(theirs)
    say(
      `${name.padEnd(8)} bcoin    ${Math.round(count / seconds).toLocaleString("en")} blocks/s in ${seconds.toFixed(2)} s: satwire has ${(seconds / median(ours.map((one) => one.seconds))).toFixed(1)} times as many`
    )
  }
  server.stop()
}

say(
  `${process.version}, ${cpus()[0]?.model ?? "?"}, ${cpus().length} CPUs, ${new Date().toISOString().slice(0, 10)}, v1, medians of ${rounds}`
)
const only = values.only.split(",")
if (only.includes("small")) await run("small", "small", Number(values.small), 1)
if (only.includes("big")) await run("big", "big", Number(values.big), 1)
if (only.includes("memory")) await run("memory", "big", Number(values.big), 8)
