/** Two routes behind a door, on a free port of loopback. */
import { HttpDoor, type HttpDoorOptions, type ListenOptions, layerHttpDoor, listenHttp } from "@satwire/http-door"
import { type HttpReply, httpRequest, rawHttp } from "@satwire/testkit"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { HttpRouter } from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"

export const AUTHORIZATION = `Basic ${Buffer.from("alice:päss:word").toString("base64")}`

export interface Served {
  readonly port: number
  /** The lines that were told of refusals. */
  readonly lines: ReadonlyArray<string>
  readonly close: () => Promise<void>
}

const routes = Layer.effectDiscard(
  Effect.gen(function* () {
    const router = yield* HttpRouter
    const door = yield* HttpDoor
    yield* router.add(
      "GET",
      "/guarded",
      door.guarded((user) => Effect.succeed(HttpServerResponse.text(user)))
    )
    yield* router.add("GET", "/open", door.open(Effect.succeed(HttpServerResponse.text("open"))))
  })
)

export const serve = async (options: Partial<HttpDoorOptions & ListenOptions> = {}): Promise<Served> => {
  const lines: Array<string> = []
  const door = layerHttpDoor({
    credentials: [{ user: "alice", password: "päss:word" }],
    onRefusal: (line) => Effect.sync(() => lines.push(line)),
    ...options
  })
  const ready = Deferred.makeUnsafe<number, unknown>()
  const program = Effect.gen(function* () {
    const [address] = yield* listenHttp(routes, { addresses: [{ host: "127.0.0.1", port: 0 }], ...options })
    yield* Deferred.succeed(ready, address !== undefined && "port" in address ? address.port : 0)
    return yield* Effect.never
  })
  const running = program.pipe(
    Effect.tapCause((cause) => Deferred.failCause(ready, cause)),
    Effect.scoped,
    Effect.provide(door)
  )
  const fiber = Effect.runFork(running)
  const port = await Effect.runPromise(Deferred.await(ready))
  return { port, lines, close: () => Effect.runPromise(Fiber.interrupt(fiber)) }
}

/** A request with its password, and these headers besides or instead. */
export const get = (
  port: number,
  headers: Readonly<Record<string, string>> = {},
  path = "/guarded"
): Promise<HttpReply> =>
  rawHttp(
    port,
    httpRequest(`GET ${path}`, {
      Host: "127.0.0.1",
      Connection: "close",
      "Content-Length": "",
      Authorization: AUTHORIZATION,
      ...headers
    })
  )
