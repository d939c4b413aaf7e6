/** Bans that outlast a process, in files of their own. */
import { readdirSync, writeFileSync } from "node:fs"
import { Instant, UnixSeconds } from "@satwire/machine"
import { temporaryDirectory } from "@satwire/testkit"
import * as Effect from "effect/Effect"
import { expect, it, onTestFinished } from "vitest"
import { NetworkManager } from "../src/index.ts"
import { keepBans } from "../src/KeptBans.ts"
import { Scores } from "../src/Scores.ts"

const HOUR = 3600

/** Bans as a process has them that starts in that second, does something, and ends. */
const inAProcess = (directory: string, unix: number, act: (scores: Scores) => void = () => undefined) =>
  Effect.gen(function* () {
    // The monotonic clock of each process begins somewhere else.
    const now = { instant: Instant(unix % 977), unix: UnixSeconds(unix) }
    const scores = new Scores(
      { banMs: 24 * HOUR * 1000 },
      () => now,
      () => undefined
    )
    yield* keepBans({ directory, network: "test", scores })
    const before = scores.banned()
    act(scores)
    return before
  }).pipe(Effect.scoped, Effect.runPromise)

it("are there again until they end by the clock, and not where they were taken back", async () => {
  const directory = temporaryDirectory("bans", onTestFinished)
  const start = 1_800_000_000
  const first = await inAProcess(directory, start, (scores) => {
    for (const peer of ["early", "pardoned"]) scores.ban(peer, "test")
    scores.unban("pardoned")
  })
  const next = await inAProcess(directory, start + 20 * HOUR, (scores) => scores.ban("late", "test"))
  const third = await inAProcess(directory, start + 24 * HOUR - 1)
  const last = await inAProcess(directory, start + 24 * HOUR)
  expect([first, next, third, last]).toEqual([[], ["early"], ["early", "late"], ["late"]])
  // A clock that was set back makes no ban longer than bans are.
  await inAProcess(directory, start, (scores) => expect(scores.kept()).toEqual([["late", start + 24 * HOUR]]))
})

it("of a file that is damaged are nobody's, and it is set aside; a directory is one process's", async () => {
  const directory = temporaryDirectory("bans", onTestFinished)
  writeFileSync(`${directory}/peer-bans.dat`, "not of ours")
  const options = { dataDirectory: directory, listen: [], network: "test" }
  const error = await Effect.gen(function* () {
    const manager = yield* NetworkManager.make(options)
    expect(readdirSync(directory).some((name) => name.startsWith("peer-bans.dat."))).toBe(true)
    yield* manager.banPeer("somebody", "test")
    // A process that is killed has kept it, too.
    while (!readdirSync(directory).includes("peer-bans.dat")) yield* Effect.sleep(1)
    return yield* Effect.flip(NetworkManager.make(options))
  }).pipe(Effect.scoped, Effect.runPromise)
  expect(error).toMatchObject({ reason: "DataDirectory" })
  expect(error.message).toContain("is in use by")
  const again = Effect.flatMap(NetworkManager.make(options), ({ getNetworkStatus }) => getNetworkStatus)
  expect((await Effect.runPromise(Effect.scoped(again))).bannedPeers).toBe(1)
})
