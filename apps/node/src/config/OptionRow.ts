/** What is known of one option: everything else (flags, environment, files, help, documentation) is made from it. */
import type { Value } from "./Values.ts"

/** The commands that deal with headers in files. */
export const HEADERS_COMMANDS = ["headers export", "headers import", "headers skeleton"] as const

/** Every command, by the words that follow `satwire`; `node` where none does. */
export const COMMANDS = [
  "node",
  "peer",
  "crawl",
  "headers export",
  "headers import",
  "headers skeleton",
  "rpc",
  "doctor",
  "events",
  "replay",
  "playground"
] as const
export type CommandName = (typeof COMMANDS)[number]

/** What a person types for it, such as `satwire peer`. */
export const typedName = (command: CommandName): string => (command === "node" ? "satwire" : `satwire ${command}`)

export interface OptionFacts {
  /** Bitcoin Core's name where Core has the option. */
  readonly name: string
  readonly aliases: ReadonlyArray<string>
  /**
   * `switch` is on or off; `list` may be given several times, and `0` empties it.
   */
  readonly kind: "switch" | "one" | "list"
  /** What it means where it stands without a value; it needs one where this is `undefined`. */
  readonly bare: string | undefined
  /** Whether `no<name>` is known: as `0`. */
  readonly negatable: boolean
  /** Whether its value is shown to nobody. */
  readonly isSecret: boolean
  /** What completes it in a shell. */
  readonly completes: "nothing" | "directory" | "file" | ReadonlyArray<string>
  /** How its value is called in the help, such as `<host:port>`. */
  readonly metavar: string
  /** What follows "must be" where a value is wrong. */
  readonly allowed: string
  /** One or two sentences with units. */
  readonly doc: string
  /** The default in words where it is no value of its own. */
  readonly defaultDoc: string | undefined
  readonly commands: ReadonlyArray<CommandName>
  /** Everywhere, except where reading it there makes no sense. */
  readonly from: "everywhere" | "flags and environment" | "flags" | "file"
  /**
   * As Core's network-only options: in a file it is for mainnet unless it stands in the section of another network, so that one network
   * does not take over another's addresses and ports.
   */
  readonly perNetwork: boolean
}

/** A row with the Schema of its value. */
export interface OptionRow<A> extends OptionFacts {
  readonly value: Value<A>
  /** The text that it has where nobody gives one. */
  readonly default: string | undefined
}

type Given<A> = Pick<OptionRow<A>, "name" | "value" | "metavar" | "allowed" | "doc" | "commands"> &
  Partial<Pick<OptionRow<A>, "aliases" | "completes" | "from" | "perNetwork" | "bare" | "negatable" | "isSecret">>

/** The row that a setting of this type needs: one that can be `undefined` has no default, any other single one has. */
type RowOf<A> = [A] extends [ReadonlyArray<infer Item>]
  ? OptionRow<Item>
  : undefined extends A
    ? OptionRow<Exclude<A, undefined>>
    : OptionRow<A> & { readonly default: string }

/** A row for each of these settings. */
export type RowsOf<Settings> = { readonly [Name in keyof Settings]: RowOf<Settings[Name]> }

export const NODE: ReadonlyArray<CommandName> = ["node"]
/** The node, and who looks whether it could run. */
export const RUNNERS: ReadonlyArray<CommandName> = ["node", "doctor"]
/** Whoever talks to others. */
export const TALKERS: ReadonlyArray<CommandName> = ["node", "peer", "crawl", "doctor"]
/** Whoever belongs to one network and one data directory. */
export const EVERYBODY: ReadonlyArray<CommandName> = [...TALKERS, ...HEADERS_COMMANDS, "rpc", "events", "replay"]
/** Whoever asks a running node. */
export const ASKERS: ReadonlyArray<CommandName> = ["rpc", "events"]
/** The node, which answers over HTTP, and the commands that ask it. */
export const RPC_ENDS: ReadonlyArray<CommandName> = ["node", ...ASKERS]

const REST = {
  aliases: [],
  completes: "nothing",
  from: "everywhere",
  bare: undefined,
  negatable: false,
  isSecret: false,
  perNetwork: false,
  default: undefined,
  defaultDoc: undefined
} as const

/** One value, with a default of its own. */
export const one = <A>(row: Given<A> & { readonly default: string }): OptionRow<A> & { readonly default: string } => ({
  ...REST,
  kind: "one",
  ...row
})

/** One value or none; what none means is said in words. */
export const oneOrNone = <A>(row: Given<A> & { readonly defaultDoc: string }): OptionRow<A> => ({
  ...REST,
  kind: "one",
  ...row
})

/** On, off, or not said. */
export const onOff = <A>(
  row: Omit<Given<A>, "allowed" | "metavar"> & { readonly defaultDoc: string }
): OptionRow<A> => ({
  ...REST,
  kind: "switch",
  bare: "1",
  negatable: true,
  metavar: "<0|1>",
  allowed: "0 or 1",
  ...row
})

/** Any number of values. */
export const list = <A>(row: Given<A> & { readonly defaultDoc: string }): OptionRow<A> => ({
  ...REST,
  kind: "list",
  negatable: true,
  ...row
})
