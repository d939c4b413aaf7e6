/** A server of JSON-RPC on a free port of loopback, and requests to it to the byte. */
import { type Method, methodTable } from "@satwire/json-rpc"
import { type HttpDoorOptions, type ListenOptions, layerHttpDoor, listenHttp } from "@satwire/http-door"
import { type RpcOptions, layerRpc } from "@satwire/json-rpc/server"
import { type HttpReply, httpRequest, rawHttp } from "@satwire/testkit"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { methods } from "./Calls.ts"

export const PASSWORD = { user: "alice", password: "päss:word" } as const
export const AUTHORIZATION = `Basic ${Buffer.from("alice:päss:word").toString("base64")}`

export interface Served {
  readonly port: number
  /** The lines that were told of refusals. */
  readonly lines: ReadonlyArray<string>
  readonly close: () => Promise<void>
}

export interface Serving extends Partial<HttpDoorOptions>, RpcOptions {
  readonly methods?: ReadonlyArray<Method<never>>
  readonly listen?: Partial<ListenOptions>
}

/** Serves until it is closed. */
export const serve = async (options: Serving = {}): Promise<Served> => {
  const lines: Array<string> = []
  const door = layerHttpDoor({
    credentials: [PASSWORD],
    onRefusal: (line) => Effect.sync(() => lines.push(line)),
    ...options
  })
  const ready = Deferred.makeUnsafe<number, unknown>()
  const routes = layerRpc(methodTable(options.methods ?? methods), options)
  const program = Effect.gen(function* () {
    const [address] = yield* listenHttp(routes, { addresses: [{ host: "127.0.0.1", port: 0 }], ...options.listen })
    yield* Deferred.succeed(ready, address !== undefined && "port" in address ? address.port : 0)
    return yield* Effect.never
  }).pipe(
    Effect.tapCause((cause) => Deferred.failCause(ready, cause)),
    Effect.scoped,
    Effect.provide(door)
  )
  const fiber = Effect.runFork(program)
  const port = await Effect.runPromise(Deferred.await(ready))
  return { port, lines, close: () => Effect.runPromise(Fiber.interrupt(fiber)) }
}

/** A request as `bitcoin-cli` writes it: these headers, in this order, the address without a port. */
export const asBitcoinCli = (body: string, headers: Readonly<Record<string, string>> = {}, line = "POST /"): string =>
  httpRequest(
    line,
    {
      Host: "127.0.0.1",
      Connection: "close",
      "Content-Type": "application/json",
      Authorization: AUTHORIZATION,
      ...headers
    },
    body
  )

/** Sends one call with its password. */
export const call = (
  port: number,
  request: unknown,
  headers: Readonly<Record<string, string>> = {}
): Promise<HttpReply> =>
  rawHttp(port, asBitcoinCli(typeof request === "string" ? request : JSON.stringify(request), headers))
