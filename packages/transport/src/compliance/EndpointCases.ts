/** Where one can listen and dial, and what is said where not. */
import { assert } from "@satwire/machine"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { DialError, type DialReason, Dialer } from "../Dialer.ts"
import { formatEndpoint } from "../Endpoint.ts"
import { ListenError, Listener } from "../Listener.ts"
import { type Case, type Lacks, hosted } from "./Case.ts"
import { Observed } from "./Observed.ts"

/** What a dial to where nobody listens is told, in a name of the case and as a reason. */
const unheard = ({ dialReasons, ports, refusals }: Lacks): readonly [name: string, reason: DialReason] => {
  if (dialReasons !== undefined) {
    return [`has no connection where nobody listens, and cannot say why: ${dialReasons}`, "Other"]
  }
  if (refusals !== undefined)
    return [`reaches nobody where nobody listens, and is not refused: ${refusals}`, "Unreachable"]
  if (ports !== undefined) return [`is told that nobody knows its protocol: ${ports}`, "UnsupportedProtocol"]
  return ["is refused where nobody listens", "Refused"]
}

export const endpointCases = (it: Case, host: string, foreignHost: string, lacks: Lacks): void => {
  const [name, expected] = unheard(lacks)
  it(
    name,
    Effect.gen(function* () {
      const free = yield* Effect.scoped(hosted(host))
      const { dial, connections } = yield* Dialer
      const error = yield* Effect.flip(dial(free.listening.endpoint))
      assert(error instanceof DialError && error.reason === expected, `failed with ${String(error)}`)
      assert(error.message.includes(formatEndpoint(free.listening.endpoint)), "the error does not name the endpoint")
      assert(connections() === 0, "a refused attempt is still counted")
    })
  )
  it(
    "frees the endpoint when the listener's scope closes, and keeps the connections",
    Effect.gen(function* () {
      const { dial } = yield* Dialer
      const { listen } = yield* Listener
      const scope = yield* Scope.make()
      const first = yield* Scope.provide(hosted(host), scope)
      const near = new Observed(yield* dial(first.listening.endpoint), first.signal)
      yield* first.signal.until(() => first.accepted.length === 1)
      yield* Scope.close(scope, Exit.void)
      yield* listen({ host, port: first.listening.endpoint.port }, () => undefined)
      near.connection.write(Uint8Array.of(1))
      yield* first.signal.until(() => first.accepted[0]?.length === 1)
    })
  )
  it(
    "says that an endpoint is in use",
    Effect.gen(function* () {
      const { listening } = yield* hosted(host)
      const { listen } = yield* Listener
      const error = yield* Effect.flip(listen({ host, port: listening.endpoint.port }, () => undefined))
      assert(error instanceof ListenError && error.reason === "AddressInUse", `failed with ${String(error)}`)
      assert(error.message.includes(formatEndpoint(listening.endpoint)), "the error does not name the endpoint")
    })
  )
  it(
    "says that an address is not one of this machine",
    Effect.gen(function* () {
      const { listen } = yield* Listener
      const error = yield* Effect.flip(listen({ host: foreignHost, port: 0 }, () => undefined))
      assert(error.reason === "AddressNotAvailable", `failed with ${String(error)}`)
    })
  )
}
