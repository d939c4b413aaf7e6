/** What a network manager is told, the two presets, and what becomes of both. */
import type { SchnorrKey } from "@satwire/crypto"
import type { GossipOptions } from "@satwire/gossip"
import type { Kind } from "@satwire/overlay"
import { type Discovery, type Libp2pNodeOptions, isMultiaddr } from "@satwire/transport-libp2p"
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
/** At once. */
const BURST_SECONDS = 4

/** Options with everything that was not said. */
export interface Settings extends Numbers {
  readonly options: NetworkOptions
  readonly network: string
  readonly listen: ReadonlyArray<string>
  readonly rates: MessageRates
  readonly limits: NodeLimits
  readonly redialMs: { readonly first: number; readonly longest: number }
  /** For gossip, too, which bans for a time of its own where it is told one. */
  readonly banMs: number
}

const NETWORK = /^[a-z0-9-]{1,32}$/
export const MAX_NAME_LENGTH = 64
export const MAX_METADATA_ENTRIES = 16
export const MAX_METADATA_LENGTH = 256

/** The settings, or what is wrong with the options. */
export const settingsOf = (options: NetworkOptions): Settings | NetworkError => {
  const preset = PRESETS[options.preset ?? "development"]
  if (preset === undefined) return wrong(`there is no preset "${String(options.preset)}"`)
  const { network = "satwire", nodeId, metadata = {} } = options
  const numbers = { ...preset }
  for (const name of Object.keys(preset) as Array<keyof Numbers>) {
    const given = options[name]
    if (given === undefined || name === "localDiscovery") continue
    if (typeof given !== "number" || !Number.isSafeInteger(given) || given < 0) {
      return wrong(
        `${name} is ${typeof given === "number" ? given : `a ${typeof given}`}, which is no whole number from 0 on`
      )
    }
    Object.assign(numbers, { [name]: given })
  }
  for (const name of ["pingIntervalMs", "discoveryIntervalMs", "connectTimeoutMs", "handshakeTimeoutMs"] as const) {
    if (numbers[name] === 0) return wrong(`${name} is 0`)
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
  const odd = wrongAddressOf(options, listen) ?? wrongRateOf(options)
  if (odd !== undefined) return odd
  const { perSecond: messages = MESSAGES_PER_SECOND } = options.rateLimits?.messages ?? {}
  const { perSecond: bytes = MESSAGE_BYTES_PER_SECOND } = options.rateLimits?.bytes ?? {}
  return {
    ...numbers,
    maxInbound: Math.min(numbers.maxInbound, numbers.maxPeers),
    maxOutbound: Math.min(numbers.maxOutbound, numbers.maxPeers),
    localDiscovery: options.localDiscovery === undefined ? numbers.localDiscovery : options.localDiscovery !== false,
    options,
    network,
    listen,
    rates: {
      messages: options.rateLimits?.messages ?? { perSecond: messages, burst: BURST_SECONDS * messages },
      bytes: options.rateLimits?.bytes ?? { perSecond: bytes, burst: BURST_SECONDS * bytes }
    },
    limits: { ...(preset === PRESETS.development ? DEVELOPMENT_LIMITS : {}), ...options.node?.limits },
    redialMs: options.redialMs ?? { first: 1000, longest: 300_000 },
    banMs: (typeof options.scoring === "object" ? options.scoring.banMs : undefined) ?? BAN_MS
  }
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

const wrongRateOf = ({ rateLimits = {} }: NetworkOptions): NetworkError | undefined => {
  const odd = Object.entries(rateLimits).find(([, { burst, perSecond }]) => !(perSecond > 0 && burst > 0))
  return odd === undefined ? undefined : wrong(`rateLimits.${odd[0]} lets nothing through`)
}

const wrong = (message: string): NetworkError => new NetworkError({ reason: "BadOptions", message })

const listenAddress = (host: string, port: number): string =>
  host.includes(":") ? `/ip6/${host}/tcp/${port}` : `/ip4/${host === "localhost" ? "127.0.0.1" : host}/tcp/${port}`
