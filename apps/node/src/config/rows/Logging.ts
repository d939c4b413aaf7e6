/** What is told of what happens, and where. */
import { CATEGORY_CHOICES, LEVELS, type LevelRule, categoryName, levelRule } from "../../log/Categories.ts"
import { NODE, type RowsOf, list, one, oneOrNone, onOff } from "../OptionRow.ts"
import { type LogFormat, LOG_FORMATS, collectorUrl, oneOf, path, trueOrFalse } from "../Values.ts"

export interface LoggingSettings {
  readonly debug: ReadonlyArray<string>
  readonly debugexclude: ReadonlyArray<string>
  readonly loglevel: ReadonlyArray<LevelRule>
  readonly debuglogfile: string
  readonly shrinkdebugfile: boolean | undefined
  readonly printtoconsole: boolean | undefined
  readonly logformat: LogFormat
  readonly logtimestamps: boolean | undefined
  readonly logtimemicros: boolean | undefined
  readonly logips: boolean | undefined
  readonly otlp: string | undefined
}

const CATEGORY_ALLOWED = `1 or all, 0 or none, or a category of Bitcoin Core's: ${CATEGORY_CHOICES.slice(4).join(", ")}`

export const loggingRows: RowsOf<LoggingSettings> = {
  debug: list({
    name: "debug",
    value: categoryName,
    bare: "1",
    completes: CATEGORY_CHOICES,
    metavar: "<category>",
    allowed: CATEGORY_ALLOWED,
    doc: "Logs more of a category, such as net, addrman or mempool, or of all of them; may be given several times.",
    defaultDoc: "none",
    commands: NODE
  }),
  debugexclude: list({
    name: "debugexclude",
    value: categoryName,
    completes: CATEGORY_CHOICES,
    metavar: "<category>",
    allowed: CATEGORY_ALLOWED,
    doc: "Leaves this category out of --debug; may be given several times.",
    defaultDoc: "none",
    commands: NODE
  }),
  loglevel: list({
    name: "loglevel",
    value: levelRule,
    completes: LEVELS,
    metavar: "<[category:]level>",
    allowed: `one of ${LEVELS.join(", ")}, with a category and a colon before it or not`,
    doc: "From which level on the categories of --debug are logged; info and above always are.",
    defaultDoc: "debug",
    commands: NODE
  }),
  debuglogfile: one({
    name: "debuglogfile",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "Where the log goes beside the terminal; a relative path starts at the network's data directory. 0 is nowhere. SIGHUP opens it anew.",
    default: "debug.log",
    negatable: true,
    commands: NODE
  }),
  shrinkdebugfile: onOff({
    name: "shrinkdebugfile",
    value: trueOrFalse,
    doc: "Whether a start leaves only the last 10 MB of a log that has more than 11.",
    defaultDoc: "1, but 0 with --debug",
    commands: NODE
  }),
  printtoconsole: onOff({
    name: "printtoconsole",
    value: trueOrFalse,
    doc: "Whether the log goes to the terminal.",
    defaultDoc: "1",
    commands: NODE
  }),
  logformat: one({
    name: "logformat",
    value: oneOf(LOG_FORMATS),
    completes: LOG_FORMATS,
    metavar: "<format>",
    allowed: `one of ${LOG_FORMATS.join(", ")}`,
    doc: "Lines for people (text), or one JSON object a line with time, level, category and message (json).",
    default: "text",
    commands: NODE
  }),
  logtimestamps: onOff({
    name: "logtimestamps",
    value: trueOrFalse,
    doc: "Whether a line of text begins with its time.",
    defaultDoc: "1",
    commands: NODE
  }),
  logtimemicros: onOff({
    name: "logtimemicros",
    value: trueOrFalse,
    doc: "Whether that time has fractions of a second.",
    defaultDoc: "0",
    commands: NODE
  }),
  logips: onOff({
    name: "logips",
    value: trueOrFalse,
    doc: "Whether addresses of peers stand in the log, and in traces. Core's default is 0.",
    defaultDoc: "1",
    commands: NODE
  }),
  otlp: oneOrNone({
    name: "otlp",
    value: collectorUrl,
    negatable: true,
    metavar: "<url>",
    allowed: "an address that begins with http:// or https://, or 0",
    doc: "Sends traces (start, dials, handshakes, headers, calls, stop) to this collector of OTLP over HTTP, such as http://127.0.0.1:4318; 0 is none.",
    defaultDoc: "the variable OTEL_EXPORTER_OTLP_ENDPOINT, or none",
    commands: NODE
  })
}
