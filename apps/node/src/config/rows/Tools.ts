/** What commands beside the node have for themselves. */
import { type CommandName, type RowsOf, one, oneOrNone, onOff } from "../OptionRow.ts"
import { path, seconds, trueOrFalse, webSocketUrl, wholeNumber } from "../Values.ts"

const CRAWL: ReadonlyArray<CommandName> = ["crawl"]
const EVENTS: ReadonlyArray<CommandName> = ["events"]
const REPLAY: ReadonlyArray<CommandName> = ["replay"]
const PLAYGROUND: ReadonlyArray<CommandName> = ["playground"]

export interface ToolsSettings {
  readonly json: boolean | undefined
  readonly connections: number
  readonly seconds: number
  readonly out: string | undefined
  readonly force: boolean | undefined
  readonly decode: boolean | undefined
  readonly payload: boolean | undefined
  readonly url: string | undefined
  readonly messages: boolean | undefined
  readonly seed: number
  readonly headers: string | undefined
  readonly blocks: number | undefined
  readonly interval: number
}

export const toolsRows: RowsOf<ToolsSettings> = {
  json: onOff({
    name: "json",
    value: trueOrFalse,
    doc: "Prints one JSON object instead of a table; the README lists its fields.",
    defaultDoc: "off",
    from: "flags",
    commands: ["peer"]
  }),
  connections: one({
    name: "connections",
    value: wholeNumber(1, 256),
    metavar: "<number>",
    allowed: "a whole number from 1 to 256",
    doc: "How many nodes are visited at a time.",
    default: "16",
    from: "flags",
    commands: CRAWL
  }),
  seconds: one({
    name: "seconds",
    value: seconds(1, 86_400),
    metavar: "<seconds>",
    allowed: "a number of seconds from 1 to 86400",
    doc: "How long the crawl lasts at most, in seconds.",
    default: "60",
    from: "flags",
    commands: CRAWL
  }),
  out: oneOrNone({
    name: "out",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "Writes the nodes into this file, which is made anew.",
    defaultDoc: "prints them",
    from: "flags",
    commands: CRAWL
  }),
  force: onOff({
    name: "force",
    value: trueOrFalse,
    doc: "Overwrites a file that is there.",
    defaultDoc: "off",
    from: "flags",
    commands: ["headers export", "headers skeleton"]
  }),
  decode: onOff({
    name: "decode",
    value: trueOrFalse,
    doc: "Messages say what they say, as decoded.",
    defaultDoc: "off",
    from: "flags",
    commands: EVENTS
  }),
  payload: onOff({
    name: "payload",
    value: trueOrFalse,
    doc: "Messages carry their bytes, as payload, in hexadecimal.",
    defaultDoc: "off",
    from: "flags",
    commands: EVENTS
  }),
  url: oneOrNone({
    name: "url",
    value: webSocketUrl,
    metavar: "<url>",
    allowed: "an address that begins with ws:// or wss://",
    doc: "Where events are read without a password: ws:// and /events below the address of a dashboard, such as that of satwire playground.",
    defaultDoc: "/events of the node that --rpcconnect names",
    from: "flags",
    commands: EVENTS
  }),
  messages: onOff({
    name: "messages",
    value: trueOrFalse,
    doc: "Prints a line for each message too.",
    defaultDoc: "off",
    from: "flags",
    commands: REPLAY
  }),
  seed: one({
    name: "seed",
    value: wholeNumber(0, 4_294_967_295),
    metavar: "<number>",
    allowed: "a whole number from 0 to 4294967295",
    doc: "What is drawn is drawn of it: the same capture with the same seed goes the same way.",
    default: "1",
    from: "flags",
    commands: REPLAY
  }),
  headers: oneOrNone({
    name: "headers",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "Headers that the node had before its capture, as satwire headers export writes them.",
    defaultDoc: "genesis alone",
    from: "flags",
    commands: REPLAY
  }),
  blocks: oneOrNone({
    name: "blocks",
    value: wholeNumber(1, 1_000_000_000),
    metavar: "<number>",
    allowed: "a whole number from 1 on",
    doc: "Ends by itself after this many blocks.",
    defaultDoc: "goes on until Ctrl-C",
    from: "flags",
    commands: PLAYGROUND
  }),
  interval: one({
    name: "interval",
    value: seconds(0.001, 86_400),
    metavar: "<seconds>",
    allowed: "a number of seconds from 0.001 to 86400",
    doc: "The time between two blocks, in seconds.",
    default: "3",
    from: "flags",
    commands: PLAYGROUND
  })
}
