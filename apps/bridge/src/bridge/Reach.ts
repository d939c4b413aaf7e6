/** From the endpoint that a page asks for to an open connection to it, or a reason that a page can be told. */
import { type Connection, type DialError, type DialReason, Dialer, type Endpoint } from "@satwire/transport"
import { BRIDGE_REFUSALS } from "@satwire/transport-websocket"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Dns from "effect/net/Dns"
import * as NetAddress from "effect/net/NetAddress"
import { type Targets, addressOf } from "./Targets.ts"

interface RefusalFields {
  /** One of `BRIDGE_REFUSALS`. */
  readonly code: number
  /** One sentence, without its full stop. */
  readonly why: string
}

const RefusalBase: new (fields: RefusalFields) => Cause.YieldableError & { readonly _tag: "Refusal" } & RefusalFields =
  Data.TaggedError("Refusal")

/** Why a page is not connected to what it asked for. */
export class Refusal extends RefusalBase {}

/**
 * Of the addresses that a name resolves to.
 *
 * @limit addresses of a name that a bridge dials one after another
 */
const MAX_ADDRESSES = 3

/** Resolves `endpoint` once, judges what comes of it, and dials that; all within `timeoutMs`. */
export const reach = (
  endpoint: Endpoint,
  targets: Targets,
  timeoutMs: number
): Effect.Effect<Connection, Refusal, Dialer | Dns.Dns> =>
  Effect.gen(function* () {
    const addresses = yield* addressesFor(endpoint, targets)
    const { dial } = yield* Dialer
    return yield* Effect.firstSuccessOf(
      addresses.map((host) => dial({ host, port: endpoint.port }, { timeoutMs }).pipe(Effect.mapError(refusalOf)))
    )
  }).pipe(
    Effect.timeoutOrElse({
      duration: timeoutMs,
      orElse: () => Effect.fail(new Refusal({ code: BRIDGE_REFUSALS.TimedOut, why: "it did not answer in time" }))
    })
  )

const addressesFor = (
  { host, port }: Endpoint,
  targets: Targets
): Effect.Effect<ReadonlyArray<string>, Refusal, Dns.Dns> =>
  Effect.gen(function* () {
    const refusal = targets.refusal({ host, port })
    if (refusal !== undefined) return yield* new Refusal({ code: BRIDGE_REFUSALS.NotAllowed, why: refusal })
    const literal = addressOf(host)
    if (literal !== undefined) return [NetAddress.formatIp(literal)]
    const dns = yield* Dns.Dns
    const resolved = yield* Effect.mapError(
      dns.lookup(host),
      () => new Refusal({ code: BRIDGE_REFUSALS.NameNotFound, why: "the name does not resolve" })
    )
    const allowed = resolved.filter((address) => targets.refusalOfResolved(address, port) === undefined)
    if (allowed.length > 0) return allowed.slice(0, MAX_ADDRESSES).map(NetAddress.formatIp)
    const why = targets.refusalOfResolved(resolved[0], port) ?? "it is not on the list"
    return yield* new Refusal({ code: BRIDGE_REFUSALS.NotAllowed, why })
  })

const CODES: Partial<Record<DialReason, number>> = {
  Refused: BRIDGE_REFUSALS.Refused,
  Unreachable: BRIDGE_REFUSALS.Unreachable,
  TimedOut: BRIDGE_REFUSALS.TimedOut,
  Reset: BRIDGE_REFUSALS.Reset
}

const refusalOf = ({ reason, message }: DialError): Refusal =>
  new Refusal({ code: CODES[reason] ?? BRIDGE_REFUSALS.Other, why: message.replace(/\.$/, "") })
