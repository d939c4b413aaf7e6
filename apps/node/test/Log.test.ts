import { appendFileSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { PeerId } from "@satwire/machine"
import type { MessageSeen, MessagesLost } from "@satwire/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import { describe, expect, it } from "vitest"
import { CATEGORIES, type Choice, LEVELS, Wishes } from "../src/log/Categories.ts"
import { formatLine, withoutAddresses } from "../src/log/FormatLine.ts"
import { LOG_CHARACTERS_PER_HOUR, loggerFor } from "../src/log/Log.ts"
import { type LogLine, logLine } from "../src/log/LogLine.ts"
import { tellMessages } from "../src/log/MessageLines.ts"
import { LogFile, RECENT_HISTORY_BYTES } from "../src/log/LogFile.ts"
import { freshHome } from "./Program.ts"

const wanted = (choice: Partial<Choice>) => new Wishes({ debug: [], debugexclude: [], loglevel: [], ...choice }).wanted

describe("what of the log is wanted", () => {
  it("is what matters, whatever was chosen", () => {
    for (const debug of [[], ["net"], ["1"], ["1", "0"]]) {
      for (const category of [undefined, ...CATEGORIES]) {
        for (const level of ["info", "warning", "error"] as const) {
          expect(wanted({ debug, debugexclude: ["all"] })(level, category)).toBe(true)
        }
      }
    }
  })

  it("is a category's debug lines where it was chosen and not taken out, and trace where the level says so", () => {
    expect(CATEGORIES.filter((name) => wanted({ debug: ["net", "mempool"] })("debug", name))).toEqual([
      "net",
      "mempool"
    ])
    expect(CATEGORIES.filter((name) => !wanted({ debug: ["1"], debugexclude: ["net"] })("debug", name))).toEqual([
      "net"
    ])
    expect(CATEGORIES.filter((name) => wanted({ debug: ["net", "none", "rpc"] })("debug", name))).toEqual(["rpc"])
    expect(wanted({ debug: ["net"] })("trace", "net")).toBe(false)
    const traced = wanted({ debug: ["all"], loglevel: [{ category: "net", level: "trace" }] })
    expect([traced("trace", "net"), traced("trace", "rpc"), traced("debug", "rpc")]).toEqual([true, false, true])
    const quiet = wanted({ debug: ["all"], loglevel: [{ category: undefined, level: "info" }] })
    expect([quiet("debug", "net"), quiet("info", "net")]).toEqual([false, true])
    expect([wanted({ debug: ["net"] })("debug", undefined), wanted({ debug: ["1"] })("debug", undefined)]).toEqual([
      false,
      true
    ])
    expect(LEVELS).toHaveLength(5)
  })
})

describe("lines of messages", () => {
  const seen = { _tag: "Message", unixMs: 0, peer: PeerId(3), address: "[::1]:1" } as const

  it("are told while they are wanted, and messages are not looked on at else", async () => {
    const wishes = new Wishes({ debug: [], debugexclude: [], loglevel: [] })
    const told: Array<string> = []
    const program = Effect.gen(function* () {
      const queue = yield* Queue.unbounded<MessageSeen | MessagesLost>()
      const lookers = yield* Queue.unbounded<number>()
      const looked = (change: number) => Effect.sync(() => Queue.offerUnsafe(lookers, change))
      const messages = Stream.unwrap(
        Effect.as(
          Effect.acquireRelease(looked(1), () => looked(-1)),
          Stream.fromQueue(queue)
        )
      )
      yield* Effect.forkScoped(tellMessages({ messages }, wishes), { startImmediately: true })
      wishes.set("net", true)
      expect(yield* Queue.take(lookers)).toBe(1)
      const payload = new Uint8Array(82)
      yield* Queue.offer(queue, { ...seen, side: "received", command: "headers", payload, sizeBytes: 106 })
      yield* Queue.offer(queue, { ...seen, side: "sent", command: "*other*", payload: undefined, sizeBytes: 30 })
      yield* Queue.offer(queue, { _tag: "Lost", count: 7 })
      while (told.length < 3) yield* Effect.yieldNow
      wishes.set("net", false)
      expect(yield* Queue.take(lookers)).toBe(-1)
      wishes.set("all", true)
      expect(yield* Queue.take(lookers)).toBe(1)
    })
    const log = Logger.layer([loggerFor(wishes.wanted, STYLE, (line) => told.push(line))])
    const all = Layer.merge(log, Layer.succeed(References.MinimumLogLevel, "Trace"))
    await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(all)))
    expect(told).toEqual([
      "[net] received: headers (82 bytes) peer=3",
      "[net] sending *other* (30 bytes) peer=3",
      "[net] 7 messages came faster than they are told"
    ])
  })
})

const STYLE = { format: "text", hasTime: false, hasMicros: false } as const

describe("the log", () => {
  const lines = async (work: Effect.Effect<unknown>) => {
    const told: Array<string> = []
    const { wanted } = new Wishes({ debug: ["net"], debugexclude: [], loglevel: [] })
    const logger = Logger.layer([loggerFor(wanted, STYLE, (line) => told.push(line))])
    const all = Layer.merge(logger, Layer.succeed(References.MinimumLogLevel, "Trace"))
    await Effect.runPromise(Effect.provide(work, all))
    return told
  }
  const times = (count: number, line: LogLine) => Effect.forEach(Array.from({ length: count }), () => logLine(line))

  it("lets one kind of line fill a mebibyte in an hour, and others be told", async () => {
    const long = "x".repeat(1024)
    const told = await lines(
      Effect.all([
        times(1030, { level: "Warn", kind: "DialFailed", text: long }),
        times(1030, { level: "Info", text: `Progress is ${long}` }),
        times(1, { level: "Info", kind: "Listening", text: "Listening." })
      ])
    )
    expect(told.filter((line) => line === `Warning: ${long}`)).toHaveLength(1024)
    expect(told.filter((line) => line.startsWith("Progress is"))).toHaveLength(1013)
    expect(told.at(-1)).toBe("Listening.")
    expect(LOG_CHARACTERS_PER_HOUR).toBe(1024 * 1024)
  })

  it("leaves out nothing of what was asked for by its category", async () => {
    const told = await lines(times(1100, { level: "Debug", category: "net", text: "x".repeat(1024) }))
    expect(told).toHaveLength(1100)
  })
})

describe("a line", () => {
  const date = new Date(1_700_000_000_123)
  const style = { format: "text", hasTime: true, hasMicros: false } as const

  it("begins with the time as Core's does, and with the category that was asked for", () => {
    const entry = { date, level: "debug", category: "net", message: "Dialling." } as const
    expect(formatLine(entry, style)).toBe("2023-11-14T22:13:20Z [net] Dialling.")
    expect(formatLine({ ...entry, level: "trace" }, style)).toBe("2023-11-14T22:13:20Z [net:trace] Dialling.")
    expect(formatLine({ ...entry, level: "info" }, style)).toBe("2023-11-14T22:13:20Z Dialling.")
    expect(formatLine({ ...entry, level: "warning" }, { ...style, hasMicros: true })).toBe(
      "2023-11-14T22:13:20.123000Z Warning: Dialling."
    )
    expect(formatLine({ ...entry, level: "info" }, { ...style, hasTime: false })).toBe("Dialling.")
  })

  it("is one JSON object where that is asked for", () => {
    const line = formatLine({ date, level: "info", category: "net", message: 'a "b"\nc' }, { ...style, format: "json" })
    expect(line).not.toContain("\n")
    expect(JSON.parse(line)).toEqual({
      time: "2023-11-14T22:13:20.123Z",
      level: "info",
      category: "net",
      message: 'a "b"\nc'
    })
  })

  it("loses its addresses where they are not to be shown, and nothing else", () => {
    const onion = `${"a".repeat(56)}.onion`
    for (const address of ["203.0.113.5:8333", "[2001:db8::1]:8333", `${onion}:8333`, "203.0.113.5"]) {
      expect(withoutAddresses(`Connected to ${address}, 2 of 3.`)).toBe("Connected to (address not shown), 2 of 3.")
    }
    const plain = "Headers: height 3,000 (~12 %), /satwire:0.1.0/, tip 00ff."
    expect(withoutAddresses(plain)).toBe(plain)
  })
})

describe("the log's file", () => {
  const opened = async (path: string, shrinks = false, told: Array<string> = []): Promise<LogFile> => {
    const file = new LogFile((sentence) => told.push(sentence))
    await Effect.runPromise(file.open(path, shrinks))
    return file
  }

  it("has what was logged before it was opened, and is opened anew under its name", async () => {
    const path = join(freshHome(), "debug.log")
    const file = new LogFile(() => undefined)
    file.write("early")
    await Effect.runPromise(file.open(path, false))
    file.write("one")
    renameSync(path, `${path}.1`)
    file.write("two")
    file.reopen()
    file.write("three")
    file.close()
    file.write("late")
    expect([readFileSync(`${path}.1`, "utf8"), readFileSync(path, "utf8")]).toEqual(["early\none\ntwo\n", "three\n"])
  })

  it("keeps its end from a whole line on where it is long, and all of it where it is not", async () => {
    const path = join(freshHome(), "debug.log")
    writeFileSync(path, `${"x".repeat(99)}\n`.repeat(RECENT_HISTORY_BYTES / 100))
    ;(await opened(path, true)).close()
    expect(statSync(path).size).toBe(RECENT_HISTORY_BYTES)
    appendFileSync(path, `${"y".repeat(1_000_049)}\n`)
    ;(await opened(path, true)).close()
    expect(statSync(path).size).toBe(RECENT_HISTORY_BYTES - 50)
    expect(readFileSync(path, "utf8").startsWith("xxx")).toBe(true)
  })

  it("says in one sentence why it cannot be opened", async () => {
    const directory = freshHome()
    await expect(opened(directory)).rejects.toThrow(`the log ${directory} cannot be opened: it is a directory`)
    const nowhere = join(directory, "no", "debug.log")
    await expect(opened(nowhere)).rejects.toThrow(`the log ${nowhere} cannot be opened: its directory does not exist`)
  })

  it.skipIf(process.platform !== "linux")("tells once that the disk is full, and goes on", async () => {
    const told: Array<string> = []
    const file = await opened("/dev/full", false, told)
    file.write("one")
    file.write("two")
    file.close()
    expect(told).toEqual(["The log /dev/full cannot be written: the disk is full. The node goes on."])
  })
})
