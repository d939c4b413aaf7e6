import { Breach, type ScenarioOptions, type ScenarioResult, replayCommand, simulate } from "@satwire/simulator"
import { describe, expect, it } from "vitest"
import { simulateCommand } from "./command.ts"

interface Ended {
  readonly code: number
  readonly out: ReadonlyArray<string>
  readonly error: ReadonlyArray<string>
  readonly asked: ReadonlyArray<ScenarioOptions>
}

const RESULT: ScenarioResult = {
  seed: 0,
  network: "regtest",
  nodes: 0,
  others: [],
  blocks: 0,
  height: 0,
  reorganisations: 0,
  deepestReorganisation: 0,
  turns: 0,
  virtualSeconds: 0,
  traceHash: ""
}

/** Runs the command line over a scenario that breaks at the seed 3. */
const command = (...args: ReadonlyArray<string>): Ended => {
  const ended = { out: new Array<string>(), error: new Array<string>(), asked: new Array<ScenarioOptions>() }
  const terminal = { out: (line: string) => ended.out.push(line), error: (line: string) => ended.error.push(line) }
  const code = simulate(args, terminal, (options) => {
    ended.asked.push(options)
    if (options.seed === 3) throw new Breach(`it broke\nreplay: ${replayCommand(options)}`)
    return { ...RESULT, seed: options.seed }
  })
  return { code, ...ended }
}

describe("the simulator's command line", () => {
  it("runs the seed 1 where nothing is asked for, and prints a line of JSON", () => {
    const { code, out, asked } = command()
    expect(code).toBe(0)
    expect(out.map((line) => JSON.parse(line) as unknown)).toEqual([{ ...RESULT, seed: 1 }])
    expect(asked).toEqual([{ seed: 1 }])
  })

  it("runs as many seeds as it is asked for, each with what else was asked", () => {
    const { code, out, asked } = command("--seed", "10", "--seeds=3", "--nodes", "50", "--network", "fast")
    expect(code).toBe(0)
    expect(out).toHaveLength(3)
    expect(asked).toEqual([10, 11, 12].map((seed) => ({ seed, nodes: 50, network: "fast" })))
  })

  it("ends at a breach with code 1 and the command that replays it, --nodes and all", () => {
    const { code, out, error } = command("--seeds", "10", "--nodes", "7", "--others", "flood,slow")
    expect(code).toBe(1)
    expect(out).toHaveLength(2)
    expect(error).toEqual(['it broke\nreplay: npm run simulate -- --seed 3 --nodes 7 --others "flood,slow"'])
  })

  it.each([
    [["--seed", "x"], '--seed takes a whole number from 0 on, not "x"'],
    [["--seed", "1.5"], '--seed takes a whole number from 0 on, not "1.5"'],
    [["--seed", ""], '--seed takes a whole number from 0 on, not ""'],
    [["--seeds", "0"], '--seeds takes a whole number from 1 on, not "0"'],
    [["--nodes", "-3"], "--nodes"],
    [["--network", "mainnet"], '--network takes regtest or fast, not "mainnet"'],
    [["--others", "flood,nobody"], 'not "nobody"'],
    [["--speed", "9"], "--speed"],
    [["7"], "7"]
  ])("ends at %j with code 2 and one sentence", (args, sentence) => {
    const { code, out, error, asked } = command(...args)
    expect([code, out, asked]).toEqual([2, [], []])
    expect(error).toHaveLength(1)
    expect(error[0]).toContain(sentence)
  })

  it("does not swallow a bug of its own", () => {
    const broken = (): never => {
      throw new TypeError("oh")
    }
    expect(() => simulate([], { out() {}, error() {} }, broken)).toThrow("oh")
  })
})

describe("the simulator as a command", () => {
  it("ends well with code 0", async () => {
    const { code, out, error } = await simulateCommand("--seed", "2", "--seeds", "2", "--nodes", "3")
    expect([code, error]).toEqual([0, ""])
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as ScenarioResult).seed)
    ).toEqual([2, 3])
  })

  it("fails with code 1 and the command to see it again, which fails in the same way", async () => {
    const first = await simulateCommand("--seeds", "5", "--nodes", "6", "--max-reorganisation", "0")
    expect(first.code).toBe(1)
    const replay = /\nreplay: npm run simulate -- (--seed \d --nodes 6 --max-reorganisation 0)\n$/.exec(first.error)
    expect(replay).not.toBeNull()
    const second = await simulateCommand(...(replay?.[1] ?? "").split(" "))
    expect(second).toEqual({ code: 1, out: "", error: first.error })
  })
})
