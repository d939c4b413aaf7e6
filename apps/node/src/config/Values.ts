/** The Schemas of single option values: from the text that a person writes to what the program works with. */
import {
  type Permission,
  type PermissionRule,
  type Subnet,
  formatSubnet,
  formatPermissionRule,
  parsePermissionRule,
  parsePermissions,
  parseSubnet
} from "@satwire/connections"
import { parseHost } from "@satwire/netaddress"
import { type EndpointError, endpointNetwork, parseEndpoint } from "@satwire/transport"
import { type SocketAddress, formatSocketAddress, parseSocketAddress } from "@satwire/transport-tcp"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** A value that is written as text. */
export type Value<A> = Schema.Codec<A, string>

/** The networks that can be chosen, by the names of `ChainParams`. */
export const NETWORK_NAMES = ["mainnet", "testnet3", "testnet4", "signet", "regtest"] as const
export type NetworkName = (typeof NETWORK_NAMES)[number]

/** Bitcoin Core's `-chain` has its own names for two of them. */
const CORE_NETWORK_NAMES: Readonly<Record<string, NetworkName>> = { main: "mainnet", test: "testnet3" }

/** The network that one of its names means. */
export const networkNamed = (name: string): NetworkName | undefined =>
  NETWORK_NAMES.find((known) => known === name) ??
  (Object.hasOwn(CORE_NETWORK_NAMES, name) ? CORE_NETWORK_NAMES[name] : undefined)

export const NETWORK_CHOICES: ReadonlyArray<string> = [...NETWORK_NAMES, ...Object.keys(CORE_NETWORK_NAMES)]

const pattern = (expression: RegExp): Schema.Codec<string, string> => Schema.String.check(Schema.isPattern(expression))

const decoded = <A>(
  from: Schema.Codec<string, string>,
  to: Schema.Codec<A, A>,
  decode: (text: string) => A
): Value<A> =>
  from.pipe(Schema.decodeTo(to, SchemaTransformation.transform({ decode, encode: (value) => String(value) })))

export const network: Value<NetworkName> = Schema.Literals(NETWORK_CHOICES).pipe(
  Schema.decodeTo(
    Schema.Literals(NETWORK_NAMES),
    SchemaTransformation.transform({ decode: (name) => networkNamed(name) ?? "mainnet", encode: (name) => name })
  )
)

/** As Bitcoin Core writes them, and as people do. */
export const trueOrFalse: Value<boolean> = decoded(
  pattern(/^(?:0|1|true|false|yes|no|on|off)$/),
  Schema.Boolean,
  (text) => /^(?:1|true|yes|on)$/.test(text)
)

/** One of these words. */
export const oneOf = <const Words extends ReadonlyArray<string>>(words: Words): Value<Words[number]> =>
  Schema.Literals(words)

/** Without what stands behind a `?`, which is ours to say. */
export const webSocketUrl: Value<string> = pattern(/^wss?:\/\/[^\s?#]+$/)

/** Where OTLP is spoken over HTTP; 0 is nowhere. */
export const collectorUrl: Value<string> = pattern(/^(?:0|https?:\/\/[^\s?#]+)$/)

/** How lines of the log look. */
export const LOG_FORMATS = ["text", "json"] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

export const wholeNumber = (minimum: number, maximum: number): Value<number> =>
  decoded(pattern(/^[0-9]{1,12}$/), Schema.Int.check(Schema.isBetween({ minimum, maximum })), Number)

/** Core's `-prune`: MiB, from the least that holds the last 288 blocks on; 0 for nothing, 1 for pruning when told to. */
export const pruneTarget: Value<number> = decoded(
  pattern(/^[0-9]{1,12}$/),
  Schema.Int.check(Schema.makeFilter((mebibytes: number) => mebibytes <= PRUNE_BY_HAND || mebibytes >= MIN_PRUNE_MIB)),
  Number
)
/** What `-prune` says where blocks go by `pruneblockchain` alone. */
export const PRUNE_BY_HAND = 1
/** Core's `MIN_DISK_SPACE_FOR_BLOCK_FILES`. */
const MIN_PRUNE_MIB = 550

/** A duration in seconds, in fractions down to milliseconds; decoded to milliseconds. */
export const seconds = (minimum: number, maximum: number): Value<number> =>
  decoded(
    pattern(/^[0-9]{1,9}(?:\.[0-9]{1,3})?$/),
    Schema.Finite.check(Schema.isBetween({ minimum: minimum * 1000, maximum: maximum * 1000 })),
    (text) => Math.round(Number(text) * 1000)
  )

const UNITS: Readonly<Record<string, number>> = {
  k: 1000,
  m: 1000 ** 2,
  g: 1000 ** 3,
  t: 1000 ** 4,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4
}

/** A number of bytes with Core's units, in MiB where none is named. */
export const byteCount: Value<number> = decoded(
  pattern(/^[0-9]{1,12}[kKmMgGtT]?$/),
  Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  (text) => Number.parseInt(text, 10) * (UNITS[text.slice(-1)] ?? 1024 ** 2)
)

/** Rules whose height a test may choose, by Core's names. */
export const TEST_RULES = ["segwit", "bip34", "dersig", "cltv", "csv"] as const

export interface ActivationHeight {
  readonly rule: (typeof TEST_RULES)[number]
  readonly height: number
}

/** `segwit@100`. */
export const activationHeight: Value<ActivationHeight> = Schema.String.check(
  Schema.isPattern(new RegExp(`^(?:${TEST_RULES.join("|")})@[0-9]{1,9}$`))
).pipe(
  Schema.decodeTo(
    Schema.Struct({ rule: Schema.Literals(TEST_RULES), height: Schema.Int }),
    SchemaTransformation.transform({
      decode: (text) => {
        const [rule, height] = text.split("@")
        return { rule: TEST_RULES.find((name) => name === rule) ?? "segwit", height: Number(height) }
      },
      encode: ({ rule, height }) => `${rule}@${height}`
    })
  )
)

/** Up to 256 bits in hexadecimal, with or without `0x`. */
export const work: Value<bigint> = decoded(pattern(/^(?:0x)?[0-9a-fA-F]{1,64}$/), Schema.BigInt, (text) =>
  BigInt(`0x${text.replace(/^0x/, "")}`)
)

/** A script, in hexadecimal. */
export const scriptHex: Value<string> = pattern(/^(?:[0-9a-fA-F]{2}){1,10000}$/)

/** A height, or a day on which something began, in seconds since 1970 (UTC). */
export type Beginning = { readonly height: number } | { readonly time: number }

const isDay = (text: string): boolean => {
  const time = Date.parse(`${text}T00:00:00Z`)
  // The 30th of February is read as another day.
  return Number.isFinite(time) && time >= 0 && new Date(time).toISOString().startsWith(text)
}

/** `840000`, or `2024-04-20`. */
export const beginning: Value<Beginning> = decoded(
  Schema.String.check(
    Schema.makeFilter(
      (text: string) => /^[0-9]{1,9}$/.test(text) || (/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text) && isDay(text))
    )
  ),
  Schema.Union([Schema.Struct({ height: Schema.Int }), Schema.Struct({ time: Schema.Int })]),
  (text) => (text.includes("-") ? { time: Date.parse(`${text}T00:00:00Z`) / 1000 } : { height: Number(text) })
)

/** What may be an address: which it is depends on the network. */
export const addressText: Value<string> = pattern(/^[0-9A-Za-z]{14,90}$/)

export const path: Value<string> = Schema.NonEmptyString

/** Letters, digits and the punctuation that Core's `SAFE_CHARS_UA_COMMENT` allows (util/strencodings.cpp). */
export const userAgentComment: Value<string> = pattern(/^[A-Za-z0-9 .,;\-_?@]{1,200}$/)

/** A host and, where it was given, a port. */
export interface HostPort {
  readonly host: string
  readonly port: number | undefined
}

const HostPortSchema: Schema.Codec<HostPort, HostPort> = Schema.Struct({
  host: Schema.String,
  port: Schema.UndefinedOr(Schema.Number)
})

/** What {@link parseEndpoint} takes for "no port was given". */
const NO_PORT = -1

export const parseHostPort = (text: string): Result.Result<HostPort, EndpointError> =>
  Result.map(parseEndpoint(text, NO_PORT), ({ host, port }) => ({ host, port: port === NO_PORT ? undefined : port }))

const textOf = ({ host, port }: HostPort): string =>
  `${host.includes(":") ? `[${host}]` : host}${port === undefined ? "" : `:${port}`}`

const hostPort = (isAllowed: (parsed: HostPort) => boolean): Value<HostPort> =>
  Schema.String.check(
    Schema.makeFilter((text: string) => {
      const parsed = Result.getOrUndefined(parseHostPort(text))
      return parsed !== undefined && isAllowed(parsed)
    })
  ).pipe(
    Schema.decodeTo(
      HostPortSchema,
      SchemaTransformation.transform({
        // The filter before has let it pass.
        decode: (text) => Result.getOrThrow(parseHostPort(text)),
        encode: textOf
      })
    )
  )

/** Whether somebody can be there: port 0 is nobody's, except on I2P, which has no other. */
export const isSomebodys = ({ host, port }: HostPort): boolean =>
  port !== 0 || endpointNetwork({ host, port }) === "i2p"

/** Whom to connect to. */
export const remote: Value<HostPort> = hostPort(isSomebodys)

/** Where to listen: port 0 is any free one. */
export const local: Value<HostPort> = hostPort(() => true)

/** Where to listen, and whether an onion service of ours leads there. */
export interface BindPoint extends HostPort {
  readonly isOnion: boolean
}

const ONION = /=onion$/

const BindPointSchema: Schema.Codec<BindPoint, BindPoint> = Schema.Struct({
  host: Schema.String,
  port: Schema.UndefinedOr(Schema.Number),
  isOnion: Schema.Boolean
})

/** As Core's `-bind`: `127.0.0.1:8334=onion`. */
export const bindPoint: Value<BindPoint> = Schema.String.check(
  Schema.makeFilter((text: string) => Result.isSuccess(parseHostPort(text.replace(ONION, ""))))
).pipe(
  Schema.decodeTo(
    BindPointSchema,
    SchemaTransformation.transform({
      // The filter before has let it pass.
      decode: (text) => ({ ...Result.getOrThrow(parseHostPort(text.replace(ONION, ""))), isOnion: ONION.test(text) }),
      encode: ({ isOnion, ...point }) => `${textOf(point)}${isOnion ? "=onion" : ""}`
    })
  )
)

/** A network of nodes, by Core's names of `-onlynet`. */
export type NetName = "ipv4" | "ipv6" | "onion" | "i2p" | "cjdns"
export const NET_NAMES = ["ipv4", "ipv6", "onion", "i2p", "cjdns"] as const

export const netName: Value<NetName> = Schema.Literals(NET_NAMES)

/** An address of ours, without or with its port. */
export const ownAddress: Value<HostPort> = hostPort(({ host, port }) => port !== 0 && parseHost(host) !== undefined)

const PermissionRuleSchema: Schema.Codec<PermissionRule, PermissionRule> = Schema.declare(
  (value): value is PermissionRule => typeof value === "object" && value !== null && "subnet" in value
)

/** Who may do what others may not. */
export const permissionRule: Value<PermissionRule> = Schema.String.check(
  Schema.makeFilter((text: string) => typeof parsePermissionRule(text) !== "string")
).pipe(
  Schema.decodeTo(
    PermissionRuleSchema,
    SchemaTransformation.transform({
      // The filter before has let it pass.
      decode: (text) => parsePermissionRule(text) as PermissionRule,
      encode: formatPermissionRule
    })
  )
)

/** Where to listen, and what whoever comes in there may do. */
export interface WhiteBind extends HostPort {
  readonly permissions: ReadonlySet<Permission>
}

const WhiteBindSchema: Schema.Codec<WhiteBind, WhiteBind> = Schema.declare(
  (value): value is WhiteBind => typeof value === "object" && value !== null && "permissions" in value
)

const parseWhiteBind = (text: string): WhiteBind | undefined => {
  const [permissions, where] = parsePermissions(text)
  const place = Result.getOrUndefined(parseHostPort(where))
  // Nobody could tell who came in at a port that is known to nobody yet.
  if (typeof permissions === "string" || place === undefined || place.port === 0) return undefined
  return { ...place, permissions }
}

/** As Core's `-whitebind`: `noban@127.0.0.1:8335`. */
export const whiteBind: Value<WhiteBind> = Schema.String.check(
  Schema.makeFilter((text: string) => parseWhiteBind(text) !== undefined)
).pipe(
  Schema.decodeTo(
    WhiteBindSchema,
    SchemaTransformation.transform({
      // The filter before has let it pass.
      decode: (text) => parseWhiteBind(text) as WhiteBind,
      encode: ({ permissions, ...place }) => `${[...permissions].join(",")}@${textOf(place)}`
    })
  )
)

/** Where a proxy or a router is, or that there is none. */
export type Through = SocketAddress | "none"

const ThroughSchema: Schema.Codec<Through, Through> = Schema.declare(
  (value): value is Through => value === "none" || (typeof value === "object" && value !== null)
)

const parseThrough = (text: string, defaultPort: number): Through | undefined => {
  if (text === "0") return "none"
  const parsed = Result.getOrUndefined(parseSocketAddress(text, defaultPort))
  return parsed !== undefined && "port" in parsed && parsed.port === 0 ? undefined : parsed
}

/** A program that others are reached through. */
export const through = (defaultPort: number): Value<Through> =>
  Schema.String.check(Schema.makeFilter((text: string) => parseThrough(text, defaultPort) !== undefined)).pipe(
    Schema.decodeTo(
      ThroughSchema,
      SchemaTransformation.transform({
        // The filter before has let it pass.
        decode: (text) => parseThrough(text, defaultPort) as Through,
        encode: (value) => (value === "none" ? "0" : formatSocketAddress(value))
      })
    )
  )

/** What is nobody's business but that of those who say it; a name of a user has no colon. */
export const secret: Value<string> = Schema.NonEmptyString

const SubnetSchema: Schema.Codec<Subnet, Subnet> = Schema.declare(
  (value): value is Subnet => typeof value === "object" && value !== null
)

/** Who is meant by where they are. */
export const subnet: Value<Subnet> = Schema.String.check(
  Schema.makeFilter((text: string) => parseSubnet(text) !== undefined)
).pipe(
  Schema.decodeTo(
    SubnetSchema,
    // The filter before has let it pass.
    SchemaTransformation.transform({ decode: (text) => parseSubnet(text) as Subnet, encode: formatSubnet })
  )
)

/** A name with the HMAC-SHA-256 of its password, keyed by the salt. */
export interface RpcAuth {
  readonly user: string
  readonly salt: string
  /** 64 hexadecimal digits. */
  readonly hash: string
}

const RPC_AUTH = /^([^:]+):([^$:]+)\$([0-9a-fA-F]{64})$/

/** `name:salt$hash`, as Core's share/rpcauth prints it. */
export const rpcAuth: Value<RpcAuth> = pattern(RPC_AUTH).pipe(
  Schema.decodeTo(
    Schema.Struct({ user: Schema.String, salt: Schema.String, hash: Schema.String }),
    SchemaTransformation.transform({
      decode: (text) => {
        const [, user = "", salt = "", hash = ""] = RPC_AUTH.exec(text) ?? []
        return { user, salt, hash: hash.toLowerCase() }
      },
      encode: ({ user, salt, hash }) => `${user}:${salt}$${hash}`
    })
  )
)

/** The only methods that a name may call. */
export interface RpcWhitelist {
  readonly user: string
  readonly methods: ReadonlyArray<string>
}

const RpcWhitelistSchema: Schema.Codec<RpcWhitelist, RpcWhitelist> = Schema.Struct({
  user: Schema.String,
  methods: Schema.Array(Schema.String)
})

/** `name:getblockcount,getpeerinfo`. */
export const rpcWhitelist: Value<RpcWhitelist> = pattern(/^[^:]+:[a-z0-9, ]*$/).pipe(
  Schema.decodeTo(
    RpcWhitelistSchema,
    SchemaTransformation.transform({
      decode: (text): RpcWhitelist => {
        const [user = "", methods = ""] = text.split(":")
        return { user, methods: methods.split(/[, ]+/).filter((method) => method !== "") }
      },
      encode: ({ user, methods }) => `${user}:${methods.join(",")}`
    })
  )
)
