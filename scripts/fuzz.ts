/**
 * `npm run fuzz -- <message>|all [--seconds N] [--seed N] [--replay HEX]`: looks for a payload that breaks a law of `packages/wire`, from
 * the corpus on, guided by which outcomes and which blocks of code are new. The same seed takes the same way. Ends with exit code 1 and the
 * command that replays it when it finds one.
 */
import process from "node:process"
import { parseArgs } from "node:util"
import { fromHex, toHex } from "@satwire/bytes"
import { type Command, commands } from "@satwire/wire"
import * as fc from "fast-check"
import { checkPayload, readCorpus } from "../packages/wire/test/Corpus.ts"
import { Coverage } from "./Coverage.ts"
import { mutated } from "./Mutations.ts"

const BATCH = 400
/** Longer than any payload takes on a busy machine. */
const TOO_SLOW_MS = 2000

class Fuzzer {
  readonly command: Command
  readonly pool: Array<Uint8Array>
  readonly #coverage: Coverage
  readonly #signatures = new Set<string>()
  inputs = 0

  constructor(command: Command, coverage: Coverage) {
    this.command = command
    this.pool = readCorpus(command).map(({ hex }) => fromHex(hex) as Uint8Array)
    this.#coverage = coverage
    for (const payload of this.pool) this.#run(payload)
    coverage.fresh()
  }

  get outcomes(): number {
    return this.#signatures.size
  }

  /** Tries a batch; throws fast-check's report where a law breaks. */
  batch(seed: number): void {
    const tried: Array<Uint8Array> = []
    fc.assert(
      fc.property(mutated(this.command, this.pool), (payload) => {
        tried.push(payload)
        if (this.#run(payload)) this.pool.push(payload)
      }),
      { numRuns: BATCH, seed }
    )
    this.inputs += tried.length
    const blocks = this.#coverage.fresh()
    if (blocks.size > 0) this.pool.push(this.#first(tried, blocks))
  }

  /** Whether the payload showed something new. */
  #run(payload: Uint8Array): boolean {
    const began = performance.now()
    const { signature } = checkPayload(this.command, payload)
    if (performance.now() - began > TOO_SLOW_MS) throw new Error(`${payload.length} bytes took over ${TOO_SLOW_MS} ms`)
    if (this.#signatures.has(signature)) return false
    this.#signatures.add(signature)
    return true
  }

  /** The first payload that reaches one of these blocks, by halving. */
  #first(tried: ReadonlyArray<Uint8Array>, blocks: ReadonlySet<string>): Uint8Array {
    let rest = tried
    while (rest.length > 1) {
      const half = rest.slice(0, rest.length >>> 1)
      const hit = this.#coverage.reaches(blocks, () => {
        for (const payload of half) checkPayload(this.command, payload)
      })
      rest = hit ? half : rest.slice(half.length)
    }
    return rest[0] as Uint8Array
  }
}

const report = (command: Command, seed: number, thrown: unknown, pool: ReadonlyArray<Uint8Array>): void => {
  // The smallest payload that fast-check could bring it to.
  const smallest = fc.check(
    fc.property(mutated(command, pool), (payload) => void checkPayload(command, payload)),
    { numRuns: BATCH, seed }
  ).counterexample?.[0]
  const broken = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown
  console.error(`${command}: ${String(broken).split("\n")[0]}`)
  console.error(smallest === undefined ? `seed ${seed}` : `npm run fuzz -- ${command} --replay ${toHex(smallest)}`)
}

/** Fuzzes one message for a time. Gives whether every law held. */
const fuzz = (command: Command, seconds: number, seed: number, coverage: Coverage): boolean => {
  const before = coverage.blocks
  const fuzzer = new Fuzzer(command, coverage)
  const ends = performance.now() + 1000 * seconds
  for (let batch = 0; performance.now() < ends; batch++) {
    const pool = [...fuzzer.pool]
    try {
      fuzzer.batch(seed + batch)
    } catch (thrown) {
      report(command, seed + batch, thrown, pool)
      return false
    }
  }
  const { inputs, outcomes, pool } = fuzzer
  const reached = `${outcomes} outcomes, ${coverage.blocks - before} blocks of code not seen before`
  console.log(`${command}: ${inputs} payloads, ${reached}, pool of ${pool.length}`)
  return true
}

const main = (): number => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: "string" }, seed: { type: "string" }, replay: { type: "string" } }
  })
  const [name = ""] = positionals
  const chosen = name === "all" ? commands : commands.filter((command) => command === name)
  const seconds = Number(values.seconds ?? 10)
  const seed = Number(values.seed ?? 1)
  if (chosen.length === 0 || !(seconds >= 0) || !Number.isSafeInteger(seed)) {
    console.error(
      `npm run fuzz -- <message>|all [--seconds N] [--seed N] [--replay HEX]\nmessages: ${commands.join(" ")}`
    )
    return 2
  }
  if (values.replay !== undefined) {
    const payload = fromHex(values.replay)
    if (payload === undefined) {
      console.error("--replay takes hexadecimal")
      return 2
    }
    for (const command of chosen) console.log(`${command}: ${checkPayload(command, payload).signature}`)
    return 0
  }
  const coverage = new Coverage()
  const held = chosen.map((command) => fuzz(command, seconds / chosen.length, seed, coverage))
  coverage.end()
  return held.includes(false) ? 1 : 0
}

process.exitCode = main()
