/**
 * `npm run simulate -- [--seed N] [--seeds COUNT] [--nodes N]`: runs the scenario of header sync, one line of JSON for each seed. A
 * breach ends it with exit code 1 and the command that replays the seed.
 */
import { parseArgs } from "node:util"
import { runHeaderScenario } from "./HeaderScenario.ts"

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    nodes: { type: "string" }
  }
})

const whole = (name: string, text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) {
    process.stderr.write(`--${name} takes a whole number from 1 on, not "${text}"\n`)
    process.exit(2)
  }
  return value
}

const first = whole("seed", values.seed)
const count = whole("seeds", values.seeds)
const nodes = values.nodes === undefined ? undefined : whole("nodes", values.nodes)
for (let seed = first; seed < first + count; seed++) {
  try {
    const result = runHeaderScenario(nodes === undefined ? { seed } : { seed, nodes })
    process.stdout.write(`${JSON.stringify(result)}\n`)
  } catch (thrown) {
    const suffix = nodes === undefined ? "" : ` --nodes ${nodes}`
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}${suffix}\n`)
    process.exit(1)
  }
}
