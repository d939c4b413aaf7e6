/** Opens connections. Every transport gives one; whoever dials does not see which. */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Connection } from "./Connection.ts"
import { type Endpoint, formatEndpoint } from "./Endpoint.ts"

/**
 * Bitcoin Core's `DEFAULT_CONNECT_TIMEOUT` (netbase.h).
 *
 * @limit milliseconds of a dial, unless it says otherwise
 */
export const DEFAULT_CONNECT_TIMEOUT_MS = 5000

export interface DialOptions {
  /** How long the attempt may take, name resolution included. {@link DEFAULT_CONNECT_TIMEOUT_MS} where not given. */
  readonly timeoutMs?: number | undefined
}

export interface DialerShape {
  /**
   * Opens a connection, which lives until either end closes it or the scope of this dialer's layer does. Interrupting the attempt
   * leaves nothing behind.
   */
  readonly dial: (endpoint: Endpoint, options?: DialOptions) => Effect.Effect<Connection, DialError>
  /** How many connections of this dialer are open now, attempts under way included. */
  readonly connections: () => number
}

const DialerBase: Context.ServiceClass<Dialer, "@satwire/transport/Dialer", DialerShape> = Context.Service<
  Dialer,
  DialerShape
>()("@satwire/transport/Dialer")

export class Dialer extends DialerBase {}

/** Why there is no connection. No transport knows all of these; who reads them need not know which one dialled. */
export type DialReason =
  /** Somebody is there and nobody listens on that port. */
  | "Refused"
  /** Somebody is there, and does not know the protocol that was asked for. */
  | "UnsupportedProtocol"
  /** No route to that host or network. */
  | "Unreachable"
  | "TimedOut"
  /** The name does not resolve. */
  | "NameNotFound"
  /** Dropped before the connection stood. */
  | "Reset"
  /** Nothing here leads to an endpoint of its kind, or what would is switched off. */
  | "NoRoute"
  /** Who carries connections for others (a proxy, a bridge) does not allow this one. */
  | "NotAllowed"
  /** The proxy itself refuses connections, cannot be reached, or dropped ours. */
  | "ProxyUnreachable"
  /** The proxy wants credentials, or others than it got. */
  | "ProxyAuthentication"
  /** The proxy could not do what it is for, or did not speak its own protocol. */
  | "ProxyFailed"
  /** The TLS handshake failed: a certificate, its name, a version. */
  | "Tls"
  /** A web server answered, and not with a WebSocket: the code is its HTTP status. */
  | "HttpStatus"
  /** Whatever answered there does not speak this transport's protocol, or is not who was asked for. */
  | "BadHandshake"
  | "Other"

interface DialErrorFields {
  readonly reason: DialReason
  readonly endpoint: Endpoint
  /** The code of whoever said so: the platform's (`ECONNREFUSED`), a proxy's, an HTTP status. */
  readonly code: string
  /** One sentence that names the endpoint and what happened. */
  readonly message: string
}

const DialErrorBase: new (
  fields: DialErrorFields
) => Cause.YieldableError & { readonly _tag: "DialError" } & DialErrorFields = Data.TaggedError("DialError")

type Told = Omit<DialErrorFields, "message"> & {
  readonly detail?: string
  /** What was dialled, where the endpoint does not say. */
  readonly asked?: string | undefined
}

/** No connection came about. A local failure, and nobody's fault in the protocol. */
export class DialError extends DialErrorBase {
  constructor({ detail, asked, ...fields }: Told) {
    const to = asked ?? formatEndpoint(fields.endpoint)
    super({ ...fields, message: SENTENCES[fields.reason](to, detail ?? fields.code) })
  }
}

/**
 * A dial made of a transport's own attempt, for those who write a transport: bounds it in time, and leaves nothing behind where it
 * is interrupted, also in the moment between the connection's making and its delivery.
 *
 * @param begin starts the attempt, calls `done` once, and returns what gives it up: at once, or when what it returns is done
 */
export const dialWith = (
  endpoint: Endpoint,
  options: DialOptions | undefined,
  begin: (done: (outcome: Connection | DialError) => void) => () => Effect.Effect<void> | void
): Effect.Effect<Connection, DialError> =>
  Effect.suspend(() => {
    let made: Connection | undefined
    return Effect.callback<Connection, DialError>((resume) => {
      const giveUp = begin((outcome) => {
        if (outcome instanceof DialError) return resume(Effect.fail(outcome))
        made = outcome
        resume(Effect.succeed(outcome))
      })
      return Effect.suspend(() => giveUp() ?? Effect.void)
    }).pipe(
      Effect.timeoutOrElse({
        duration: options?.timeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
        orElse: () => Effect.fail(new DialError({ reason: "TimedOut", endpoint, code: "ETIMEDOUT" }))
      }),
      Effect.onError(() => Effect.sync(() => made?.destroy()))
    )
  })

const SENTENCES: Record<DialReason, (to: string, detail: string) => string> = {
  Refused: (to) => `${to} refused the connection: nobody listens there.`,
  UnsupportedProtocol: (to, detail) => `${to} does not know the protocol that was asked for (${detail}).`,
  Unreachable: (to, detail) => `${to} cannot be reached from here (${detail}).`,
  TimedOut: (to) => `${to} did not answer in time.`,
  NameNotFound: (to, detail) => `${to}: the name does not resolve (${detail}).`,
  Reset: (to) => `${to} dropped the connection while it was being made.`,
  NoRoute: (to, detail) => `Nothing here leads to ${to}: ${detail}.`,
  NotAllowed: (to, detail) => `No connection to ${to}: it is not allowed (${detail}).`,
  ProxyUnreachable: (to, detail) => `No connection to ${to}: its proxy is not to be reached (${detail}).`,
  ProxyAuthentication: (to, detail) => `No connection to ${to}: its proxy does not accept who asks (${detail}).`,
  ProxyFailed: (to, detail) => `No connection to ${to}: its proxy failed (${detail}).`,
  Tls: (to, detail) => `No connection to ${to}: the TLS handshake failed (${detail}).`,
  HttpStatus: (to, detail) => `${to} answered with HTTP status ${detail} and not with a WebSocket.`,
  BadHandshake: (to, detail) => `${to} answered, and not with the handshake that was asked for (${detail}).`,
  Other: (to, detail) => `No connection to ${to}: ${detail}.`
}
