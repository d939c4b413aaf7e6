/**
 * Every option, once. Flags, environment variables, the configuration file, `--help`, completions and the README's table are made from
 * these rows; a new option is a field of {@link Settings} and a row of {@link OPTIONS}.
 *
 * Specification: a value is looked for among the flags, then in the environment (`SATWIRE_` and the name in capitals), then in the
 * configuration file, and the first place that has the option wins whole, also for options that may be given several times.
 *
 * Rationale: one rule that a person can keep in mind. Bitcoin Core adds up the lists of the command line and the file; here a
 * `-connect` on the command line means those addresses and no others. An option that Core has bears Core's name and takes Core's values.
 */
import type { PermissionRule } from "@satwire/connections"
import { DEFAULT_SAM_PORT } from "@satwire/transport-i2p"
import { DEFAULT_PROXY_PORT } from "@satwire/transport-socks5"
import { type CommandName, HEADERS_COMMANDS, type OptionRow, list, one, oneOrNone, onOff } from "./OptionRow.ts"
import {
  type Beginning,
  type HostPort,
  NET_NAMES,
  NETWORK_CHOICES,
  type NetName,
  NETWORK_NAMES,
  type NetworkName,
  type Through,
  addressText,
  beginning,
  local,
  netName,
  network,
  ownAddress,
  path,
  permissionRule,
  pruneTarget,
  remote,
  seconds,
  through,
  trueOrFalse,
  userAgentComment,
  wholeNumber,
  work
} from "./Values.ts"

/** The values of all options. What has no default is `undefined` until somebody gives it. */
export interface Settings {
  readonly network: NetworkName | undefined
  readonly regtest: boolean | undefined
  readonly signet: boolean | undefined
  readonly testnet: boolean | undefined
  readonly testnet4: boolean | undefined
  readonly datadir: string
  readonly conf: string
  readonly connect: ReadonlyArray<HostPort>
  readonly addnode: ReadonlyArray<HostPort>
  readonly seednode: ReadonlyArray<HostPort>
  readonly dnsseed: boolean | undefined
  readonly forcednsseed: boolean | undefined
  readonly seedsfile: string | undefined
  readonly headerskeleton: string | undefined
  readonly trustedheaders: string | undefined
  readonly fetchblocks: boolean | undefined
  readonly blocksfrom: Beginning | undefined
  readonly blocksto: number | undefined
  readonly blocksfor: ReadonlyArray<string>
  readonly prune: number
  readonly blocksonly: boolean | undefined
  readonly maxmempool: number
  readonly onlynet: ReadonlyArray<NetName>
  readonly cjdnsreachable: boolean | undefined
  readonly externalip: ReadonlyArray<HostPort>
  readonly discover: boolean | undefined
  readonly whitelist: ReadonlyArray<PermissionRule>
  readonly asmap: string | undefined
  readonly listen: boolean | undefined
  readonly bind: HostPort | undefined
  readonly port: number | undefined
  readonly maxconnections: number
  readonly v2transport: boolean | undefined
  readonly proxy: Through | undefined
  readonly onion: Through | undefined
  readonly i2psam: Through | undefined
  readonly proxyrandomize: boolean | undefined
  readonly timeout: number
  readonly uacomment: ReadonlyArray<string>
  readonly minimumchainwork: bigint | undefined
  readonly json: boolean | undefined
  readonly connections: number
  readonly seconds: number
  readonly out: string | undefined
  readonly force: boolean | undefined
  readonly blocks: number | undefined
  readonly interval: number
}

export type OptionName = keyof Settings

/** The row that a setting of this type needs: one that can be `undefined` has no default, any other single one has. */
type RowOf<A> = [A] extends [ReadonlyArray<infer Item>]
  ? OptionRow<Item>
  : undefined extends A
    ? OptionRow<Exclude<A, undefined>>
    : OptionRow<A> & { readonly default: string }

const NODE: ReadonlyArray<CommandName> = ["node"]
/** Whoever talks to others. */
const TALKERS: ReadonlyArray<CommandName> = ["node", "peer", "crawl"]
/** Whoever belongs to one network and one data directory. */
const EVERYBODY: ReadonlyArray<CommandName> = [...TALKERS, ...HEADERS_COMMANDS]
const THROUGH = "<host[:port]>"
const THROUGH_ALLOWED = "host, host:port, [IPv6 address]:port or unix:path, or 0 for none"
const REMOTE_ALLOWED = "host, host:port or [IPv6 address]:port, with a port from 1 to 65535"
const CRAWL: ReadonlyArray<CommandName> = ["crawl"]
const PLAYGROUND: ReadonlyArray<CommandName> = ["playground"]

/** Core's shorthands for `-chain`. */
const shorthand = (name: string, doc: string, aliases: ReadonlyArray<string> = []): OptionRow<boolean> =>
  onOff({ name, aliases, value: trueOrFalse, doc, defaultDoc: "off", commands: EVERYBODY })

export const OPTIONS: { readonly [Name in OptionName]: RowOf<Settings[Name]> } = {
  network: oneOrNone({
    name: "network",
    aliases: ["chain"],
    value: network,
    completes: NETWORK_CHOICES,
    metavar: "<name>",
    allowed: `one of ${NETWORK_NAMES.join(", ")} (main and test, Core's names, mean the first two)`,
    doc: `The network: ${NETWORK_NAMES.join(", ")}.`,
    defaultDoc: "mainnet",
    commands: EVERYBODY
  }),
  regtest: shorthand("regtest", "The same as --network=regtest: a private network where anybody mines."),
  signet: shorthand("signet", "The same as --network=signet."),
  testnet: shorthand("testnet", "The same as --network=testnet3.", ["testnet3"]),
  testnet4: shorthand("testnet4", "The same as --network=testnet4."),
  datadir: one({
    name: "datadir",
    value: path,
    completes: "directory",
    metavar: "<directory>",
    allowed: "a directory",
    doc: "Where everything is kept; other networks than mainnet have a folder of their own in it, as in Core's.",
    default: "~/.satwire",
    commands: EVERYBODY
  }),
  conf: one({
    name: "conf",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "The configuration file; a relative path starts at the data directory.",
    default: "satwire.conf",
    from: "flags and environment",
    commands: EVERYBODY
  }),
  connect: list({
    name: "connect",
    value: remote,
    metavar: "<host:port>",
    allowed: "host, host:port or [IPv6 address]:port, with a port from 1 to 65535, or 0 for nobody",
    doc: "Keeps a connection to this peer, and finds none by itself; may be given several times. Without a port, the network's own.",
    defaultDoc: "nobody",
    perNetwork: true,
    commands: NODE
  }),
  addnode: list({
    name: "addnode",
    value: remote,
    metavar: "<host:port>",
    allowed: REMOTE_ALLOWED,
    doc: "Keeps a connection to this peer beside those that the node finds; may be given several times.",
    defaultDoc: "nobody",
    perNetwork: true,
    commands: NODE
  }),
  seednode: list({
    name: "seednode",
    value: remote,
    metavar: "<host:port>",
    allowed: REMOTE_ALLOWED,
    doc: "Asks this peer for addresses while too few are known, and leaves; may be given several times.",
    defaultDoc: "nobody",
    perNetwork: true,
    commands: NODE
  }),
  dnsseed: onOff({
    name: "dnsseed",
    value: trueOrFalse,
    doc: "Whether the network's DNS seeds are asked while too few peers are known.",
    defaultDoc: "1, but 0 with --connect, with --maxconnections=0, and without ipv4 and ipv6 in --onlynet",
    commands: NODE
  }),
  forcednsseed: onOff({
    name: "forcednsseed",
    value: trueOrFalse,
    doc: "Whether the DNS seeds are asked at each start, though peers are known.",
    defaultDoc: "0",
    commands: NODE
  }),
  seedsfile: oneOrNone({
    name: "seedsfile",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "Nodes to begin with where nothing else is known, as `satwire crawl` writes them.",
    defaultDoc: "none",
    perNetwork: true,
    commands: NODE
  }),
  headerskeleton: oneOrNone({
    name: "headerskeleton",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "Heights and hashes, as `satwire headers skeleton` writes them: headers come along them from all peers at once. A wrong file costs time, nothing else.",
    defaultDoc: "what --trustedheaders names",
    perNetwork: true,
    commands: NODE
  }),
  trustedheaders: oneOrNone({
    name: "trustedheaders",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "Heights and hashes, as in --headerskeleton, that you trust: no chain is followed that has another header there.",
    defaultDoc: "none",
    perNetwork: true,
    commands: NODE
  }),
  fetchblocks: onOff({
    name: "fetchblocks",
    value: trueOrFalse,
    doc: "Whether blocks are fetched, checked as far as that needs no coins, and kept, and not headers alone.",
    defaultDoc: "1 on regtest and where one of the next four is given, else 0",
    commands: NODE
  }),
  blocksfrom: oneOrNone({
    name: "blocksfrom",
    value: beginning,
    metavar: "<height or day>",
    allowed: "a height, or a day as 2024-04-20",
    doc: "The first block that is fetched: by its height, or those from two hours before a day (UTC) on, such as a wallet's birthday.",
    defaultDoc: "the first",
    perNetwork: true,
    commands: NODE
  }),
  blocksto: oneOrNone({
    name: "blocksto",
    value: wholeNumber(0, 999_999_999),
    metavar: "<height>",
    allowed: "a height",
    doc: "The last block that is fetched.",
    defaultDoc: "all that come",
    perNetwork: true,
    commands: NODE
  }),
  blocksfor: list({
    name: "blocksfor",
    value: addressText,
    metavar: "<address>",
    allowed: "an address of the chosen network",
    doc: "Fetches only blocks that pay to this address or spend from it, as filters of two peers or of those of --connect say (BIP-0157); may be given several times.",
    defaultDoc: "all blocks",
    perNetwork: true,
    commands: NODE
  }),
  prune: one({
    name: "prune",
    value: pruneTarget,
    metavar: "<MiB>",
    allowed: "0, or a whole number of at least 550",
    doc: "Removes old blocks when all take more than this; the last 288 stay. 0 keeps all.",
    default: "0",
    commands: NODE
  }),
  blocksonly: onOff({
    name: "blocksonly",
    value: trueOrFalse,
    doc: "Whether it does without the transactions of others. On a public network they are kept and not passed on, as nothing verifies them yet.",
    defaultDoc: "0 on regtest, else 1",
    commands: NODE
  }),
  maxmempool: one({
    name: "maxmempool",
    value: wholeNumber(5, 100_000),
    metavar: "<MB>",
    allowed: "a whole number of at least 5",
    doc: "Transactions that wait for a block take at most so many millions of bytes of memory.",
    default: "300",
    commands: NODE
  }),
  onlynet: list({
    name: "onlynet",
    value: netName,
    completes: NET_NAMES,
    metavar: "<net>",
    allowed: `one of ${NET_NAMES.join(", ")}`,
    doc: "Finds peers on this network alone; may be given several times. It does not touch --connect and --addnode.",
    defaultDoc: "every network that can be reached",
    commands: NODE
  }),
  cjdnsreachable: onOff({
    name: "cjdnsreachable",
    value: trueOrFalse,
    doc: "Whether this machine is on CJDNS, so that addresses in fc00::/8 are CJDNS's.",
    defaultDoc: "0",
    commands: NODE
  }),
  externalip: list({
    name: "externalip",
    value: ownAddress,
    metavar: "<address[:port]>",
    allowed: "an IP, onion or I2P address, with a port or without one",
    doc: "Where others can reach this node, to be told to peers; may be given several times.",
    defaultDoc: "what interfaces and peers say",
    commands: NODE
  }),
  discover: onOff({
    name: "discover",
    value: trueOrFalse,
    doc: "Whether what interfaces and peers say of this node's address counts.",
    defaultDoc: "1 where it listens, without --externalip and --proxy",
    commands: NODE
  }),
  whitelist: list({
    name: "whitelist",
    value: permissionRule,
    metavar: "<[permissions@]subnet>",
    allowed:
      "an address or subnet, with some of bloomfilter, relay, forcerelay, noban, mempool, download, addr, all and @ before it or without",
    doc: "Lets peers from there do what others may not, such as noban@192.168.0.0/16; may be given several times.",
    defaultDoc: "nobody",
    commands: NODE
  }),
  asmap: oneOrNone({
    name: "asmap",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "A map of addresses to autonomous systems in Core's format, by which peers are spread instead of by /16.",
    defaultDoc: "none",
    commands: NODE
  }),
  listen: onOff({
    name: "listen",
    value: trueOrFalse,
    doc: "Whether other nodes can connect to this one.",
    defaultDoc: "1, but 0 with --connect or --proxy and without --bind",
    commands: NODE
  }),
  bind: oneOrNone({
    name: "bind",
    value: local,
    metavar: "<address[:port]>",
    allowed: "an address of this machine, with a port from 0 to 65535 or without one",
    doc: "Listens on this address only. Port 0 takes a free one, which the log names.",
    defaultDoc: "every address of this machine",
    perNetwork: true,
    commands: NODE
  }),
  port: oneOrNone({
    name: "port",
    value: wholeNumber(0, 65_535),
    metavar: "<number>",
    allowed: "a whole number from 0 to 65535",
    doc: "The TCP port to listen on, where --bind names none.",
    defaultDoc: "the network's: 8333, 18333, 48333, 38333, 18444",
    perNetwork: true,
    commands: NODE
  }),
  maxconnections: one({
    name: "maxconnections",
    value: wholeNumber(0, 10_000),
    metavar: "<number>",
    allowed: "a whole number from 0 to 10000",
    doc: "Connections at most; 11 of them are kept for outbound ones.",
    default: "125",
    commands: NODE
  }),
  v2transport: onOff({
    name: "v2transport",
    value: trueOrFalse,
    doc: "Whether the encrypted transport is spoken with those who know it (BIP-0324).",
    defaultDoc: "1",
    commands: NODE
  }),
  proxy: oneOrNone({
    name: "proxy",
    value: through(DEFAULT_PROXY_PORT),
    metavar: THROUGH,
    allowed: THROUGH_ALLOWED,
    doc: "Connects through this SOCKS5 proxy, and leaves names to it; local and private addresses are reached directly.",
    defaultDoc: "none",
    commands: TALKERS
  }),
  onion: oneOrNone({
    name: "onion",
    value: through(DEFAULT_PROXY_PORT),
    metavar: THROUGH,
    allowed: THROUGH_ALLOWED,
    doc: "Connects to onion services through this SOCKS5 proxy, Tor's.",
    defaultDoc: "--proxy",
    commands: TALKERS
  }),
  i2psam: oneOrNone({
    name: "i2psam",
    value: through(DEFAULT_SAM_PORT),
    metavar: THROUGH,
    allowed: THROUGH_ALLOWED,
    doc: "Connects to I2P by the SAM bridge of this router, under another name at each start.",
    defaultDoc: "none",
    commands: TALKERS
  }),
  proxyrandomize: onOff({
    name: "proxyrandomize",
    value: trueOrFalse,
    doc: "Whether each connection through a proxy has credentials of its own, by which Tor takes another circuit.",
    defaultDoc: "1",
    commands: TALKERS
  }),
  timeout: one({
    name: "timeout",
    value: wholeNumber(1, 600_000),
    metavar: "<milliseconds>",
    allowed: "a whole number of milliseconds from 1 to 600000",
    doc: "How long one attempt to connect may take, in milliseconds; through a proxy it is always 25 s, over I2P 180.",
    default: "5000",
    commands: TALKERS
  }),
  uacomment: list({
    name: "uacomment",
    value: userAgentComment,
    metavar: "<text>",
    allowed: "1 to 200 letters, digits, spaces and characters of .,;-_?@",
    doc: "Adds a comment to the user agent that peers see; may be given several times.",
    defaultDoc: "none",
    commands: TALKERS
  }),
  minimumchainwork: oneOrNone({
    name: "minimumchainwork",
    value: work,
    metavar: "<hex>",
    allowed: "at most 64 hexadecimal digits",
    doc: "Chains with less work than this are not followed.",
    defaultDoc: "the network's, as in Core's release",
    commands: NODE
  }),
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

/** All rows in the order of the table. */
export const ROWS: ReadonlyArray<OptionRow<unknown>> = Object.values(OPTIONS)

/** The rows that choose a network without a value of their own. */
export const NETWORK_SWITCHES: ReadonlyMap<OptionName, NetworkName> = new Map([
  ["regtest", "regtest"],
  ["signet", "signet"],
  ["testnet", "testnet3"],
  ["testnet4", "testnet4"]
])

const BY_NAME: ReadonlyMap<string, OptionRow<unknown>> = new Map(
  ROWS.flatMap((row) => [row.name, ...row.aliases].map((name) => [name, row] as const))
)

/** Every name under which an option is known. */
export const optionNames = (): IterableIterator<string> => BY_NAME.keys()

export const rowNamed = (name: string): OptionRow<unknown> | undefined => BY_NAME.get(name)

/** An option's row, and whether its name was written with `no` before it. */
export interface Resolved {
  readonly row: OptionRow<unknown>
  readonly negated: boolean
}

/** What a name means: `listen`, `chain`, `nolisten`, `no-listen`. */
export const resolveName = (name: string): Resolved | undefined => {
  const row = rowNamed(name)
  if (row !== undefined) return { row, negated: false }
  const positive = /^no-?(.+)$/.exec(name)?.[1]
  const negated = positive === undefined ? undefined : rowNamed(positive)
  return negated === undefined || negated.kind === "one" ? undefined : { row: negated, negated: true }
}

/** `SATWIRE_PORT`. */
export const environmentName = (name: string): string => `SATWIRE_${name.toUpperCase()}`

/** What a row's default is, in words. */
export const defaultInWords = (row: OptionRow<unknown>): string => row.default ?? row.defaultDoc ?? "none"
