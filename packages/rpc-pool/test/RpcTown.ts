/** A node of its own for each test, asked as a program would ask it: by a request, whose reply is held against its documentation. */
import { assert } from "@effect/vitest"
import { platformSha256 } from "@satwire/crypto/node"
import {
  type Json,
  type JsonArray,
  type JsonObject,
  dispatcher,
  methodTable,
  parseJson,
  result,
  writeJson
} from "@satwire/json-rpc"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { DEFAULT_MAX_INBOUND, type NodeOptions, type NodeShape, makeNode } from "@satwire/node"
import { regtest } from "@satwire/primitives"
import { NodeContext, type NodeContextShape, chainMethods, noScan } from "@satwire/rpc-chain"
import { poolMethods } from "@satwire/rpc-pool"
import { HeaderStore } from "@satwire/store"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"

const table = methodTable([...chainMethods, ...poolMethods])
const answer = dispatcher(table, {
  onDefect: (method, cause) => Effect.logError(method, cause)
})

export interface RpcFailure {
  readonly code: number
  readonly message: string
}

export interface RpcTown {
  readonly node: NodeShape
  readonly context: NodeContextShape
  /** The result, which is as its documentation says. Fails where there is none. */
  readonly call: (method: string, ...params: JsonArray) => Effect.Effect<Json, RpcFailure>
  readonly object: (method: string, ...params: JsonArray) => Effect.Effect<JsonObject, RpcFailure>
  readonly text: (method: string, ...params: JsonArray) => Effect.Effect<string, RpcFailure>
  /** The error, of a call that has one. */
  readonly error: (method: string, ...params: JsonArray) => Effect.Effect<RpcFailure, unknown>
}

const POOL = { relays: true, makes: true } as const

/** A regtest node that has blocks and transactions, changed where the test says so. */
export const rpcTown = (
  changes: Partial<NodeOptions> = {},
  more: Partial<NodeContextShape> = {}
): Effect.Effect<RpcTown, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const params = changes.params ?? regtest
    const options: NodeOptions = {
      params,
      roles: {
        headers: { serve: true, announce: true },
        mining: { payTo: ANYONE_CAN_SPEND },
        transactions: POOL
      },
      blocks: { serve: true },
      userAgent: "/satwire-test:0.0.0/",
      services: 0n,
      connect: [],
      listen: undefined,
      maxInbound: DEFAULT_MAX_INBOUND,
      dialTimeoutMs: 5000,
      ...changes
    }
    const edges = yield* Layer.build(Layer.fresh(Layer.merge(layerTcp, HeaderStore.layerMemory)))
    const node = yield* Effect.provide(makeNode(options), edges)
    const context: NodeContextShape = {
      node,
      params,
      sha256: platformSha256,
      warnings: Effect.succeed([]),
      scan: noScan(),
      ...more
    }
    return townOf(node, context)
  })

const townOf = (node: NodeShape, context: NodeContextShape): RpcTown => {
  const call: RpcTown["call"] = (method, ...params) =>
    Effect.gen(function* () {
      const body = writeJson({ jsonrpc: "2.0", id: 1, method, params })
      const reply = yield* Effect.provideService(answer(new TextEncoder().encode(body)), NodeContext, context)
      const read = Result.getOrThrow(parseJson(reply.body)) as JsonObject
      if (read["error"] !== undefined) return yield* Effect.fail(read["error"] as unknown as RpcFailure)
      const given = read["result"] ?? null
      assert.deepStrictEqual(result.differencesFromAll(table.methods.get(method)?.results ?? [], given), [], method)
      return given
    })
  return {
    node,
    context,
    call,
    object: (method, ...params) => Effect.map(call(method, ...params), (json) => json as JsonObject),
    text: (method, ...params) => Effect.map(call(method, ...params), (json) => json as string),
    error: (method, ...params) => Effect.flip(call(method, ...params))
  }
}
