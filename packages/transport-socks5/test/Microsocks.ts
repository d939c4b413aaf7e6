/** Debian's `microsocks` as a process of its own, a proxy that nobody here wrote. */
import { daemon } from "@satwire/testkit"
import type { Endpoint } from "@satwire/transport"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Runs it until the scope closes, for anybody or for one user. */
export const microsocks = (
  executablePath: string,
  user?: { readonly username: string; readonly password: string }
): Effect.Effect<Endpoint, never, Scope.Scope> => {
  const asks = user === undefined ? [] : ["-u", user.username, "-P", user.password]
  return daemon(executablePath, (port) => ["-i", "127.0.0.1", "-p", String(port), ...asks])
}
