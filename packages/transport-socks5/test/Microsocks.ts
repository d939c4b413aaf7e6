/** Debian's `microsocks` as a process of its own, a proxy that nobody here wrote. */
import type { Endpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as Net from "node:net"

/** Runs it until the scope closes, for anybody or for one user. */
export const microsocks = (
  executablePath: string,
  user?: { readonly username: string; readonly password: string }
): Effect.Effect<Endpoint, never, Scope.Scope> =>
  Effect.gen(function* () {
    // It takes no port 0 and does not say when it is there: another try where somebody else was faster.
    for (;;) {
      const proxy = { host: "127.0.0.1", port: yield* Effect.promise(freePort) }
      const options = ["-i", proxy.host, "-p", String(proxy.port)]
      const asks = user === undefined ? [] : ["-u", user.username, "-P", user.password]
      const child = yield* Effect.acquireRelease(
        Effect.sync(() => spawn(executablePath, [...options, ...asks], { stdio: "ignore" })),
        (child) =>
          Effect.promise(async () => {
            if (child.exitCode !== null || child.signalCode !== null) return
            const gone = once(child, "exit")
            child.kill("SIGKILL")
            await gone
          })
      )
      while (child.exitCode === null) {
        if (yield* Effect.promise(() => accepts(proxy))) return proxy
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

const accepts = (proxy: Endpoint): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = Net.connect({ host: proxy.host, port: proxy.port })
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false))
    socket.once("connect", () => socket.destroy())
  })
