/**
 * The node for JavaScript that is not written in Effect: the same service, turned into promises and async iterables by
 * `@satwire/runtime/promise`. Over TCP, and with its headers in memory, unless something else is asked for.
 */
import type { TreeBase } from "@satwire/header-sync"
import { DEFAULT_MAX_INBOUND, type Queries, type Roles } from "@satwire/node-core"
import { type ChainParams, networks, type HeaderPoint } from "@satwire/primitives"
import { type CallOptions, type Owned, type Promised, acquire, runPromise } from "@satwire/runtime/promise"
import { type Files, HeaderStore, type StoreError, layerFiles } from "@satwire/store"
import {
  DEFAULT_CONNECT_TIMEOUT_MS,
  type Dialer,
  type Endpoint,
  type EndpointError,
  type Listener,
  parseEndpoint
} from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as HeaderFiles from "@satwire/header-files"
import { makeNode } from "./Node.ts"
import type { NodeFailure, NodeShape } from "./NodeShape.ts"
import type { BlockOptions, NodeOptions } from "./NodeOptions.ts"
import { layerOnDisk } from "./OnDisk.ts"

export {
  type ExportFault,
  HeaderFileBroken,
  HeaderFileEmpty,
  HeaderFileExists,
  HeaderFileForeign,
  HeaderFileTorn,
  HeaderFileUnreadable,
  HeaderFileUnwritable,
  type ImportFault
} from "@satwire/header-files"
export type { BlockPlace, BlockStep } from "@satwire/block-stream"
export { type BlockStreamError, BlockUnavailable, UnknownPlace } from "@satwire/block-stream/effect"
export type { Exported, Imported } from "@satwire/header-files"
export { HeadersRefused } from "@satwire/header-stream/effect"
export type { NodeStartError } from "./Node.ts"
export type { NodeFailure } from "./NodeShape.ts"
export type { EdgeFact, GivenUpBecause, NodeFact } from "./NodeFact.ts"
export { MachineFailed } from "@satwire/runtime"
export { DirectoryLocked, DirectoryNotWritable, DiskFull, IoFailed } from "@satwire/store"
export { EndpointError, ListenError } from "@satwire/transport"

/** BIP-0014. What a node calls itself where nothing else is asked for. */
export const DEFAULT_USER_AGENT = "/satwire-node:0.0/"

/** A network by the name that people use, or any other by its parameters. */
export type Network = "mainnet" | "testnet3" | "testnet4" | "signet" | "regtest" | ChainParams

export interface StartOptions extends CallOptions {
  /** Which network it is a node of; `"mainnet"` where not given. */
  readonly network?: Network | undefined
  /** The directory that holds the headers of all networks, and is locked meanwhile. They are kept in memory where it is not given. */
  readonly dataDirectory?: string | undefined
  /** Whom to keep connections to: `host:port`, or `host` alone with the network's port. */
  readonly connect?: ReadonlyArray<string | Endpoint> | undefined
  /** Where to be found: `host:port`, where port 0 is any free one. It does not listen where not given. */
  readonly listen?: string | Endpoint | undefined
  /**
   * What it does. Where not given it follows headers and serves them; it announces new ones only on regtest, because it checks no more
   * than headers.
   */
  readonly roles?: Omit<Roles, "blocks"> | undefined
  /** Has blocks, and not headers alone: all and for ever with `true`. They lie in the data directory, or in memory. */
  readonly blocks?: boolean | Partial<BlockOptions> | undefined
  /** Where its headers begin when they do not begin with genesis. */
  readonly base?: TreeBase | undefined
  /** Points of a chain, lowest first, along which headers are fetched from several peers at once; trusted in nothing. */
  readonly skeleton?: ReadonlyArray<HeaderPoint> | undefined
  /** Headers that are trusted: no chain is followed that has another one at such a height. */
  readonly trustedHeaders?: ReadonlyArray<HeaderPoint> | undefined
  /** {@link DEFAULT_USER_AGENT} where not given. */
  readonly userAgent?: string | undefined
  /** What our `version` offers: nothing where not given. */
  readonly services?: bigint | undefined
  /** How many inbound connections are taken: {@link DEFAULT_MAX_INBOUND} where not given. */
  readonly maxInbound?: number | undefined
  /** How long one attempt to connect may take; Bitcoin Core's 5 s where not given. */
  readonly dialTimeoutMs?: number | undefined
  /** Whether the encrypted transport is spoken (BIP-0324); yes where not given. */
  readonly v2transport?: boolean | undefined
  /** What carries the bytes; TCP where not given. */
  readonly transport?: Layer.Layer<Dialer | Listener> | undefined
  /** What keeps the headers, instead of a data directory. */
  readonly store?: Layer.Layer<HeaderStore, StoreError> | undefined
}

/**
 * A running node, until it is closed by hand or by `await using`. The loop over `facts` ends when the node is closed, and throws when it
 * cannot go on. What fails rejects with a typed error.
 */
export interface Node extends Owned, Omit<Promised<NodeShape>, "query" | "connect"> {
  /** Reads state, as of now. */
  readonly query: <Name extends keyof Queries>(name: Name, options?: CallOptions) => Promise<Queries[Name]>
  /** Keeps a connection to this address from now on. Rejects with `EndpointError` where the text names none. */
  readonly connect: (peer: string | Endpoint, options?: CallOptions) => Promise<void>
}

/**
 * Starts a node. Rejects with `EndpointError`, `ListenError`, `HeadersRefused`, an error of the store, or the reason of the signal; then
 * nothing of it is left.
 */
export const start = (options: StartOptions = {}): Promise<Node> =>
  // The members of the service, one for one; only that `query` is generic is lost on the way.
  acquire(
    Effect.suspend(() => started(options)),
    options
  ) as Promise<Node>

/** Whose headers are brought or taken, and where they are kept. */
export interface HeaderFileOptions extends CallOptions {
  /** Which network they are of; `"mainnet"` where not given. */
  readonly network?: Network | undefined
  /** The directory that holds the headers of all networks. No node may be running on it; it is locked meanwhile. */
  readonly dataDirectory: string
  /** The file of raw headers, 80 bytes each, from genesis on. */
  readonly path: string
}

export interface WrittenFileOptions extends HeaderFileOptions {
  /** Whether a file that is there makes room. */
  readonly overwrites?: boolean | undefined
}

/**
 * Writes the headers of the best chain into a file, which takes its name when it is whole. Rejects with `HeaderFileExists`,
 * `HeaderFileUnwritable`, `HeadersRefused`, an error of the store, or the reason of the signal.
 */
export const exportHeaders = (options: WrittenFileOptions): Promise<HeaderFiles.Exported> => {
  const { overwrites, path } = options
  return onPlace(options, (params) => HeaderFiles.exportHeaders({ params, path, overwrites }))
}

/** Writes points of the best chain into a file, along which others fetch their headers. Rejects as `exportHeaders` does. */
export const exportSkeleton = (options: WrittenFileOptions): Promise<HeaderFiles.Exported> => {
  const { overwrites, path } = options
  return onPlace(options, (params) => HeaderFiles.exportSkeleton({ params, path, overwrites }))
}

/**
 * Takes in a file of headers by every rule. Rejects with an error that tells at which height it stopped, with `HeadersRefused`, an error
 * of the store, or the reason of the signal; what was valid before is kept then.
 */
export const importHeaders = (options: HeaderFileOptions): Promise<HeaderFiles.Imported> =>
  onPlace(options, (params) => HeaderFiles.importHeaders({ params, path: options.path }))

const onPlace = <A, E>(
  options: HeaderFileOptions,
  program: (params: ChainParams) => Effect.Effect<A, E, HeaderStore | Files>
): Promise<A> =>
  runPromise(
    Effect.suspend(() => {
      const params = paramsOf(options.network ?? "mainnet")
      const place = Layer.merge(layerOnDisk(options.dataDirectory, params), layerFiles)
      return Effect.provide(program(params), Layer.fresh(place))
    }),
    options
  )

const started = (options: StartOptions) =>
  Effect.gen(function* () {
    const params = paramsOf(options.network ?? "mainnet")
    const { dataDirectory, transport = layerTcp } = options
    const nodeOptions = yield* nodeOptionsOf(params, options)
    const store = dataDirectory === undefined ? HeaderStore.layerMemory : layerOnDisk(dataDirectory, params)
    const edges = yield* Layer.build(Layer.fresh(Layer.merge(transport, options.store ?? store)))
    const node = yield* Effect.provide(makeNode(nodeOptions), edges)
    return {
      ...node,
      connect: (peer: string | Endpoint) => Effect.flatMap(endpointOf(peer, params), node.connect),
      facts: Stream.concat(node.facts, whyItEnded(node))
    }
  })

/** Nothing, or the failure, which has come before the facts end. */
const whyItEnded = (node: NodeShape): Stream.Stream<never, NodeFailure> =>
  Stream.drain(Stream.fromEffect(Effect.raceFirst(node.failure, Effect.void)))

const nodeOptionsOf = (params: ChainParams, options: StartOptions): Effect.Effect<NodeOptions, EndpointError> =>
  Effect.gen(function* () {
    const { blocks = false, listen } = options
    return {
      params,
      blocks: blocks === false ? undefined : { serve: true, ...(blocks === true ? {} : blocks) },
      roles: options.roles ?? {
        headers: { serve: true, announce: params.name === "regtest" },
        mining: undefined
      },
      base: options.base,
      skeleton: options.skeleton,
      trustedHeaders: options.trustedHeaders,
      userAgent: options.userAgent ?? DEFAULT_USER_AGENT,
      services: options.services ?? 0n,
      connect: yield* Effect.forEach(options.connect ?? [], (peer) => endpointOf(peer, params)),
      listen: listen === undefined ? undefined : yield* endpointOf(listen, params),
      maxInbound: options.maxInbound ?? DEFAULT_MAX_INBOUND,
      v2transport: options.v2transport,
      dialTimeoutMs: options.dialTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS
    }
  })

const endpointOf = (where: string | Endpoint, params: ChainParams): Effect.Effect<Endpoint, EndpointError> =>
  typeof where === "string" ? Effect.fromResult(parseEndpoint(where, params.defaultPort)) : Effect.succeed(where)

const paramsOf = (network: Network): ChainParams => {
  if (typeof network !== "string") return network
  const params = Object.hasOwn(networks, network) ? networks[network] : undefined
  if (params !== undefined) return params
  // Who writes no types learns here what may stand.
  throw new TypeError(`no network is called "${network as string}": take one of ${Object.keys(networks).join(", ")}`)
}
