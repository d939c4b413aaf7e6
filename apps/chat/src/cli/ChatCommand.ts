/** The command line. */
import { complaintOf, presenterOf, runWith } from "@satwire/command-line"
import type * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { VERSION } from "../Version.ts"

/** As they were given; what is allowed is judged in `Settings.ts`. */
export interface Flags {
  readonly name: Option.Option<string>
  readonly room: string
  readonly connect: ReadonlyArray<string>
  readonly relay: ReadonlyArray<string>
  readonly listen: ReadonlyArray<string>
  readonly web: Option.Option<string>
  readonly data: Option.Option<string>
  readonly ephemeral: boolean
  readonly serveRelay: boolean
  readonly noMdns: boolean
}

const many = (name: string, metavar: string, doc: string) =>
  Flag.atLeast(Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(doc)), 0)

const onOff = (name: string, doc: string) => Flag.Boolean(name).pipe(Flag.withDescription(doc), Flag.withDefault(false))

const FLAGS = {
  name: Flag.optional(
    Flag.String("name").pipe(
      Flag.withMetavar("<name>"),
      Flag.withDescription("How others see you (default: your name on this machine)")
    )
  ),
  room: Flag.String("room").pipe(
    Flag.withMetavar("<room>"),
    Flag.withDescription("The room to begin in (default: lobby)"),
    Flag.withDefault("lobby")
  ),
  connect: many("connect", "<multiaddr>", "Somebody who is not on this LAN; may be given several times"),
  relay: many("relay", "<multiaddr>", "A chat by which others reach you where they cannot dial you; several"),
  listen: many("listen", "<multiaddr>", "Where others reach you (default: any free port of all addresses)"),
  web: Flag.optional(
    Flag.String("web").pipe(
      Flag.withMetavar("<address:port>"),
      Flag.withDescription("Serves the chat as a page, such as on 127.0.0.1:8420; port 0 takes a free one")
    )
  ),
  data: Flag.optional(
    Flag.String("data").pipe(
      Flag.withMetavar("<folder>"),
      Flag.withDescription("Where your key is kept (default: .satwire-chat in your home)")
    )
  ),
  ephemeral: onOff("ephemeral", "Takes a key for this once, and keeps nothing"),
  serveRelay: onOff("serve-relay", "Lets others be reached through you"),
  noMdns: onOff("no-mdns", "Looks for nobody on this LAN, and is not found there")
}

const DESCRIPTION = [
  "A chat from peer to peer: rooms, names, history, and no server.",
  "Two who start it on one LAN find each other. Type /help in it for what it understands."
].join("\n")

const EXAMPLES = [
  { command: "satwire-chat --name Ann", description: "with whoever is on this LAN" },
  { command: "satwire-chat --web 127.0.0.1:8420", description: "the same, in the browser, too" }
]

/** How every error of this program is printed. */
export const complaint: (sentence: string) => string = complaintOf("satwire-chat")

const presenter = presenterOf({ complaint, sentenceOf: ({ message }) => `${message} (see --help)` })

/** Runs a command line: `run` where it asks for a chat. */
export const runCommandLine = <E, R>(
  argv: ReadonlyArray<string>,
  run: (flags: Flags) => Effect.Effect<void, E, R>
): Effect.Effect<void, CliError.CliError | E, Command.Environment | R> => {
  const command = Command.make("satwire-chat", FLAGS, run).pipe(
    Command.withDescription(DESCRIPTION),
    Command.withExamples(EXAMPLES)
  )
  return runWith(command, { argv, version: VERSION, presenter })
}
