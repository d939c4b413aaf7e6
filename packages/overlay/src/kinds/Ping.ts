/** Whether a peer is there, and how far away. */
import * as Schema from "effect/Schema"
import { type Kind, type Method, kind, method } from "../Kind.ts"
import { Count } from "./Fields.ts"

export interface Ping {
  readonly nonce: number
}

export const Ping: Kind<Ping> = kind("ping", Schema.Struct({ nonce: Count }), { maxBytes: 64 })

/** The answer has the nonce of the question. */
export const PingMethod: Method<Ping, Ping> = method(
  "ping",
  Ping,
  kind("pong", Schema.Struct({ nonce: Count }), { maxBytes: 64 })
)
