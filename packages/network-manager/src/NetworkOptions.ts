/** What a network manager is told, the two presets, and what becomes of both. */
import type { SchnorrKey } from "@satwire/crypto"
import type { GossipOptions } from "@satwire/gossip"
import type { Kind } from "@satwire/overlay"
import { type Carriage, type Discovery, type Libp2pNodeOptions, isMultiaddr } from "@satwire/transport-libp2p"
import { NetworkError } from "./NetworkError.ts"
import type { MessageRates } from "./RatedMessenger.ts"
import { BAN_MS, type ScoringOptions } from "./Scores.ts"

export type Preset = "development" | "production"

/** A kind of whatever message. */
export interface AnyKind extends Pick<Kind<unknown>, "name" | "maxBytes" | "signed" | "decode"> {
  readonly encode: (message: never) => ReturnType<Kind<unknown>["encode"]>
}

export interface NetworkOptions {
  /** Which numbers hold where nothing else is said; `development` where not given. */
  readonly preset?: Preset | undefined
  /** Which network: who names another one is not met, whatever its addresses. Lower-case letters, digits and hyphens; `satwire` where not given. */
  readonly network?: string | undefined
  /** The messages that it speaks; further ones are added as they are subscribed to. */
  readonly kinds?: ReadonlyArray<AnyKind> | undefined
  /** An address of this machine; `0.0.0.0` where not given. */
  readonly host?: string | undefined
  /** Any free one where not given. */
  readonly port?: number | undefined
  /** Multiaddrs to listen on instead; none with an empty list. */
  readonly listen?: ReadonlyArray<string> | undefined
  /** Multiaddrs to tell others of instead of those. */
  readonly externalAddresses?: ReadonlyArray<string> | undefined
  /** More than the preset's are let in and dialled in its proportion, unless told otherwise. */
  readonly maxPeers?: number | undefined
  /** Of these, how many others may have dialled. */
  readonly maxInbound?: number | undefined
  /** Of these, how many we dial. */
  readonly maxOutbound?: number | undefined
  readonly connectTimeoutMs?: number | undefined
  /** For the encryption of who dials us, and for the first words of every peer. */
  readonly handshakeTimeoutMs?: number | undefined
  readonly pingIntervalMs?: number | undefined
  readonly discoveryIntervalMs?: number | undefined
  /** Multiaddrs, dialled at the start and whenever fewer than `fewPeers` are left. */
  readonly bootstrapPeers?: ReadonlyArray<string> | undefined
  readonly fewPeers?: number | undefined
  /** Multiaddrs of peers to whom a connection is kept: they are dialled again with growing pauses. */
  readonly persistentPeers?: ReadonlyArray<string> | undefined
  /** The pause after the first failure, and the longest one. */
  readonly redialMs?: { readonly first: number; readonly longest: number } | undefined
  /** Whether peers of this LAN are found by multicast DNS. */
  readonly localDiscovery?: boolean | Discovery["mdns"] | undefined
  /** Whether peers tell each other of peers, and are dialled for it. */
  readonly peerExchange?: boolean | undefined
  /** A lasting identity, of `makePrivateKey`; a new one where not given. */
  readonly privateKey?: Uint8Array | undefined
  /** What we call ourselves; nobody verifies it. Our peer id where not given. */
  readonly nodeId?: string | undefined
  /** What peers are told of us: at most 16 entries of short text. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** Signs messages of kinds that ask for it. */
  readonly signingKey?: SchnorrKey | undefined
  /** Where bans are kept over a restart, in a directory that nobody else uses; made where it is not there. Without one they end with the process. */
  readonly dataDirectory?: string | undefined
  readonly scoring?: boolean | ScoringOptions | undefined
  /** What one peer may send. */
  readonly rateLimits?: Partial<MessageRates> | undefined
  readonly gossip?: boolean | GossipOptions | undefined
  /**
   * The hash table. It tells of private addresses and believes in them where `privateAddresses` says so, as it does in the `development` preset: without them
   * it finds nobody on a LAN or on loopback, with them strangers may have us dial what is near us.
   */
  readonly dht?: false | NonNullable<Discovery["dht"]> | "client" | "server" | undefined
  /** Further options of the libp2p node: transports, relays, ports of a gateway, limits that have no other name here. */
  readonly node?:
    | (Pick<Libp2pNodeOptions, "transports" | "security" | "reachability" | "services"> & {
        readonly limits?: NodeLimits
      })
    | undefined
}

/** Of those of a libp2p node. */
export type NodeLimits = Omit<
  NonNullable<Libp2pNodeOptions["limits"]>,
  "maxConnections" | "maxInbound" | "dialTimeoutMs" | "handshakeTimeoutMs"
>

/** Many programs of one machine start at once while one develops them; of one host a quarter may shake hands at a time. */
const DEVELOPMENT_LIMITS: NodeLimits = { maxPending: 128, maxPerHostASecond: 32 }

/** What the presets say. */
export interface Numbers {
  readonly maxPeers: number
  readonly maxInbound: number
  readonly maxOutbound: number
  readonly connectTimeoutMs: number
  readonly handshakeTimeoutMs: number
  readonly pingIntervalMs: number
  readonly discoveryIntervalMs: number
  readonly fewPeers: number
  readonly localDiscovery: boolean
}

/** The numbers of the presets. */
export const PRESETS: Readonly<Record<Preset, Numbers>> = {
  development: {
    maxPeers: 50,
    maxInbound: 40,
    maxOutbound: 10,
    connectTimeoutMs: 10_000,
    handshakeTimeoutMs: 5000,
    pingIntervalMs: 60_000,
    discoveryIntervalMs: 30_000,
    fewPeers: 3,
    localDiscovery: true
  },
  production: {
    maxPeers: 1000,
    maxInbound: 900,
    maxOutbound: 100,
    connectTimeoutMs: 30_000,
    handshakeTimeoutMs: 10_000,
    pingIntervalMs: 300_000,
    discoveryIntervalMs: 60_000,
    fewPeers: 8,
    localDiscovery: false
  }
}

/**
 * @limit messages that one peer may send to a network manager in a second, unless told otherwise; at once four times as many
 */
export const MESSAGES_PER_SECOND = 400
/**
 * @limit bytes of messages that one peer may send to a network manager in a second, unless told otherwise; at once four times as many
 */
export const MESSAGE_BYTES_PER_SECOND: number = 8 * 1024 * 1024
const rateOf = (perSecond: number): MessageRates["messages"] => ({ perSecond, burst: 4 * perSecond })

/** Options with everything that was not said. */
export interface Settings extends Numbers {
  readonly options: NetworkOptions
  readonly network: string
  readonly listen: ReadonlyArray<string>
  readonly dhtMode: false | "client" | "server"
  readonly rates: MessageRates
  readonly limits: NodeLimits
  readonly redialMs: { readonly first: number; readonly longest: number }
  /** For gossip, too, which bans for a time of its own where it is told one. */
  readonly banMs: number
}

type Numeral = Exclude<keyof Numbers, "localDiscovery">
const NUMBERS = Object.keys(PRESETS.development).filter((name) => name !== "localDiscovery") as ReadonlyArray<Numeral>
const FROM_0: ReadonlySet<string> = new Set(["maxInbound", "maxOutbound", "fewPeers"])
const REDIAL_MS = { first: 1000, longest: 300_000 } as const
/** Twelve days; a platform's timer takes twice as long for no time at all. */
const MOST: number = 2 ** 30
const NETWORK = /^[a-z0-9-]{1,32}$/
export const MAX_NAME_LENGTH = 64
export const MAX_METADATA_ENTRIES = 16
export const MAX_METADATA_LENGTH = 256

/** The settings, or what is wrong with the options. */
export const settingsOf = (options: NetworkOptions): Settings | NetworkError => {
  const { dht = false, metadata = {}, network = "satwire", nodeId, preset: name = "development" } = options
  if (!Object.hasOwn(PRESETS, name)) return wrong(`there is no preset "${name}", but "development" and "production"`)
  const preset = PRESETS[name]
  const dhtMode = typeof dht === "object" ? dht?.mode : dht
  if (![false, "client", "server"].includes(dhtMode)) {
    return wrong(`dht is ${JSON.stringify(dht)}, and may be false, "client", "server" or { mode } with one of those`)
  }
  if (!NETWORK.test(network)) return wrong(`the network "${network}" is not of a-z, 0-9 and "-" alone, or too long`)
  if (nodeId !== undefined && (nodeId.length === 0 || nodeId.length > MAX_NAME_LENGTH)) {
    return wrong(`a node id has 1 to ${MAX_NAME_LENGTH} characters`)
  }
  const entries = Object.entries(metadata)
  const isLong = entries.some(([name, value]) => name.length > MAX_NAME_LENGTH || value.length > MAX_METADATA_LENGTH)
  if (entries.length > MAX_METADATA_ENTRIES || isLong) {
    return wrong(`metadata has at most ${MAX_METADATA_ENTRIES} entries of at most ${MAX_METADATA_LENGTH} characters`)
  }
  const listen = options.listen ?? [listenAddress(options.host ?? "0.0.0.0", options.port ?? 0)]
  const oddAddress = wrongAddressOf(options, listen) ?? wrongCarriageOf(options, listen)
  const odd = wrongNumberOf(options) ?? oddAddress ?? wrongRateOf(options)
  if (odd !== undefined) return odd
  const { bytes = rateOf(MESSAGE_BYTES_PER_SECOND), messages = rateOf(MESSAGES_PER_SECOND) } = options.rateLimits ?? {}
  return {
    ...numbersOf(options, preset),
    options,
    network,
    listen,
    dhtMode,
    rates: { messages, bytes },
    limits: { ...(preset === PRESETS.development ? DEVELOPMENT_LIMITS : {}), ...options.node?.limits },
    redialMs: { ...REDIAL_MS, ...options.redialMs },
    banMs: (typeof options.scoring === "object" ? options.scoring.banMs : undefined) ?? BAN_MS
  }
}

/** More than the preset's peers are let in and dialled in its proportion. */
const numbersOf = (options: NetworkOptions, preset: Numbers): Numbers => {
  const given = NUMBERS.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]] as const]))
  const { maxPeers = preset.maxPeers } = options
  const share = (name: "maxInbound" | "maxOutbound"): number =>
    Math.min(maxPeers, options[name] ?? Math.max(preset[name], Math.floor((maxPeers * preset[name]) / preset.maxPeers)))
  const [maxInbound, maxOutbound] = [share("maxInbound"), share("maxOutbound")]
  const localDiscovery = (options.localDiscovery ?? preset.localDiscovery) !== false
  return { ...preset, ...Object.fromEntries(given), maxInbound, maxOutbound, localDiscovery }
}

const wrongNumberOf = (options: NetworkOptions): NetworkError | undefined => {
  const { scoring } = options
  const { first, longest } = { ...REDIAL_MS, ...options.redialMs }
  const rows = [
    ...NUMBERS.map((name) => [name, options[name], FROM_0.has(name) ? 0 : 1, MOST] as const),
    ["redialMs.first", first, 1, MOST],
    ["redialMs.longest", longest, first, MOST],
    ["scoring.banMs", typeof scoring === "object" ? scoring.banMs : undefined, 1, Number.MAX_SAFE_INTEGER]
  ] as const
  for (const [name, given, least, most] of rows) {
    if (given === undefined || (Number.isSafeInteger(given) && given >= least && given <= most)) continue
    return wrong(`${name} is ${String(given)}, which is no whole number from ${least} to ${most}`)
  }
  return undefined
}

export const wrongAddress = (name: string, address: string): NetworkError =>
  wrong(`${name}: "${address.slice(0, 80)}" is no multiaddr such as /ip4/192.0.2.1/tcp/9333`)

const wrongAddressOf = (options: NetworkOptions, listen: ReadonlyArray<string>): NetworkError | undefined => {
  const { bootstrapPeers, externalAddresses, persistentPeers } = options
  const lists = {
    [options.listen === undefined ? "host and port" : "listen"]: listen,
    externalAddresses,
    bootstrapPeers,
    persistentPeers
  }
  for (const [name, addresses = []] of Object.entries(lists)) {
    const odd = addresses.find((address) => !isMultiaddr(address))
    if (odd !== undefined) return wrongAddress(name, odd)
  }
  return undefined
}

const CARRIED: Readonly<Record<Carriage | "memory", RegExp>> = {
  tcp: /\/tcp\/\d+(\/p2p\/[^/]+)?$/,
  websocket: /\/wss?(\/|$)/,
  quic: /\/quic-v1(\/|$)/,
  memory: /^\/memory\//
}

/** js-libp2p passes over such an address where another one works. Who knows what transports of others carry. */
const wrongCarriageOf = (
  { node: { transports = ["tcp"] as const } = {} }: NetworkOptions,
  listen: ReadonlyArray<string>
): NetworkError | undefined => {
  const isCarried = (address: string): boolean =>
    address.endsWith("/p2p-circuit") ||
    transports.some((each) => typeof each !== "string" || CARRIED[each].test(address))
  const odd = listen.find((address) => !isCarried(address))
  if (odd === undefined) return undefined
  return wrong(`listen: "${odd.slice(0, 80)}" is for none of node.transports: ${transports.map(String).join(", ")}`)
}

const wrongRateOf = ({ rateLimits = {} }: NetworkOptions): NetworkError | undefined => {
  const odd = Object.entries(rateLimits).find(([, { burst, perSecond }]) => !(perSecond > 0 && burst > 0))
  return odd === undefined ? undefined : wrong(`rateLimits.${odd[0]} lets nothing through`)
}

const wrong = (message: string): NetworkError => new NetworkError({ reason: "BadOptions", message })

const listenAddress = (host: string, port: number): string =>
  host.includes(":") ? `/ip6/${host}/tcp/${port}` : `/ip4/${host === "localhost" ? "127.0.0.1" : host}/tcp/${port}`
