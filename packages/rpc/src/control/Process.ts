/** Methods about the process: how long it runs, what it logs, how it ends. Source: Bitcoin Core 31.99 `rpc/node.cpp`, `rpc/server.cpp`. */
import {
  type Method,
  type RpcError,
  defaulted,
  kind,
  method,
  optional,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import * as Effect from "effect/Effect"
import { Rpc } from "../RpcNode.ts"

const STOPPING = "Satwire stopping"

export const stop: Method<Rpc> = method({
  name: "stop",
  category: "control",
  about: "Request a graceful shutdown of Satwire.",
  params: [optional("wait", kind.integer, "How long to wait in ms", { hidden: true })],
  result: result.string(`A string with the content '${STOPPING}'`),
  run: ({ wait = 0 }) =>
    Effect.gen(function* () {
      const { stop } = yield* Rpc
      yield* stop
      if (wait > 0) yield* Effect.sleep(wait)
      return STOPPING
    })
})

export const uptime: Method<Rpc> = method({
  name: "uptime",
  category: "control",
  about: "Returns the total uptime of the server.",
  params: [],
  result: result.number("The number of seconds that the server has been running"),
  examples: [[]],
  // Since Core 31 it does not follow a clock that was set.
  run: () => Effect.flatMap(Rpc, ({ uptimeSeconds }) => Effect.map(uptimeSeconds, Math.floor))
})

export const getmemoryinfo: Method<Rpc> = method({
  name: "getmemoryinfo",
  category: "control",
  about:
    "Returns an object containing information about memory usage. This server locks no memory, so that all of it is 0.",
  params: [
    defaulted("mode", kind.string, "stats", 'Which information: "stats", or "mallocinfo", which is not available here')
  ],
  result: result.object("", {
    locked: result.object("Information about locked memory", {
      used: result.number("Number of bytes used"),
      free: result.number("Number of bytes available in current arenas"),
      total: result.number("Total number of bytes managed"),
      locked: result.number("Amount of bytes that succeeded locking"),
      chunks_used: result.number("Number allocated chunks"),
      chunks_free: result.number("Number unused chunks")
    })
  }),
  examples: [[]],
  run: ({ mode }) => {
    if (mode === "stats") {
      return Effect.succeed({ locked: { used: 0, free: 0, total: 0, locked: 0, chunks_used: 0, chunks_free: 0 } })
    }
    const message = mode === "mallocinfo" ? "mallocinfo mode not available" : `unknown mode ${mode}`
    return Effect.fail(rpcError("INVALID_PARAMETER", message))
  }
})

/** All categories at once. */
const EVERYTHING: ReadonlySet<string> = new Set(["", "1", "all"])

const setCategories = (categories: ReadonlyArray<string>, isLogged: boolean): Effect.Effect<void, RpcError, Rpc> =>
  Effect.gen(function* () {
    const { log } = yield* Rpc
    for (const category of categories) {
      const names = EVERYTHING.has(category) ? (yield* log.list).map(([name]) => name) : [category]
      for (const name of names) {
        if (yield* log.set(name, isLogged)) continue
        return yield* Effect.fail(rpcError("INVALID_PARAMETER", `unknown logging category ${category}`))
      }
    }
  })

const category = required("category", kind.string, 'A category, or "all"')

export const logging: Method<Rpc> = method({
  name: "logging",
  category: "control",
  about:
    "Gets and sets the logging configuration.\n" +
    "When called without an argument, returns the list of categories with status that are currently being debug logged or not.\n" +
    "When called with arguments, adds or removes categories from debug logging and return the lists above.\n" +
    "What is both included and excluded is excluded.",
  params: [
    optional("include", kind.arrayOf(category), "The categories to add to debug logging"),
    optional("exclude", kind.arrayOf(category), "The categories to remove from debug logging")
  ],
  result: result.record("By category", result.boolean("Whether it is logged")),
  examples: [[["all"], ["http"]]],
  run: ({ exclude = [], include = [] }) =>
    Effect.gen(function* () {
      const { log } = yield* Rpc
      yield* setCategories(include, true)
      yield* setCategories(exclude, false)
      const list = yield* log.list
      return Object.fromEntries(list.toSorted(([a], [b]) => (a < b ? -1 : 1)))
    })
})
