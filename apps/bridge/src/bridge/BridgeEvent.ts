/** What happens at a bridge, for its log. */
import type { Endpoint } from "@satwire/transport"

/** Who asked for what. */
export interface Asker {
  /** Address of who asks. */
  readonly source: string
  readonly origin: string | undefined
  /** What was asked for, as the URL has it, cut short; empty where it has nothing. */
  readonly target: string
}

export type BridgeEvent =
  | { readonly _tag: "Listening"; readonly endpoint: Endpoint }
  /** No WebSocket: an HTTP status was the answer. */
  | { readonly _tag: "Rejected"; readonly asker: Asker; readonly status: number; readonly why: string }
  /** A WebSocket that closed at once with a code. */
  | { readonly _tag: "Refused"; readonly asker: Asker; readonly code: number; readonly why: string }
  /** A page and a node are connected; `address` is what was dialled. */
  | { readonly _tag: "Carrying"; readonly asker: Asker; readonly address: Endpoint }
  /** They are no more. */
  | { readonly _tag: "Carried"; readonly asker: Asker; readonly summary: Summary }

/** A connection that is over. */
export interface Summary {
  readonly why: string
  readonly toNodeBytes: number
  readonly toPageBytes: number
  readonly seconds: number
}
