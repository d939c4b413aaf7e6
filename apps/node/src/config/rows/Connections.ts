/** Whom the node connects to, who may connect to it, and how. */
import type { PermissionRule } from "@satwire/connections"
import { DEFAULT_SAM_PORT } from "@satwire/transport-i2p"
import { DEFAULT_PROXY_PORT } from "@satwire/transport-socks5"
import { NODE, RUNNERS, type RowsOf, TALKERS, list, one, oneOrNone, onOff } from "../OptionRow.ts"
import {
  type BindPoint,
  type HostPort,
  NET_NAMES,
  type NetName,
  type Through,
  type WhiteBind,
  bindPoint,
  byteCount,
  netName,
  ownAddress,
  path,
  permissionRule,
  remote,
  seconds,
  through,
  trueOrFalse,
  userAgentComment,
  whiteBind,
  wholeNumber
} from "../Values.ts"

const THROUGH = "<host[:port]>"
const THROUGH_ALLOWED = "host, host:port, [IPv6 address]:port or unix:path, or 0 for none"
const REMOTE_ALLOWED = "host, host:port or [IPv6 address]:port, with a port from 1 to 65535"

export interface ConnectionsSettings {
  readonly connect: ReadonlyArray<HostPort>
  readonly addnode: ReadonlyArray<HostPort>
  readonly seednode: ReadonlyArray<HostPort>
  readonly dnsseed: boolean | undefined
  readonly forcednsseed: boolean | undefined
  readonly seedsfile: string | undefined
  readonly onlynet: ReadonlyArray<NetName>
  readonly cjdnsreachable: boolean | undefined
  readonly externalip: ReadonlyArray<HostPort>
  readonly discover: boolean | undefined
  readonly whitelist: ReadonlyArray<PermissionRule>
  readonly peerbloomfilters: boolean | undefined
  readonly asmap: string | undefined
  readonly listen: boolean | undefined
  readonly bind: ReadonlyArray<BindPoint>
  readonly whitebind: ReadonlyArray<WhiteBind>
  readonly port: number | undefined
  readonly maxconnections: number
  readonly maxuploadtarget: number
  readonly networkactive: boolean | undefined
  readonly v2transport: boolean | undefined
  readonly proxy: Through | undefined
  readonly onion: Through | undefined
  readonly i2psam: Through | undefined
  readonly proxyrandomize: boolean | undefined
  readonly dns: boolean | undefined
  readonly timeout: number
  readonly peertimeout: number
  readonly pinginterval: number
  readonly capturemessages: boolean | undefined
  readonly capturelimit: number
  readonly uacomment: ReadonlyArray<string>
}

export const connectionsRows: RowsOf<ConnectionsSettings> = {
  connect: list({
    name: "connect",
    value: remote,
    metavar: "<host:port>",
    allowed: "host, host:port or [IPv6 address]:port, with a port from 1 to 65535, or 0 for nobody",
    doc: "Keeps a connection to this peer, and finds none by itself; may be given several times. Without a port, the network's own.",
    defaultDoc: "nobody",
    perNetwork: true,
    commands: RUNNERS
  }),
  addnode: list({
    name: "addnode",
    value: remote,
    metavar: "<host:port>",
    allowed: REMOTE_ALLOWED,
    doc: "Keeps a connection to this peer beside those that the node finds; may be given several times.",
    defaultDoc: "nobody",
    perNetwork: true,
    commands: RUNNERS
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
      "an address or subnet, with some of bloomfilter, relay, forcerelay, noban, mempool, download, addr, all, in, out and @ before it or without",
    doc: "Lets peers from there do what others may not, such as noban@192.168.0.0/16; with out those that --connect and --addnode dial there, with in,out both. May be given several times.",
    defaultDoc: "nobody",
    commands: NODE
  }),
  peerbloomfilters: onOff({
    name: "peerbloomfilters",
    value: trueOrFalse,
    doc: "Whether light wallets may set bloom filters (BIP-0037, BIP-0111); on a public network, where nothing is offered yet, this is neither.",
    defaultDoc: "0",
    commands: NODE
  }),
  asmap: oneOrNone({
    name: "asmap",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "A map of addresses to autonomous systems in Core's format, by which peers are spread instead of by /16; a relative path starts at the network's data directory.",
    defaultDoc: "none",
    negatable: true,
    commands: NODE
  }),
  listen: onOff({
    name: "listen",
    value: trueOrFalse,
    doc: "Whether other nodes can connect to this one.",
    defaultDoc: "1, but 0 with --connect or --proxy and without --bind",
    commands: RUNNERS
  }),
  bind: list({
    name: "bind",
    value: bindPoint,
    metavar: "<address[:port][=onion]>",
    allowed: "an address of this machine, with a port from 0 to 65535 or without one, and =onion behind it or not",
    doc: "Listens on this address only; may be given several times. Port 0 takes a free one, which the log names. With =onion it is where a Tor onion service leads to, without a port to the network's + 1.",
    defaultDoc: "every address of this machine",
    perNetwork: true,
    commands: NODE
  }),
  whitebind: list({
    name: "whitebind",
    value: whiteBind,
    metavar: "<[permissions@]address[:port]>",
    allowed:
      "an address of this machine, with a port from 1 to 65535 or without one, and permissions of --whitelist and @ before it or not",
    doc: "Listens on this address too, and lets peers that come in there do what others may not; may be given several times.",
    defaultDoc: "nowhere",
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
    commands: RUNNERS
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
  maxuploadtarget: one({
    name: "maxuploadtarget",
    value: byteCount,
    metavar: "<number[unit]>",
    allowed: "a whole number, with k, m, g, t (powers of 1000) or K, M, G, T (of 1024) behind it or not",
    doc: "How much may be sent in a day, in MiB where no unit is named: beyond it no old blocks are served. 0 is no limit.",
    default: "0",
    commands: NODE
  }),
  networkactive: onOff({
    name: "networkactive",
    value: trueOrFalse,
    doc: "Whether it talks to anybody at all.",
    defaultDoc: "1",
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
    negatable: true,
    value: through(DEFAULT_PROXY_PORT),
    metavar: THROUGH,
    allowed: THROUGH_ALLOWED,
    doc: "Connects through this SOCKS5 proxy, and leaves names to it; local and private addresses are reached directly.",
    defaultDoc: "none",
    commands: TALKERS
  }),
  onion: oneOrNone({
    name: "onion",
    negatable: true,
    value: through(DEFAULT_PROXY_PORT),
    metavar: THROUGH,
    allowed: THROUGH_ALLOWED,
    doc: "Connects to onion services through this SOCKS5 proxy, Tor's.",
    defaultDoc: "--proxy",
    commands: TALKERS
  }),
  i2psam: oneOrNone({
    name: "i2psam",
    negatable: true,
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
  dns: onOff({
    name: "dns",
    value: trueOrFalse,
    doc: "Whether names in --connect, --addnode and --seednode are looked up; without, they must be addresses.",
    defaultDoc: "1",
    commands: NODE
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
  peertimeout: one({
    name: "peertimeout",
    value: seconds(1, 999_999_999),
    metavar: "<seconds>",
    allowed: "a number of seconds from 1 to 999999999",
    doc: "How long a new peer may take for its handshake, and how long after connecting none is dropped for its silence, in seconds.",
    default: "60",
    commands: NODE
  }),
  pinginterval: one({
    name: "pinginterval",
    value: seconds(1, 1200),
    metavar: "<seconds>",
    allowed: "a number of seconds from 1 to 1200",
    doc: "How long after the last ping the next one is sent, in seconds.",
    default: "120",
    commands: NODE
  }),
  capturemessages: onOff({
    name: "capturemessages",
    value: trueOrFalse,
    doc: "Keeps every message of every peer in message_capture in the network's data directory, as Core does: see satwire replay. Never for long.",
    defaultDoc: "0",
    commands: NODE
  }),
  capturelimit: one({
    name: "capturelimit",
    value: byteCount,
    metavar: "<number[unit]>",
    allowed: "a whole number, with k, m, g, t (powers of 1000) or K, M, G, T (of 1024) behind it or not",
    doc: "How much all files of --capturemessages may hold, in MiB where no unit is named; beyond it no more is captured.",
    default: "1g",
    commands: NODE
  }),
  uacomment: list({
    name: "uacomment",
    value: userAgentComment,
    metavar: "<text>",
    allowed: "1 to 200 letters, digits, spaces and characters of .,;-_?@",
    doc: "Adds a comment to the user agent that peers see; may be given several times.",
    defaultDoc: "none",
    commands: TALKERS
  })
}
