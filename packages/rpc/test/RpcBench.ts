/** Nodes over loopback with the methods in front of them, called as a client would, in this process. */
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { type Json, type JsonObject, dispatcher, methodTable, parseJson, result } from "@satwire/json-rpc"
import { DEFAULT_MAX_INBOUND, Node, type NodeFact, type NodeOptions, type NodeShape } from "@satwire/node"
import { regtest } from "@satwire/primitives"
import { COINS_NOT_VERIFIED, Rpc, type RpcNode, controlMethods, networkMethods } from "@satwire/rpc"
import { MockableClock } from "@satwire/runtime"
import { HeaderStore } from "@satwire/store"
import { formatEndpoint } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

export const table = methodTable([...networkMethods, ...controlMethods])
const answer = dispatcher(table)

const LOOPBACK = "127.0.0.1"

/** What a call came to: its result, or its error. */
export type Called = { readonly result: Json } | { readonly code: number; readonly message: string }

export interface Bench {
  readonly node: NodeShape
  readonly address: string
  /** What the process was asked: to stop, and what is logged. */
  readonly process: { stops: number; readonly log: Map<string, boolean> }
  /** Calls a method by position or by name. Dies where the answer is not as the method's documentation says. */
  readonly call: (name: string, params?: ReadonlyArray<Json> | JsonObject) => Effect.Effect<Called>
  /** The result of a call that is to succeed. */
  readonly ask: (name: string, params?: ReadonlyArray<Json> | JsonObject) => Effect.Effect<Json>
  readonly objects: (name: string, params?: ReadonlyArray<Json>) => Effect.Effect<ReadonlyArray<JsonObject>>
  /** The error code of a call that is to fail, and its first line. */
  readonly fails: (name: string, params?: ReadonlyArray<Json> | JsonObject) => Effect.Effect<readonly [number, string]>
  /** Waits for a fact. */
  readonly until: <Tag extends NodeFact["_tag"]>(tag: Tag) => Effect.Effect<void>
}

const isChecked = (name: string, json: Json): void => {
  const differences = result.differencesFromAll(table.methods.get(name)?.results ?? [], json)
  if (differences.length > 0) throw new Error(`${name} is not as its documentation says: ${differences.join("; ")}`)
}

const benchOf = (node: NodeShape, more: Partial<RpcNode>): Bench => {
  const process = {
    stops: 0,
    log: new Map([
      ["net", false],
      ["http", false],
      ["addrman", true]
    ])
  }
  const rpc: RpcNode = {
    node,
    params: regtest,
    version: 10_200,
    warnings: Effect.succeed([COINS_NOT_VERIFIED]),
    proxyOf: (network) =>
      network === "torv3" ? { address: "127.0.0.1:9050", randomizesCredentials: true } : undefined,
    log: {
      list: Effect.sync(() => [...process.log]),
      set: (category, isLogged) =>
        Effect.sync(() => process.log.has(category) && process.log.set(category, isLogged) === process.log)
    },
    stop: Effect.sync(() => void process.stops++),
    uptimeSeconds: Effect.succeed(7.9),
    banSeconds: 43_200,
    clock: undefined,
    ...more
  }
  const call: Bench["call"] = (name, params = []) => {
    const request = new TextEncoder().encode(JSON.stringify({ jsonrpc: "2.0", id: 1, method: name, params }))
    return Effect.map(Effect.provideService(answer(request), Rpc, rpc), ({ body }) => {
      const { error, result } = Result.getOrThrow(parseJson(body.trimEnd())) as JsonObject
      if (error !== undefined) return error as { readonly code: number; readonly message: string }
      isChecked(name, result ?? null)
      return { result: result ?? null }
    })
  }
  const ask: Bench["ask"] = (name, params) =>
    Effect.map(call(name, params), (called) => {
      if ("result" in called) return called.result
      throw new Error(`${name} failed with ${called.code}: ${called.message}`)
    })
  return {
    node,
    address: node.listening === undefined ? "" : formatEndpoint(node.listening),
    process,
    call,
    ask,
    objects: (name, params) => Effect.map(ask(name, params), (json) => json as ReadonlyArray<JsonObject>),
    fails: (name, params) =>
      Effect.map(call(name, params), (called) => {
        if ("result" in called) throw new Error(`${name} succeeded`)
        return [called.code, called.message.split("\n")[0] ?? ""] as const
      }),
    until: (tag) =>
      Stream.runDrain(
        node.facts.pipe(
          Stream.filter(({ _tag }) => _tag === tag),
          Stream.take(1)
        )
      )
  }
}

/** A regtest node that listens, serves and mines, changed where the test says so. */
export const startBench = (
  changes: Partial<NodeOptions> = {},
  more: Partial<RpcNode> = {}
): Effect.Effect<Bench, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const options: NodeOptions = {
      params: regtest,
      roles: { headers: { serve: true, announce: true }, mining: { payTo: ANYONE_CAN_SPEND } },
      userAgent: "/satwire-test:0.0.0(a b)/",
      services: 0n,
      connect: [],
      listen: { host: LOOPBACK, port: 0 },
      maxInbound: DEFAULT_MAX_INBOUND,
      dialTimeoutMs: 5000,
      ...changes
    }
    const clocks = yield* Layer.build(MockableClock.layer())
    const edges = Layer.fresh(Layer.mergeAll(layerTcp, HeaderStore.layerMemory))
    const context = yield* Effect.provideContext(Layer.build(Layer.provide(Node.layer(options), edges)), clocks)
    return benchOf(Context.get(context, Node), { clock: Context.get(clocks, MockableClock), ...more })
  })
