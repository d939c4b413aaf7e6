/**
 * `POST /`: Bitcoin Core's calls, for who has the password. They may come while the node starts, and are then told that it does (−28).
 *
 * Specification: a user of whom `-rpcwhitelist` speaks may call what it names and nothing else; others may call all, or nothing where
 * `-rpcwhitelistdefault` is on, as it is where there is any such line.
 *
 * Source: Bitcoin Core 31.99 `httprpc.cpp` (`InitRPCAuthentication`, `HTTPReq_JSONRPC`).
 */
import { platformSha256 } from "@satwire/crypto/node"
import type { HttpDoor } from "@satwire/http-door"
import { methodTable } from "@satwire/json-rpc"
import { type RpcOptions, layerRpc } from "@satwire/json-rpc/server"
import type { Network } from "@satwire/netaddress"
import type { NodeShape } from "@satwire/node"
import type { ChainParams } from "@satwire/primitives"
import {
  COINS_NOT_VERIFIED,
  type MockClock,
  NodeContext,
  type NodeContextShape,
  type ProxyInUse,
  Rpc,
  type RpcNode,
  noScan,
  nodeMethods
} from "@satwire/rpc"
import * as Effect from "effect/Effect"
import type { HttpRouter } from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import { isPublic } from "../config/Identity.ts"
import type { Settings } from "../config/Options.ts"
import type { RpcSettings } from "../config/rows/Rpc.ts"
import { PRUNE_BY_HAND, type Through } from "../config/Values.ts"
import type { Wishes } from "../log/Categories.ts"

export interface RpcRoutesOptions {
  readonly settings: Settings
  readonly params: ChainParams
  /** Where `debug.log` lies; empty where there is none. */
  readonly logPath: string
  readonly wishes: Wishes
  /** Whether each call is a span of a trace. */
  readonly isTraced: boolean
  /** Sets the time, where it may be set. */
  readonly clock: MockClock | undefined
  /** Asks the program to end. */
  readonly stop: Effect.Effect<void>
  /** `undefined` while it starts. */
  readonly node: () => NodeShape | undefined
}

export const layerNodeRpc = (options: RpcRoutesOptions): Layer.Layer<never, never, HttpRouter | HttpDoor> => {
  const { logPath, node, settings } = options
  const routes = layerRpc(methodTable(nodeMethods, { logPath }), {
    threads: settings.rpcthreads,
    workQueue: settings.rpcworkqueue,
    mayCall: callRights(settings),
    around: options.isTraced ? traced : (_, call) => call,
    warmingUp: Effect.sync(() => (node() === undefined ? "Loading block index…" : undefined))
  })
  const known = Layer.merge(Layer.succeed(Rpc, nodeOf(options)), Layer.succeed(NodeContext, contextOf(options)))
  return Layer.provide(routes, known)
}

const traced: NonNullable<RpcOptions["around"]> = ({ name }, call) =>
  Effect.withSpan(call, `rpc ${name}`, { kind: "server", root: true })

/** Before there is a node no method is called. */
const started = ({ node }: RpcRoutesOptions): NodeShape => {
  const running = node()
  if (running === undefined) throw new Error("a method was called before the node was there")
  return running
}

const warningsOf = ({ params }: RpcRoutesOptions): RpcNode["warnings"] =>
  Effect.succeed(isPublic(params) ? [COINS_NOT_VERIFIED] : [])

const BYTES_PER_MIB = 1024 * 1024

/** What methods about the chain and the pool know. */
const contextOf = (options: RpcRoutesOptions): NodeContextShape => {
  const { prune } = options.settings
  return {
    get node() {
      return started(options)
    },
    params: options.params,
    sha256: platformSha256,
    prune: prune > 0 ? { targetBytes: prune === PRUNE_BY_HAND ? undefined : prune * BYTES_PER_MIB } : undefined,
    warnings: warningsOf(options),
    scan: noScan()
  }
}

/** What methods about the network and the process know. */
const nodeOf = (options: RpcRoutesOptions): RpcNode => ({
  get node() {
    return started(options)
  },
  params: options.params,
  version: CORE_VERSION,
  warnings: warningsOf(options),
  proxyOf: (network) => proxyOf(options.settings, network),
  log: {
    list: Effect.sync(() => options.wishes.list),
    set: (category, isLogged) => Effect.sync(() => options.wishes.set(category, isLogged))
  },
  uptimeSeconds: Effect.sync(() => process.uptime()),
  banSeconds: options.settings.bantime,
  stop: options.stop,
  clock: options.clock
})

/**
 * Clients ask for this number to learn which methods and fields there are (`bitcoin-cli -netinfo` refuses less than 209900), so it says whose they
 * are: Bitcoin Core 31. Which program this is, and its own version, `subversion` says.
 */
const CORE_VERSION = 310_000

const proxyOf = (settings: Settings, network: Network): ProxyInUse | undefined => {
  const { i2psam, onion, proxy, proxyrandomize } = settings
  const randomizesCredentials = proxyrandomize !== false
  if (network === "i2p") return inUse(i2psam, false)
  if (network === "torv3" && onion !== undefined) return inUse(onion, randomizesCredentials)
  return inUse(proxy, randomizesCredentials)
}

const inUse = (through: Through | undefined, randomizesCredentials: boolean): ProxyInUse | undefined => {
  if (through === undefined || through === "none") return undefined
  return {
    address: "path" in through ? `unix:${through.path}` : `${through.host}:${through.port}`,
    randomizesCredentials
  }
}

type Rights = Pick<RpcSettings, "rpcwhitelist" | "rpcwhitelistdefault">

/** Whether a user may call a method. */
export const callRights = ({
  rpcwhitelist,
  rpcwhitelistdefault = rpcwhitelist.length > 0
}: Rights): ((user: string, method: string) => boolean) => {
  const allowed = new Map<string, ReadonlySet<string>>()
  for (const { methods, user } of rpcwhitelist) {
    const before = allowed.get(user)
    // Of several lines only what all of them name may be called, as with Core.
    allowed.set(user, new Set(before === undefined ? methods : methods.filter((name) => before.has(name))))
  }
  return (user, method) => allowed.get(user)?.has(method) ?? !rpcwhitelistdefault
}
