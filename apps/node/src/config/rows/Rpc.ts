/** Who may ask the node by JSON-RPC, where, and how. */
import type { Subnet } from "@satwire/connections"
import { NODE, RUNNERS, RPC_ENDS, type RowsOf, list, one, oneOrNone, onOff } from "../OptionRow.ts"
import {
  type HostPort,
  type NetworkName,
  type RpcAuth,
  type RpcWhitelist,
  local,
  oneOf,
  path,
  rpcAuth,
  rpcWhitelist,
  seconds,
  secret,
  subnet,
  trueOrFalse,
  wholeNumber
} from "../Values.ts"

/** Who may read the cookie. */
export const COOKIE_READERS = ["owner", "group", "all"] as const
export type CookieReaders = (typeof COOKIE_READERS)[number]

/** Core's ports for JSON-RPC (chainparamsbase.cpp). */
export const RPC_PORTS: { readonly [Name in NetworkName]: number } = {
  mainnet: 8332,
  testnet3: 18_332,
  testnet4: 48_332,
  signet: 38_332,
  regtest: 18_443
}

export interface RpcSettings {
  readonly server: boolean | undefined
  readonly dashboard: boolean | undefined
  readonly rpcbind: ReadonlyArray<HostPort>
  readonly rpcport: number | undefined
  readonly rpcallowip: ReadonlyArray<Subnet>
  readonly rpcuser: string | undefined
  readonly rpcpassword: string | undefined
  readonly rpcauth: ReadonlyArray<RpcAuth>
  readonly rpccookiefile: string
  readonly rpccookieperms: CookieReaders
  readonly rpcwhitelist: ReadonlyArray<RpcWhitelist>
  readonly rpcwhitelistdefault: boolean | undefined
  readonly rpcthreads: number
  readonly rpcworkqueue: number
  readonly rpcservertimeout: number
  readonly bantime: number
}

export const rpcRows: RowsOf<RpcSettings> = {
  server: onOff({
    name: "server",
    value: trueOrFalse,
    doc: "Whether it answers JSON-RPC.",
    defaultDoc: "1",
    commands: RUNNERS
  }),
  dashboard: onOff({
    name: "dashboard",
    value: trueOrFalse,
    doc: "Whether it serves a page about itself at /dashboard, where it answers JSON-RPC, and with no password: it only tells. `satwire playground` serves it on a port of its own, which it prints.",
    defaultDoc: "1",
    commands: ["node", "playground"]
  }),
  rpcbind: list({
    name: "rpcbind",
    value: local,
    metavar: "<address[:port]>",
    allowed: "an address of this machine, with a port from 0 to 65535 or without one",
    doc: "Answers JSON-RPC on this address, but only together with --rpcallowip; may be given several times. It is not for the Internet: nothing is encrypted.",
    defaultDoc: "127.0.0.1 and ::1",
    perNetwork: true,
    commands: NODE
  }),
  rpcport: oneOrNone({
    name: "rpcport",
    value: wholeNumber(0, 65_535),
    metavar: "<number>",
    allowed: "a whole number from 0 to 65535",
    doc: "The TCP port of JSON-RPC, where --rpcbind names none.",
    defaultDoc: "the network's: 8332, 18332, 48332, 38332, 18443",
    perNetwork: true,
    commands: [...RPC_ENDS, "doctor"]
  }),
  rpcallowip: list({
    name: "rpcallowip",
    value: subnet,
    metavar: "<subnet>",
    allowed: "an address, or a subnet such as 192.168.0.0/24 or 192.168.0.0/255.255.255.0",
    doc: "Who else than this machine may ask by JSON-RPC; may be given several times.",
    defaultDoc: "this machine alone",
    commands: NODE
  }),
  rpcuser: oneOrNone({
    name: "rpcuser",
    value: secret,
    metavar: "<name>",
    allowed: "a name without a colon",
    doc: "The name that goes with --rpcpassword.",
    defaultDoc: "none",
    commands: RPC_ENDS
  }),
  rpcpassword: oneOrNone({
    name: "rpcpassword",
    value: secret,
    metavar: "<password>",
    allowed: "a password that is not empty",
    doc: "A password for JSON-RPC, instead of the cookie. Whoever sees the command line sees it: --rpcauth is better.",
    defaultDoc: "none",
    isSecret: true,
    commands: RPC_ENDS
  }),
  rpcauth: list({
    name: "rpcauth",
    value: rpcAuth,
    metavar: "<name:salt$hash>",
    allowed: "a name, a colon, a salt, $ and 64 hexadecimal digits, as Core's rpcauth.py prints them",
    doc: "A name and a hashed password for JSON-RPC; may be given several times.",
    defaultDoc: "none",
    isSecret: true,
    commands: NODE
  }),
  rpccookiefile: one({
    name: "rpccookiefile",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "Where the password of this start lies for programs of this machine; a relative path starts at the network's data directory. 0 makes none.",
    default: ".cookie",
    negatable: true,
    commands: RPC_ENDS
  }),
  rpccookieperms: one({
    name: "rpccookieperms",
    value: oneOf(COOKIE_READERS),
    completes: COOKIE_READERS,
    metavar: "<who>",
    allowed: `one of ${COOKIE_READERS.join(", ")}`,
    doc: "Who may read that file: owner, group or all.",
    default: "owner",
    commands: NODE
  }),
  rpcwhitelist: list({
    name: "rpcwhitelist",
    value: rpcWhitelist,
    metavar: "<name:methods>",
    allowed: "a name, a colon, and methods with commas between them or none",
    doc: "The only methods that this name may call; what stands in several such lines alone may be called.",
    defaultDoc: "all",
    commands: NODE
  }),
  rpcwhitelistdefault: onOff({
    name: "rpcwhitelistdefault",
    value: trueOrFalse,
    doc: "Whether a name for which there is no --rpcwhitelist may call nothing.",
    defaultDoc: "1 where there is any --rpcwhitelist, else 0",
    commands: NODE
  }),
  rpcthreads: one({
    name: "rpcthreads",
    value: wholeNumber(1, 1024),
    metavar: "<number>",
    allowed: "a whole number from 1 to 1024",
    doc: "How many requests are worked at together.",
    default: "16",
    commands: NODE
  }),
  rpcworkqueue: one({
    name: "rpcworkqueue",
    value: wholeNumber(1, 1_000_000),
    metavar: "<number>",
    allowed: "a whole number from 1 to 1000000",
    doc: "How many more may wait; beyond that they are refused.",
    default: "64",
    commands: NODE
  }),
  rpcservertimeout: one({
    name: "rpcservertimeout",
    value: seconds(1, 999_999_999),
    metavar: "<seconds>",
    allowed: "a number of seconds from 1 to 999999999",
    doc: "How long a connection of JSON-RPC may be silent, in seconds.",
    default: "30",
    commands: NODE
  }),
  bantime: one({
    name: "bantime",
    value: wholeNumber(1, 999_999_999),
    metavar: "<seconds>",
    allowed: "a whole number of seconds from 1 on",
    doc: "How long `setban` bans where it does not say, in seconds.",
    default: "86400",
    commands: NODE
  })
}
