/**
 * `npm run bench:headers [-- --headers 970000 --rounds 3]`: a chain of headers through all layers. It is generated once and kept outside the
 * repository (`generatedHeaders` of testkit).
 *
 *   validate   hashing alone, and every rule, in memory: CPU of the thread
 *   sync       from nothing to the tip over one loopback TCP connection, from a server in another process: validated, and safe on disk; wall
 *              clock. Once as a chain with enough work comes, once with presync, where each header is sent twice
 *   reopen     a node that starts with all of them on disk
 */
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { ProofOfWork } from "@satwire/consensus"
import { ChaChaRandom } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { HeaderTree, acceptHeaders } from "@satwire/header-sync"
import { Node, layerOnDisk } from "@satwire/node"
import { type ChainParams, HEADER_SIZE } from "@satwire/primitives"
import { contest, generatedHeaders } from "@satwire/testkit"
import { layerTcp } from "@satwire/transport-tcp"
import { MAX_HEADERS_RESULTS } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { LineProcess } from "../LineProcess.ts"

const { values } = parseArgs({
  options: { headers: { type: "string", default: "970000" }, rounds: { type: "string", default: "3" } }
})
const count = Number(values.headers)
const rounds = Number(values.rounds)
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const thousands = (perSecond: number): string => `${Math.round(perSecond / 1000).toLocaleString("en")} k/s`
const median = (numbers: ReadonlyArray<number>): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN

const { chainWork, headers, params } = generatedHeaders(count, platformSha256)
const BATCH_BYTES = MAX_HEADERS_RESULTS * HEADER_SIZE

/** What the last round left stays alive: else V8 forgets what it learned of trees. */
const kept = { tree: HeaderTree.fromGenesis(params, ChaChaRandom.fromNumber(1)) }

const validate = (): void => {
  const hashes = new Uint8Array(32 * MAX_HEADERS_RESULTS)
  const scores = contest(
    [
      {
        name: "hashing alone",
        run() {
          for (let at = 0; at < headers.length; at += BATCH_BYTES) {
            const run = headers.subarray(at, at + BATCH_BYTES)
            platformSha256.sha256dMany(run, 0, HEADER_SIZE, HEADER_SIZE, run.length / HEADER_SIZE, hashes, 0)
          }
          return count
        }
      },
      {
        name: "every rule",
        run() {
          const tree = HeaderTree.fromGenesis(params, ChaChaRandom.fromNumber(1))
          const proof = new ProofOfWork(params)
          for (let at = 0; at < headers.length; at += BATCH_BYTES) {
            const run = headers.subarray(at, at + BATCH_BYTES)
            acceptHeaders(tree, proof, platformSha256, run, run.length / HEADER_SIZE, Infinity)
          }
          kept.tree = tree
          return tree.size - 1
        }
      }
    ],
    { rounds: 5, roundMs: 500 }
  )
  for (const { name, perSecond } of scores) say(`validate  ${name.padEnd(16)} ${thousands(perSecond)} of CPU`)
  say(`memory    ${(kept.tree.bytes / kept.tree.size).toFixed(1)} bytes a header`)
}

const cpuSeconds = async (server: LineProcess): Promise<number> => Number(await server.ask("cpu"))

/** A node on a directory; it ends when as many headers are stored as there are. Gives the seconds from its start. */
const nodeOn = (directory: string, network: ChainParams, port: number | undefined) => {
  const options = {
    params: network,
    roles: { headers: { serve: false, announce: false }, mining: undefined },
    userAgent: "/bench/",
    services: 0n,
    connect: port === undefined ? [] : [{ host: "127.0.0.1", port }],
    listen: undefined,
    maxInbound: 0,
    dialTimeoutMs: 5000,
    v2transport: false
  }
  const until = Effect.gen(function* () {
    const node = yield* Node
    let stored = 0
    yield* node.facts.pipe(
      Stream.tap((fact) =>
        Effect.sync(() => {
          if (fact._tag === "HeadersStored" || fact._tag === "HeadersLoaded") stored += fact.count
        })
      ),
      Stream.takeUntil(() => stored >= count),
      Stream.runDrain
    )
    return performance.now()
  })
  return Effect.gen(function* () {
    const start = performance.now()
    const layer = Node.layer(options).pipe(Layer.provide(Layer.merge(layerTcp, layerOnDisk(directory, network))))
    const end = yield* Effect.provide(until, layer)
    return (end - start) / 1000
  })
}

interface Measured {
  readonly seconds: number
  readonly ours: number
  readonly theirs: number
}

const syncOnce = async (server: LineProcess, network: ChainParams, directory: string): Promise<Measured> => {
  const theirsBefore = await cpuSeconds(server)
  const before = process.cpuUsage()
  const seconds = await Effect.runPromise(Effect.scoped(nodeOn(directory, network, Number(server.first))))
  const { system, user } = process.cpuUsage(before)
  return { seconds, ours: (system + user) / 1e6, theirs: (await cpuSeconds(server)) - theirsBefore }
}

const sync = async (server: LineProcess, name: string, network: ChainParams, times: number): Promise<void> => {
  const measured: Array<Measured> = []
  for (let round = 0; round < rounds; round++) {
    const directory = mkdtempSync(join(tmpdir(), "satwire-bench-"))
    measured.push(await syncOnce(server, network, directory))
    if (round === rounds - 1 && times === 1) await reopen(directory, network)
    rmSync(directory, { recursive: true, force: true })
  }
  const seconds = median(measured.map((one) => one.seconds))
  const ours = median(measured.map((one) => one.ours))
  const theirs = median(measured.map((one) => one.theirs))
  say(
    `sync      ${name.padEnd(16)} ${thousands(count / seconds)} in ${seconds.toFixed(2)} s; CPU here ${ours.toFixed(2)} s, there ${theirs.toFixed(2)} s: served ${thousands((times * count) / theirs)}`
  )
}

const reopen = async (directory: string, network: ChainParams): Promise<void> => {
  const times: Array<number> = []
  for (let i = 0; i < 3; i++) times.push(await Effect.runPromise(Effect.scoped(nodeOn(directory, network, undefined))))
  const { size } = statSync(join(directory, network.directory, "headers.dat"))
  say(
    `reopen    ${count} headers in ${median(times).toFixed(2)} s; ${(size / count).toFixed(2)} bytes a header on disk`
  )
}

say(
  `${count.toLocaleString("en")} headers, ${process.version}, ${cpus()[0]?.model ?? "?"}, ${cpus().length} CPUs, ${new Date().toISOString().slice(0, 10)}, v1, medians of ${rounds}`
)
validate()
const server = await LineProcess.start(join(import.meta.dirname, "Server.ts"), String(count))
await sync(server, "as it comes", params, 1)
await sync(server, "with presync", { ...params, minimumChainWork: (chainWork * 99n) / 100n }, 2)
server.stop()
