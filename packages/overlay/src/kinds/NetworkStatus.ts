/** How a peer sees itself and the network. */
import * as Schema from "effect/Schema"
import { type Kind, type Method, kind, method } from "../Kind.ts"
import { Count, textUpTo } from "./Fields.ts"

export interface NetworkStatus {
  readonly peers: number
  readonly height: number
  readonly uptimeSeconds: number
  readonly syncing: boolean
  readonly agent: string
}

export const NetworkStatus: Kind<NetworkStatus> = kind(
  "network-status",
  Schema.Struct({ peers: Count, height: Count, uptimeSeconds: Count, syncing: Schema.Boolean, agent: textUpTo(256) }),
  { maxBytes: 1024 }
)

export const StatusMethod: Method<Record<string, never>, NetworkStatus> = method(
  "network-status",
  kind("network-status-request", Schema.Record(Schema.String, Schema.Never), { maxBytes: 16 }),
  NetworkStatus
)
