/** The commands of `satwire`. What a command does is loaded when it is given, so that `--help` and `--version` are quick. */
import * as Argument from "effect/cli/Argument"
import * as CliConfig from "effect/cli/CliConfig"
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { VERSION } from "../Version.ts"
import type { PlaygroundError } from "../playground/Playground.ts"
import type { RunCrawlError } from "../crawl/RunCrawl.ts"
import type { Unwell } from "../doctor/RunDoctor.ts"
import type { RunHeadersError } from "../headers/RunHeaders.ts"
import type { RunNodeError } from "../node/RunNode.ts"
import type { RunPeerError } from "../peer/RunPeer.ts"
import type { RunEventsError } from "../events/RunEvents.ts"
import type { RunRpcError } from "../rpc/RunRpc.ts"
import type { RunReplayError } from "../replay/RunReplay.ts"
import { completionsOf, flagsOf, sharedFlags } from "./Flags.ts"
import { presenter } from "./Presenter.ts"

/** The flags of a node, and those that its commands share with it. */
const options = Command.make("satwire", { own: flagsOf("node") }).pipe(
  Command.withSharedFlags({ shared: sharedFlags() })
)

const TARGET = "The peer's address or name; without a port, the network's own."

const node = options.pipe(
  Command.withHandler(({ own, shared }) =>
    Effect.flatMap(
      Effect.promise(() => import("../node/RunNode.ts")),
      ({ runNode }) => runNode({ ...own, ...shared })
    )
  ),
  Command.withDescription(
    [
      "Satwire, a Bitcoin node in TypeScript.",
      "Without a command it runs a node, on mainnet unless told otherwise, that finds peers, or keeps to those given by --connect, and follows their headers. It validates every rule about headers, and fetches blocks with --fetchblocks, which it checks as far as that needs no coins; scripts and coins it does not look at yet, so it offers and relays none on a public network. Ctrl-C ends it; what it has learned is kept in the data directory, ~/.satwire."
    ].join("\n")
  ),
  Command.withExamples([
    { command: "satwire --connect=203.0.113.5", description: "follows mainnet's headers from this node" },
    { command: "satwire -regtest -bind=127.0.0.1", description: "a node of your own private network" },
    { command: "satwire peer 203.0.113.5:8333", description: "asks one node who it is" },
    { command: "satwire playground", description: "a network in this terminal, to look at" },
    { command: "satwire --completions bash", description: "the completions for your shell" }
  ])
)

const peer = Command.make(
  "peer",
  { target: Argument.String("host:port").pipe(Argument.withDescription(TARGET)), own: flagsOf("peer") },
  Effect.fnUntraced(function* ({ target, own }) {
    const { shared } = yield* options
    const { runPeer } = yield* Effect.promise(() => import("../peer/RunPeer.ts"))
    yield* runPeer(target, { ...own, ...shared })
  })
).pipe(
  Command.withDescription(
    "Shakes hands with one peer and prints what it says of itself: version, user agent, services, height, features, clock and ping."
  ),
  Command.withExamples([
    { command: "satwire peer 203.0.113.5", description: "a node of mainnet, on its usual port" },
    { command: "satwire peer -regtest 127.0.0.1:18444 --json", description: "one of regtest, for a script" }
  ])
)

const START =
  "Where to begin; without any, at the network's DNS seeds, or at the nodes behind their names where there is a proxy."

const crawl = Command.make(
  "crawl",
  {
    start: Argument.String("host:port").pipe(Argument.withDescription(START), Argument.variadic({})),
    own: flagsOf("crawl")
  },
  Effect.fnUntraced(function* ({ own, start }) {
    const { shared } = yield* options
    const { runCrawl } = yield* Effect.promise(() => import("../crawl/RunCrawl.ts"))
    yield* runCrawl(start, { ...own, ...shared })
  })
).pipe(
  Command.withDescription(
    "Visits nodes, asks each once for the addresses that it knows, and follows them; one JSON object for each node that answers. It lets each network rest for a second between two visits, and ends when nobody is left, when the time is over, or with Ctrl-C."
  ),
  Command.withExamples([
    {
      command: "satwire crawl -seconds=600 -out=seeds.jsonl",
      description: "ten minutes of mainnet, into a seeds file"
    },
    { command: "satwire crawl -regtest 127.0.0.1:18444", description: "a network of your own" }
  ])
)

const headersExport = Command.make(
  "export",
  {
    file: Argument.Path("file", { pathType: "either" }).pipe(
      Argument.withDescription("Where the headers go; it must not be there yet.")
    ),
    own: flagsOf("headers export")
  },
  Effect.fnUntraced(function* ({ file, own }) {
    const { shared } = yield* options
    const { runExport } = yield* Effect.promise(() => import("../headers/RunHeaders.ts"))
    yield* runExport(file, { ...own, ...shared })
  })
).pipe(
  Command.withDescription(
    "Writes the headers of the best chain into a file: 80 bytes each, one after another, from genesis to the tip, and nothing else. The file takes its name when it is whole."
  ),
  Command.withExamples([
    { command: "satwire headers export headers.bin", description: "those of mainnet" },
    { command: "satwire headers export -signet --force headers.bin", description: "in place of a file that is there" }
  ])
)

const headersImport = Command.make(
  "import",
  {
    file: Argument.Path("file", { pathType: "either" }).pipe(
      Argument.withDescription("Where the headers are, from genesis on.")
    ),
    own: flagsOf("headers import")
  },
  Effect.fnUntraced(function* ({ file, own }) {
    const { shared } = yield* options
    const { runImport } = yield* Effect.promise(() => import("../headers/RunHeaders.ts"))
    yield* runImport(file, { ...own, ...shared })
  })
).pipe(
  Command.withDescription(
    "Takes the headers of a file into the data directory, after each has passed every rule from genesis on. What is there already is passed over. At the first header that breaks a rule it ends, and says which that is; what stands before it is kept."
  ),
  Command.withExamples([
    {
      command: "satwire headers import headers.bin",
      description: "before the first start, so that little is to be fetched"
    },
    {
      command: "satwire headers import -datadir=/data headers.bin",
      description: "for a node that keeps its data there"
    }
  ])
)

const headersSkeleton = Command.make(
  "skeleton",
  {
    file: Argument.Path("file", { pathType: "either" }).pipe(
      Argument.withDescription("Where the heights and hashes go; it must not be there yet.")
    ),
    own: flagsOf("headers skeleton")
  },
  Effect.fnUntraced(function* ({ file, own }) {
    const { shared } = yield* options
    const { runSkeleton } = yield* Effect.promise(() => import("../headers/RunHeaders.ts"))
    yield* runSkeleton(file, { ...own, ...shared })
  })
).pipe(
  Command.withDescription(
    "Writes height and hash of every 2,000th header of the best chain, and of its tip, into a file: along it a fresh node fetches its headers from all peers at once (-headerskeleton). Nobody has to trust it."
  ),
  Command.withExamples([
    { command: "satwire headers skeleton skeleton.txt", description: "that of mainnet, some 35 kB" },
    { command: "satwire -headerskeleton=skeleton.txt", description: "what it is for" }
  ])
)

/** What deals with headers in files. Another such command is one more here, in `COMMANDS` and in `HEADERS_COMMANDS`. */
const headers = Command.make("headers").pipe(
  Command.withDescription(
    "Brings headers from a file and takes them to one, while no node runs on the data directory."
  ),
  Command.withSubcommands([headersExport, headersImport, headersSkeleton])
)

const rpc = Command.make(
  "rpc",
  {
    method: Argument.String("method").pipe(Argument.withDescription("What is called; help lists all of them.")),
    params: Argument.String("argument").pipe(
      Argument.withDescription("Its arguments: texts, numbers, or JSON."),
      Argument.variadic({})
    ),
    own: flagsOf("rpc")
  },
  Effect.fnUntraced(function* ({ method, params, own }) {
    const { shared } = yield* options
    const { runRpc } = yield* Effect.promise(() => import("../rpc/RunRpc.ts"))
    yield* runRpc(method, params, { ...own, ...shared })
  })
).pipe(
  Command.withDescription(
    "Calls a method of a running node by JSON-RPC, as bitcoin-cli does: a Satwire node of this machine unless told otherwise, or Bitcoin Core. Options stand before the method; what follows it is its arguments. It prints the result; an error ends it with the error's code."
  ),
  Command.withExamples([
    { command: "satwire rpc help", description: "all methods" },
    { command: "satwire rpc -regtest getblockhash 0", description: "a method of the node of regtest" },
    { command: "satwire rpc -named getblockhash height=0", description: "the same by name, of mainnet" },
    { command: "satwire rpc -datadir=~/.bitcoin uptime", description: "asks Bitcoin Core" }
  ])
)

const events = Command.make(
  "events",
  {
    topics: Argument.String("topic").pipe(
      Argument.withDescription(
        "Of peer, message, tip, block, transaction and misbehaviour; without any, all but message."
      ),
      Argument.variadic({})
    ),
    own: flagsOf("events")
  },
  Effect.fnUntraced(function* ({ own, topics }) {
    const { shared } = yield* options
    const { runEvents } = yield* Effect.promise(() => import("../events/RunEvents.ts"))
    yield* runEvents(topics, { ...own, ...shared })
  })
).pipe(
  Command.withDescription(
    "Prints what happens in a running node, one JSON object a line: peers that come and go, messages, tips, blocks, transactions, misbehaviour. Where more happens than is read, a line says how much was lost. It ends with the node, or with Ctrl-C."
  ),
  Command.withExamples([
    { command: "satwire events", description: "all but messages" },
    { command: "satwire events -regtest tip block", description: "of a node of regtest" },
    { command: "satwire events message --decode", description: "messages, and what they say" }
  ])
)

const doctor = Command.make(
  "doctor",
  { own: flagsOf("doctor") },
  Effect.fnUntraced(function* ({ own }) {
    const { shared } = yield* options
    const { runDoctor } = yield* Effect.promise(() => import("../doctor/RunDoctor.ts"))
    yield* runDoctor({ ...own, ...shared })
  })
).pipe(
  Command.withDescription(
    "Looks at what a node needs: disk, ports, DNS seeds, reachability, handshakes with a few nodes, headers, the clock. Each line says how it is, and what to do where it is not well; docs/troubleshooting.md says more. It ends with exit code 1 where there is a problem."
  ),
  Command.withExamples([
    { command: "satwire doctor", description: "for mainnet" },
    { command: "satwire doctor -regtest -connect=127.0.0.1:18444", description: "for a network of your own" }
  ])
)

const CAPTURE =
  "What was captured: files, folders of peers or a folder of those; without any, message_capture in the data directory."

const replay = Command.make(
  "replay",
  {
    captures: Argument.Path("capture", { pathType: "either" }).pipe(
      Argument.withDescription(CAPTURE),
      Argument.variadic({})
    ),
    own: flagsOf("replay")
  },
  Effect.fnUntraced(function* ({ captures, own }) {
    const { shared } = yield* options
    const { runReplay } = yield* Effect.promise(() => import("../replay/RunReplay.ts"))
    yield* runReplay(captures, { ...own, ...shared })
  })
).pipe(
  Command.withDescription(
    "Feeds messages that -capturemessages of this program or of Bitcoin Core kept through the core of a node, without a network and on the clock of the capture, and prints what came of it: a line for each event, and at the end how many messages there were and where the chain ends."
  ),
  Command.withExamples([
    { command: "satwire -regtest -capturemessages", description: "a node whose messages are kept" },
    { command: "satwire replay -regtest --messages", description: "what it heard, again" },
    { command: "satwire replay --headers=headers.bin message_capture", description: "a capture of mainnet" }
  ])
)

const playground = Command.make(
  "playground",
  { own: flagsOf("playground") },
  Effect.fnUntraced(function* ({ own }) {
    const { shared } = yield* options
    const { startPlayground } = yield* Effect.promise(() => import("../playground/StartPlayground.ts"))
    yield* startPlayground({ ...own, ...shared })
  })
).pipe(
  Command.withDescription(
    "A private regtest network in this process, on loopback: transactions are made and relayed, blocks of them move in short, and you watch. It needs no Internet and keeps nothing."
  ),
  Command.withExamples([
    { command: "satwire playground", description: "until Ctrl-C" },
    { command: "satwire playground --blocks=10 --interval=1", description: "ten blocks, one a second" }
  ])
)

const satwire = node.pipe(Command.withSubcommands([peer, crawl, headers, rpc, events, doctor, replay, playground]))

/** `--completions <shell>`, with what the table of options knows beyond the parser. */
const completions: GlobalFlag.Action<Option.Option<Completions.Shell>> = GlobalFlag.Action({
  flag: Flag.withMetavar(GlobalFlag.Completions.flag, "<shell>"),
  run: (shell, { command }) =>
    Option.isNone(shell)
      ? Effect.void
      : Console.log(Completions.generate(command.name, shell.value, completionsOf(Completions.fromCommand(command))))
})

const settings = Layer.mergeAll(
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, completions] }),
  CliOutput.layerPresenter(presenter)
)

/** Why a command failed. */
export type CommandError =
  | Unwell
  | RunNodeError
  | RunPeerError
  | RunCrawlError
  | RunHeadersError
  | RunRpcError
  | RunEventsError
  | RunReplayError
  | PlaygroundError

/** Runs a command line. */
export const runCommand = (
  argv: ReadonlyArray<string>
): Effect.Effect<void, CliError.CliError | CommandError, Command.Environment> =>
  Effect.provide(Command.runWith(satwire, { version: VERSION })(argv), settings)
