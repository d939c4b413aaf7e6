/** All methods of a server by name, with the two that are about the table itself: `help` and `getrpcinfo`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { helpText, usageLine } from "./HelpText.ts"
import type { Json } from "./Json.ts"
import { string } from "./Kind.ts"
import { type Method, method } from "./Method.ts"
import { type Param, optional } from "./Param.ts"
import * as result from "./ResultDoc.ts"

export interface ActiveCall {
  readonly method: string
  /** Nanoseconds of the monotonic clock. */
  readonly since: bigint
}

export interface MethodTable<out R> {
  readonly methods: ReadonlyMap<string, Method<R>>
  /** Calls that are under way; who dispatches adds and takes away. */
  readonly active: Set<ActiveCall>
}

export interface TableOptions {
  /** Where `debug.log` lies, which `getrpcinfo` tells; empty where there is none. */
  readonly logPath?: string
}

/** A table of these methods. Two of one name are a bug. */
export const methodTable = <M extends Method<unknown>>(
  methods: ReadonlyArray<M>,
  options: TableOptions = {}
): MethodTable<M extends Method<infer R> ? R : never> => {
  type R = M extends Method<infer R> ? R : never
  const rows = new Map<string, Method<R>>()
  const active = new Set<ActiveCall>()
  const own = [help(rows), getrpcinfo(active, options.logPath ?? "")]
  // Each method is one of `M`, whose requirements `R` is the union of.
  for (const row of [...own, ...(methods as ReadonlyArray<Method<unknown>>)] as ReadonlyArray<Method<R>>) {
    if (rows.has(row.name)) throw new Error(`two methods are called ${row.name}`)
    rows.set(row.name, row)
  }
  return { methods: rows, active }
}

/** Asked for by programs that convert what people type: Bitcoin Core's undocumented word for it. */
export const CONVERSIONS = "dump_all_command_conversions"

const help = (methods: ReadonlyMap<string, Method<unknown>>): Method<never> =>
  method({
    name: "help",
    category: "control",
    about: "List all commands, or get help for a specified command.",
    params: [optional("command", string, "The command to get help on", { default: "all commands" })],
    result: [result.string("The help text"), result.array("", result.any(""))],
    run: ({ command = "" }) =>
      Effect.sync((): Json => {
        if (command === CONVERSIONS) return [...methods.values()].flatMap(conversionsOf)
        return command === "" ? listOf(methods) : helpOf(methods, command)
      })
  })

const helpOf = (methods: ReadonlyMap<string, Method<unknown>>, command: string): string => {
  const found = methods.get(command)
  return found === undefined ? `help: unknown command: ${command}` : helpText(found).trimEnd()
}

const listOf = (methods: ReadonlyMap<string, Method<unknown>>): string => {
  const shown = [...methods.values()].filter(({ category }) => category !== "hidden")
  const categories = [...new Set(shown.map(({ category }) => category))].sort()
  const parts = categories.map((category) => {
    const lines = shown.filter((method) => method.category === category).map(usageLine)
    return [`== ${category.charAt(0).toUpperCase()}${category.slice(1)} ==`, ...lines.sort()].join("\n")
  })
  return parts.join("\n\n")
}

/** Of every argument: its method, position, name, and whether it is a string, which needs no conversion. */
const conversionsOf = (method: Method<unknown>): ReadonlyArray<Json> =>
  method.params.flatMap((param, at) => {
    const { shape } = param.kind
    const inside: ReadonlyArray<Param> = shape._tag === "Options" ? shape.fields : []
    return [param, ...inside].flatMap(({ name, aliases, kind }) =>
      [name, ...aliases].map((name): Json => [method.name, at, name, kind.type === "string"])
    )
  })

const NANOS_PER_MICRO = 1000n

const getrpcinfo = (active: ReadonlySet<ActiveCall>, logPath: string): Method<never> =>
  method({
    name: "getrpcinfo",
    category: "control",
    about: "Returns details of the RPC server.",
    params: [],
    result: result.object("", {
      active_commands: result.array(
        "All active commands",
        result.object("Information about an active command", {
          method: result.string("The name of the RPC command"),
          duration: result.number("The running time in microseconds")
        })
      ),
      logpath: result.string("The complete file path to the debug log")
    }),
    examples: [[]],
    run: () =>
      Effect.map(Clock.monotonicTimeNanos, (now) => ({
        active_commands: [...active].map(({ method, since }) => ({
          method,
          duration: (now - since) / NANOS_PER_MICRO
        })),
        logpath: logPath
      }))
  })
