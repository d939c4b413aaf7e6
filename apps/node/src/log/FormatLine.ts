/** How lines of the log look: with the time in UTC as in Bitcoin Core's `debug.log`, or as JSON. */
import type { LogFormat } from "../config/Values.ts"
import type { Category, Level } from "./Categories.ts"

export interface LogEntry {
  readonly date: Date
  readonly level: Level
  readonly category: Category | undefined
  readonly message: string
}

export interface LineStyle {
  readonly format: LogFormat
  readonly hasTime: boolean
  readonly hasMicros: boolean
}

export const formatLine = (entry: LogEntry, style: LineStyle): string =>
  style.format === "json" ? jsonLine(entry) : textLine(entry, style)

const jsonLine = ({ category, date, level, message }: LogEntry): string =>
  JSON.stringify({ time: date.toISOString(), level, ...(category === undefined ? {} : { category }), message })

const textLine = (entry: LogEntry, { hasMicros, hasTime }: LineStyle): string => {
  const time = entry.date.toISOString()
  // Core's tools expect six digits; our clock has three.
  const stamp = hasMicros ? `${time.slice(0, 23)}000Z` : `${time.slice(0, 19)}Z`
  const line = `${prefixOf(entry)}${entry.message}`
  return hasTime ? `${stamp} ${line}` : line
}

const PREFIX: { readonly [Name in Level]: string } = {
  trace: "Trace: ",
  debug: "Debug: ",
  info: "",
  warning: "Warning: ",
  error: "Error: "
}

/** As in Core: the category of what was asked for by its category, and the weight of what is worth a warning. */
const prefixOf = ({ category, level }: LogEntry): string => {
  if (category === undefined || (level !== "trace" && level !== "debug")) return PREFIX[level]
  return level === "trace" ? `[${category}:trace] ` : `[${category}] `
}

const IPV4 = /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g
const IPV6 = /\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\](?::\d+)?/g
const HIDDEN_SERVICE = /\b[a-z2-7]{52,56}(?:\.b32\.i2p|\.onion)(?::\d+)?/g

/** The text without addresses of peers. */
export const withoutAddresses = (text: string): string =>
  text.replace(HIDDEN_SERVICE, HIDDEN).replace(IPV6, HIDDEN).replace(IPV4, HIDDEN)

const HIDDEN = "(address not shown)"
