/**
 * Does the dials that the node's machine asks for, each in a fiber of its own, through whatever carries the bytes. Whom to dial and when is
 * the machine's business (`connections`).
 */
import type { DialId } from "@satwire/connections"
import type { NodeCoreCommand, NodeCoreInput } from "@satwire/node-core"
import { type Connection, Dialer, DialError, type DialReason, type Endpoint, parseEndpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { Connections } from "./Connections.ts"
import type { NodeFact } from "./NodeFact.ts"

type Dial = Extract<NodeCoreCommand, { readonly _tag: "Dial" }>

export interface Dialling {
  /** Begins a dial. It is not to be called within a turn. */
  readonly dial: (dial: Dial) => void
  /** Why a dial failed. It is told once. */
  readonly failure: (dial: DialId) => DialError
}

/** What fails on our side of the network, and so says nothing of the address. */
const OURS: ReadonlySet<DialReason> = new Set(["NoRoute", "ProxyUnreachable", "ProxyAuthentication", "ProxyFailed"])

/** Dials from now on, until the scope closes. */
export const dialling = (given: {
  readonly connections: Connections
  readonly submit: (input: NodeCoreInput) => void
  readonly tell: (fact: NodeFact) => void
  readonly dialTimeoutMs: number
}): Effect.Effect<Dialling, never, Dialer | Scope.Scope> =>
  Effect.gen(function* () {
    const { connections, dialTimeoutMs, submit, tell } = given
    const dialer = yield* Dialer
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    const failures = new Map<DialId, DialError>()
    let isOver = false
    yield* Effect.addFinalizer(() => Effect.sync(() => (isOver = true)))

    const dialled = ({ dial, kind, transport }: Dial, outcome: Result.Result<Connection, DialError>): void => {
      if (Result.isSuccess(outcome)) return connections.add(outcome.success, { dial, kind, transport })
      failures.set(dial, outcome.failure)
      submit({ _tag: "DialFailed", dial, isOurs: OURS.has(outcome.failure.reason) })
    }

    return {
      dial: (command) => {
        // A set that is closed would interrupt whoever asks.
        if (isOver) return
        const endpoint = endpointOf(command.endpoint)
        tell({ _tag: "PeerConnecting", endpoint, kind: command.kind })
        const attempt = Effect.uninterruptibleMask((restore) =>
          Effect.map(Effect.result(restore(dialer.dial(endpoint, { timeoutMs: dialTimeoutMs }))), (outcome) =>
            dialled(command, outcome)
          )
        )
        run(attempt)
      },
      failure: (dial) => {
        const failure = failures.get(dial)
        failures.delete(dial)
        return failure ?? new DialError({ reason: "Other", endpoint: NO_ENDPOINT, code: "" })
      }
    }
  })

const NO_ENDPOINT: Endpoint = { host: "0.0.0.0", port: 0 }

/** What the machine names is always an endpoint: it had it from us, or from an address. */
export const endpointOf = (text: string): Endpoint => Result.getOrThrow(parseEndpoint(text))
