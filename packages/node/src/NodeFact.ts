/** What a node tells: everything its machines put out as facts, and what happens at its edge. */
import type { NodeCoreFact } from "@satwire/node-core"
import type { DialError, Endpoint } from "@satwire/transport"

export type EdgeFact =
  /** The headers that were kept are in the tree again. */
  | { readonly _tag: "HeadersLoaded"; readonly count: number; readonly height: number }
  | { readonly _tag: "Listening"; readonly endpoint: Endpoint }
  | { readonly _tag: "DialFailed"; readonly endpoint: Endpoint; readonly error: DialError; readonly retryInMs: number }
  /** An address that broke the rules is not dialled again by this run. */
  | { readonly _tag: "PeerGivenUp"; readonly endpoint: Endpoint }
  /** Headers are on disk and survive any crash from here on. */
  | { readonly _tag: "HeadersStored"; readonly count: number }

export type NodeFact = NodeCoreFact | EdgeFact
