/** The other ends of the tests: plain sockets that do what a connection of ours never would. */
import type { Endpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import * as Net from "node:net"
import { once } from "node:events"

/** Waits for an event of a plain emitter. */
export const event = (
  emitter: Net.Socket | Net.Server | ChildProcess,
  name: string
): Effect.Effect<ReadonlyArray<unknown>> => Effect.promise(() => once(emitter, name) as Promise<Array<unknown>>)

export interface RawServer {
  readonly endpoint: Endpoint
  /** The first socket that is accepted; it reads nothing until told. */
  readonly accepted: Effect.Effect<Net.Socket>
}

export const rawServer: Effect.Effect<RawServer, never, Scope.Scope> = Effect.gen(function* () {
  const sockets: Array<Net.Socket> = []
  const server = Net.createServer({ pauseOnConnect: true }, (socket) => {
    socket.on("error", () => undefined)
    sockets.push(socket)
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
  )
  const first = once(server, "connection") as Promise<[Net.Socket]>
  server.listen(0, "127.0.0.1")
  yield* event(server, "listening")
  const { port } = server.address() as Net.AddressInfo
  return {
    endpoint: { host: "127.0.0.1", port },
    accepted: Effect.map(
      Effect.promise(() => first),
      ([socket]) => socket
    )
  }
})

/** How this runtime runs a file. */
const RUN = "Deno" in globalThis ? ["run", "-A"] : []

/** A process that listens with the shortest queue and accepts nothing, so that the kernel lets attempts wait. Linux only. */
export const deafListener: Effect.Effect<Endpoint, never, Scope.Scope> = Effect.gen(function* () {
  const script = new URL("./DeafListener.mjs", import.meta.url).pathname
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [...RUN, script], { stdio: ["ignore", "pipe", "inherit"] })),
    (child) =>
      Effect.promise(() => {
        const gone = once(child, "exit")
        child.kill("SIGKILL")
        return gone
      })
  )
  const [line] = yield* Effect.promise(() => once(child.stdout, "data") as Promise<[Uint8Array]>)
  return { host: "127.0.0.1", port: Number(new TextDecoder().decode(line)) }
})
