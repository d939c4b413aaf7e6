/** Programs of the machine's that tests run for themselves on a port of loopback: proxies, routers. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as Net from "node:net"

const TRIES = 5

/** Runs it until the scope closes. `args` are for the port that it is to listen on. */
export const daemon = (
  executablePath: string,
  args: (port: number) => ReadonlyArray<string>
): Effect.Effect<{ readonly host: string; readonly port: number }, never, Scope.Scope> =>
  Effect.gen(function* () {
    // Such programs take no port 0 and do not say when they are there: another try where somebody else was faster.
    for (let tries = 1; ; tries++) {
      const at = { host: "127.0.0.1", port: yield* Effect.promise(freePort) }
      const child = yield* Effect.acquireRelease(
        Effect.sync(() => spawn(executablePath, args(at.port), { stdio: "ignore" })),
        (child) =>
          Effect.promise(async () => {
            if (child.exitCode !== null || child.signalCode !== null) return
            const gone = once(child, "exit")
            child.kill("SIGKILL")
            await gone
          })
      )
      while (child.exitCode === null) {
        if (yield* Effect.promise(() => accepts(at.host, at.port))) return at
      }
      if (tries === TRIES) {
        return yield* Effect.die(new Error(`${executablePath} ends with code ${child.exitCode} before it listens`))
      }
    }
  })

const freePort = async (): Promise<number> => {
  const server = Net.createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as Net.AddressInfo
  server.close()
  await once(server, "close")
  return port
}

const accepts = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = Net.connect({ host, port })
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false))
    socket.once("connect", () => socket.destroy())
  })
