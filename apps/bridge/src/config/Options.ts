/**
 * Every option, once. Flags, environment variables, `--help` and the README's table are made from these rows; a new option is a field of
 * {@link Settings} and a row of {@link OPTIONS}.
 *
 * Specification: a value is looked for among the flags and then in the environment (`SATWIRE_BRIDGE_` and the name in capitals); the first
 * place that has the option wins whole, also for those that may be given several times.
 */
import { type Endpoint, parseEndpoint } from "@satwire/transport"
import * as IpNetwork from "effect/net/IpNetwork"
import * as Result from "effect/Result"
import { parseOrigin } from "../bridge/Origins.ts"
import { type Target, addressOf, parseTarget } from "../bridge/Targets.ts"
import * as NetAddress from "effect/net/NetAddress"

/** The values of all options. */
export interface Settings {
  readonly listen: Endpoint
  readonly allow: ReadonlyArray<Target>
  readonly origin: ReadonlyArray<string>
  readonly tlscert: string | undefined
  readonly tlskey: string | undefined
  readonly proxy: ReadonlyArray<IpNetwork.IpNetwork>
  readonly maxconnections: number
  readonly maxpersource: number
  readonly newperminute: number
  readonly rate: number
  readonly totalrate: number
  readonly maxbytes: number | undefined
  readonly connecttimeout: number
  readonly handshaketimeout: number
  readonly idletimeout: number
  readonly allowv1: boolean
  readonly json: boolean
}

export type OptionName = keyof Settings

/** What is known of one option. */
export interface OptionRow<A> {
  /** `switch` may stand without a value, which means 1; `list` may be given several times. */
  readonly kind: "switch" | "one" | "list"
  /** How its value is called in the help, such as `<host:port>`. */
  readonly metavar: string
  /** What follows "must be" where a value is wrong. */
  readonly allowed: string
  /** One or two sentences with units. */
  readonly doc: string
  /** The text that it has where nobody gives one. */
  readonly default: string | undefined
  /** The same in words, where there is no such text. */
  readonly defaultDoc: string
  /** The value of a text, or `undefined` where it is not allowed. */
  readonly parse: (text: string) => A | undefined
}

type RowOf<A> = OptionRow<A extends ReadonlyArray<infer Item> ? Item : Exclude<A, undefined>>

const within = (minimum: number, maximum: number, value: number): number | undefined =>
  value >= minimum && value <= maximum ? value : undefined

const wholeNumber =
  (minimum: number, maximum: number) =>
  (text: string): number | undefined =>
    /^\d{1,15}$/.test(text) ? within(minimum, maximum, Number(text)) : undefined

/** In fractions down to milliseconds, which it is given in. */
const seconds =
  (minimum: number, maximum: number) =>
  (text: string): number | undefined =>
    /^\d{1,9}(?:\.\d{1,3})?$/.test(text)
      ? within(minimum * 1000, maximum * 1000, Math.round(Number(text) * 1000))
      : undefined

const zeroOrOne = (text: string): boolean | undefined => (text === "0" || text === "1" ? text === "1" : undefined)

const file = (text: string): string | undefined => (text === "" ? undefined : text)

const ownEndpoint = (text: string): Endpoint | undefined => Result.getOrUndefined(parseEndpoint(text))

const network = (text: string): IpNetwork.IpNetwork | undefined => {
  const address = addressOf(text)
  if (address !== undefined) return IpNetwork.makeUnsafe(address, NetAddress.width(address))
  return Result.getOrUndefined(IpNetwork.fromString(text))
}

const count = (maximum: number, defaultText: string, doc: string): OptionRow<number> => ({
  kind: "one",
  metavar: "<number>",
  allowed: `a whole number from 1 to ${maximum}`,
  doc,
  default: defaultText,
  defaultDoc: defaultText,
  parse: wholeNumber(1, maximum)
})

const bytes = (metavar: string, defaultText: string | undefined, doc: string): OptionRow<number> => ({
  kind: "one",
  metavar,
  allowed: "a whole number from 1000 on",
  doc,
  default: defaultText,
  defaultDoc: defaultText ?? "no bound",
  parse: wholeNumber(1000, Number.MAX_SAFE_INTEGER)
})

const duration = (maximum: number, defaultText: string, doc: string): OptionRow<number> => ({
  kind: "one",
  metavar: "<seconds>",
  allowed: `a number of seconds from 0.001 to ${maximum}`,
  doc,
  default: defaultText,
  defaultDoc: defaultText,
  parse: seconds(0.001, maximum)
})

const onOff = (doc: string): OptionRow<boolean> => ({
  kind: "switch",
  metavar: "<0|1>",
  allowed: "0 or 1",
  doc,
  default: "0",
  defaultDoc: "off",
  parse: zeroOrOne
})

const pem = (doc: string, defaultDoc: string): OptionRow<string> => ({
  kind: "one",
  metavar: "<file>",
  allowed: "a file",
  doc,
  default: undefined,
  defaultDoc,
  parse: file
})

export const OPTIONS: { readonly [Name in OptionName]: RowOf<Settings[Name]> } = {
  listen: {
    kind: "one",
    metavar: "<address:port>",
    allowed: "an address of this machine with a port from 0 to 65535",
    doc: "Where pages find the bridge. Port 0 takes a free one, which the log names.",
    default: "127.0.0.1:8343",
    defaultDoc: "127.0.0.1:8343",
    parse: ownEndpoint
  },
  allow: {
    kind: "list",
    metavar: "<target>",
    allowed: "host:port, [IPv6 address]:port or a network such as 203.0.113.0/24 or 203.0.113.0/24:8333",
    doc: "Where pages may be carried to; may be given several times. Without a port, Bitcoin's own ports.",
    default: undefined,
    defaultDoc: "nowhere",
    parse: parseTarget
  },
  origin: {
    kind: "list",
    metavar: "<origin>",
    allowed: "an origin such as https://wallet.example, * for every page, or none for programs that name no origin",
    doc: "Whose pages may use the bridge; may be given several times.",
    default: undefined,
    defaultDoc: "nobody's",
    parse: parseOrigin
  },
  tlscert: pem("The certificate for wss, in PEM, with those that vouch for it.", "none: plain ws"),
  tlskey: pem("The private key of the certificate, in PEM.", "none"),
  proxy: {
    kind: "list",
    metavar: "<network>",
    allowed: "an address or a network such as 10.0.0.0/8",
    doc: "Reverse proxies of your own, whose X-Forwarded-For is believed; may be given several times.",
    default: undefined,
    defaultDoc: "none",
    parse: network
  },
  maxconnections: count(100_000, "200", "Connections at once."),
  maxpersource: count(100_000, "8", "Connections at once from one IPv4 address or IPv6 /64 network."),
  newperminute: count(100_000, "30", "New connections a minute from one source."),
  rate: bytes("<bytes/s>", "2000000", "Bytes a second of one connection, both ways together."),
  totalrate: bytes("<bytes/s>", "20000000", "Bytes a second of all connections."),
  maxbytes: bytes("<bytes>", undefined, "Bytes of one connection, after which it is closed."),
  connecttimeout: duration(600, "5", "How long it may take to resolve a target and connect to it."),
  handshaketimeout: duration(600, "10", "How long a page may take to open its WebSocket, and then to its first bytes."),
  idletimeout: duration(86_400, "600", "How long nothing may be said on a connection; nodes ping every two minutes."),
  allowv1: onOff("Carries pages that speak Bitcoin's unencrypted transport too, whose bytes the bridge could read."),
  json: onOff("Writes the log as one JSON object a line.")
}

/** `SATWIRE_BRIDGE_LISTEN`. */
export const environmentName = (name: string): string => `SATWIRE_BRIDGE_${name.toUpperCase()}`
