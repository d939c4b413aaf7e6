/** Why a call had no answer of JSON-RPC: nobody there, not let in, or something else that answers there. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

export type RpcClientFault =
  /** Nobody listens there, or the connection was lost. */
  | "unreachable"
  /** No answer in time. */
  | "timeout"
  /** 401: no password, or a wrong one. */
  | "unauthorized"
  /** 403: this address or this user may not. */
  | "forbidden"
  /** 503: too many requests wait already. */
  | "busy"
  /** Another status of HTTP, or an answer that is no JSON-RPC. */
  | "no JSON-RPC"

interface RpcClientErrorFields {
  readonly fault: RpcClientFault
  /** The status of HTTP, where there was an answer. */
  readonly status?: number
  /** One sentence. */
  readonly message: string
}

const RpcClientErrorBase: new (
  fields: RpcClientErrorFields
) => Cause.YieldableError & { readonly _tag: "RpcClientError" } & RpcClientErrorFields =
  Data.TaggedError("RpcClientError")

export class RpcClientError extends RpcClientErrorBase {}
