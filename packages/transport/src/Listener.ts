/** Accepts connections. Every transport that can be dialled gives one. */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Connection } from "./Connection.ts"
import { type Endpoint, formatEndpoint } from "./Endpoint.ts"

export interface ListenOptions {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** How many connections may wait to be accepted. */
  readonly backlog?: number | undefined
}

/** A listening endpoint, open as long as the scope that it was made in. */
export interface Listening {
  /** Where it listens in fact: a port 0 has become the one that was given. */
  readonly endpoint: Endpoint
  /** How many accepted connections are open now. */
  readonly connections: () => number
  /** Waits until it listens no more though its scope is open, and says why; for ever where it does not end so or mends itself. */
  readonly lost: Effect.Effect<ListenError>
}

export interface ListenerShape {
  /**
   * Listens until the scope closes; then the endpoint is free at once, and the connections already accepted live on, until the
   * scope of this listener's layer closes. `onConnection` is called from the event loop, and not as an Effect, because a fiber for
   * each connection costs four times the memory of the socket. A connection waits unread until it is started.
   */
  readonly listen: (
    options: ListenOptions,
    onConnection: (connection: Connection) => void
  ) => Effect.Effect<Listening, ListenError, Scope.Scope>
  /** How many accepted connections are open now, over all endpoints of this listener. */
  readonly connections: () => number
}

const ListenerBase: Context.ServiceClass<Listener, "@satwire/transport/Listener", ListenerShape> = Context.Service<
  Listener,
  ListenerShape
>()("@satwire/transport/Listener")

export class Listener extends ListenerBase {}

/** Why listening failed. */
export type ListenReason = "AddressInUse" | "AddressNotAvailable" | "PermissionDenied" | "Other"

interface ListenErrorFields {
  readonly reason: ListenReason
  readonly endpoint: Endpoint
  /** The platform's own code, such as `EADDRINUSE`. */
  readonly code: string
  /** One sentence that names the endpoint, what happened and what to do. */
  readonly message: string
}

const ListenErrorBase: new (
  fields: ListenErrorFields
) => Cause.YieldableError & { readonly _tag: "ListenError" } & ListenErrorFields = Data.TaggedError("ListenError")

type Told = Omit<ListenErrorFields, "message"> & {
  readonly detail?: string
  /** What was to be listened on, where the endpoint does not say. */
  readonly asked?: string | undefined
}

export class ListenError extends ListenErrorBase {
  constructor({ detail, asked, ...fields }: Told) {
    super({ ...fields, message: SENTENCES[fields.reason](fields.endpoint, detail ?? fields.code, asked) })
  }
}

const SENTENCES: Record<ListenReason, (endpoint: Endpoint, detail: string, asked?: string) => string> = {
  AddressInUse: (endpoint) =>
    `${formatEndpoint(endpoint)} is taken by another process or listener: stop it or choose another port.`,
  AddressNotAvailable: ({ host }) =>
    `${host} is no address of this machine: listen on one that it has, or on 0.0.0.0 or ::.`,
  PermissionDenied: (endpoint) =>
    `${formatEndpoint(endpoint)} may not be listened on by this user: choose a port from 1024 on.`,
  Other: (endpoint, detail, asked) => `Cannot listen on ${asked ?? formatEndpoint(endpoint)}: ${detail}.`
}
