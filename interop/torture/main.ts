/**
 * `npm run torture [-- --minutes 30 --hours 24 --seed 1]`: a day on regtest beside bcoin in accelerated time. Ends with `N passed, N failed`;
 * a failure names the seed, which draws what happens and in which order. When exactly, the machine has a say in as well.
 *
 * ```
 *   prelude │ a tenth │ … nine more … │ verdict
 *           └ measured: all that waits is mined, guests are gone, garbage is collected
 * ```
 */
import process from "node:process"
import { parseArgs } from "node:util"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import { agree } from "./Agreement.ts"
import { live, prelude, settled } from "./Day.ts"
import { type Check, type Measured, agreementChecks, endChecks, measure, memoryChecks, memoryText } from "./Verdict.ts"
import { type World, makeWorld } from "./World.ts"

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    hours: { type: "string", default: "24" },
    seed: { type: "string", default: "1" }
  }
})
const [minutes, hours, seed] = [Number(values.minutes), Number(values.hours), Number(values.seed)]
if (!(minutes > 0 && hours > 0 && Number.isInteger(seed) && seed >= 0)) {
  console.error("--minutes and --hours are above 0, and --seed is a whole number")
  process.exit(2)
}
const TENTHS = 10
/** A shorter day is measured after its first tenth and at its end alone. */
const MINUTES_TO_LOOK_OFTEN = 10
const lastsMs = minutes * 60_000
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const tallyLines = ({ tally }: World): ReadonlyArray<string> =>
  [...tally.counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${String(count).padStart(7)} ${what}`)

/** The ten tenths of the day; memory after the first and after the last. */
const day = (world: World) =>
  Effect.gen(function* () {
    const began = performance.now()
    const passed = (): number => performance.now() - began
    const measured: Array<Measured> = []
    for (let tenth = 1; tenth <= TENTHS; tenth++) {
      // Guests leave with the scope.
      yield* Effect.scoped(live(world, () => passed() >= (lastsMs * tenth) / TENTHS))
      if (minutes < MINUTES_TO_LOOK_OFTEN && tenth > 1 && tenth < TENTHS) continue
      yield* settled(world)
      yield* agree(world, "a tenth of the day")
      const now = yield* measure(world)
      measured.push(now)
      const { mirror, tally } = world
      const events = `${tally.get("events")} events, ${tally.get("reorganisations")} reorganisations, ${tally.get("kill -9")} kills`
      say(
        `${tenth}/${TENTHS} of the day, ${Math.round(passed() / 1000)} s: height ${mirror.best}, ${events}; ${memoryText(now)}`
      )
    }
    const [first, last] = [measured[0], measured.at(-1)]
    return first === undefined || last === undefined ? [] : memoryChecks(first, last)
  })

const program = Effect.gen(function* () {
  const world = yield* makeWorld({ seed, pace: (hours * 3600) / (minutes * 60) })
  const checks: Array<Check> = []
  const lived = Effect.gen(function* () {
    yield* prelude(world)
    say(`seed ${seed}: ${hours} hours in ${minutes} minutes, from height ${world.mirror.best} on`)
    checks.push(...(yield* day(world)), ...(yield* agreementChecks(world)))
  })
  const wentWrong = (error: { readonly message: string }): void => {
    checks.push(["the day goes to its end", false, error.message])
  }
  yield* Effect.catchTag(lived, "TortureFailed", (error) => Effect.sync(() => wentWrong(error)))
  yield* Effect.matchEffect(endChecks(world), {
    onFailure: (error) => Effect.sync(() => wentWrong(error)),
    onSuccess: (more) => Effect.sync(() => checks.push(...more))
  })
  for (const line of tallyLines(world)) say(line)
  return checks
})

const checks = await Effect.runPromise(Effect.scoped(Effect.provide(program, layerTcp)))
for (const [what, holds, detail] of checks) say(`${holds ? "ok    " : "FAILED"} ${what}: ${detail}`)
const failures = checks.filter(([, holds]) => !holds).length
if (failures > 0) say(`again with: npm run torture -- --minutes ${minutes} --hours ${hours} --seed ${seed}`)
say(`${checks.length - failures} passed, ${failures} failed`)
process.exit(failures > 0 ? 1 : 0)
