/** What can be asked of a peer, what answers it, and how that fails. */
import { type BlockHash, type BlockView, type TransactionView, type Txid, ZERO_HASH } from "@satwire/primitives"
import {
  type Addr,
  type AddrV2,
  BASIC_FILTER_TYPE,
  type CFCheckpt,
  type CFHeaders,
  type CFilter,
  GETADDR,
  type Headers,
  Inventory,
  MAX_GETCFILTERS_SIZE,
  MSG_WITNESS_BLOCK,
  MSG_WITNESS_TX,
  type Message,
  PROTOCOL_VERSION
} from "@satwire/wire"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

export type Request =
  /** Headers behind the first hash of `locator` that the peer knows, up to 2,000, or up to `stopHash`. */
  | {
      readonly _tag: "Headers"
      readonly locator: ReadonlyArray<BlockHash>
      readonly stopHash: BlockHash | undefined
    }
  | { readonly _tag: "Block"; readonly hash: BlockHash }
  | { readonly _tag: "Transaction"; readonly txid: Txid }
  | { readonly _tag: "Addresses" }
  /** Basic filters of the blocks from a height on up to the block `stopHash`, at most 1,000 (BIP-0157). */
  | { readonly _tag: "Filters"; readonly startHeight: number; readonly stopHash: BlockHash }
  | { readonly _tag: "FilterHeaders"; readonly startHeight: number; readonly stopHash: BlockHash }
  | { readonly _tag: "FilterCheckpoints"; readonly stopHash: BlockHash }

export interface Answers {
  readonly Headers: Headers
  readonly Block: BlockView
  readonly Transaction: TransactionView
  readonly Addresses: Addr | AddrV2
  readonly Filters: ReadonlyArray<CFilter>
  readonly FilterHeaders: CFHeaders
  readonly FilterCheckpoints: CFCheckpt
}

export type Answer = Answers[keyof Answers]

/** How many filters answer one question at most. */
export const mostFilters: number = MAX_GETCFILTERS_SIZE

/** The message that asks. */
export const firstMessage = (request: Request): Message => {
  const filterType = BASIC_FILTER_TYPE
  switch (request._tag) {
    case "Headers": {
      const { locator, stopHash = ZERO_HASH } = request
      return { _tag: "getheaders", protocolVersion: PROTOCOL_VERSION, locator, stopHash }
    }
    case "Block":
      return { _tag: "getdata", inventory: Inventory.ofType(MSG_WITNESS_BLOCK, [request.hash]) }
    case "Transaction":
      return { _tag: "getdata", inventory: Inventory.ofType(MSG_WITNESS_TX, [request.txid]) }
    case "Addresses":
      return GETADDR
    case "Filters":
      return { _tag: "getcfilters", filterType, startHeight: request.startHeight, stopHash: request.stopHash }
    case "FilterHeaders":
      return { _tag: "getcfheaders", filterType, startHeight: request.startHeight, stopHash: request.stopHash }
    case "FilterCheckpoints":
      return { _tag: "getcfcheckpt", filterType, stopHash: request.stopHash }
  }
}

/** Why a question has no answer, though the session goes on. */
export type RequestFault =
  /** The peer does not have it (`notfound`). */
  | { readonly _tag: "NotFound" }
  /** It took too long. */
  | { readonly _tag: "TimedOut"; readonly afterMs: number }
  /** What it sent is not what it claims to be. */
  | { readonly _tag: "BadAnswer"; readonly what: string }
  /** It may not be asked of this peer: `why` says what it does not offer or speak. */
  | { readonly _tag: "NotPermitted"; readonly why: string }

interface RequestFailedFields {
  readonly fault: RequestFault
  /** What was asked. */
  readonly request: Request["_tag"]
  /** Whose doing it was: a peer may well not have something, and nobody is to blame. */
  readonly by: "peer" | "us" | "nobody"
  /** The other end, as `host:port`. */
  readonly peer: string
  /** One sentence. */
  readonly message: string
}

const RequestFailedBase: new (
  fields: RequestFailedFields
) => Cause.YieldableError & { readonly _tag: "RequestFailed" } & RequestFailedFields = Data.TaggedError("RequestFailed")

/** One question was not answered; the session goes on. */
export class RequestFailed extends RequestFailedBase {}

const WHAT: { readonly [Tag in Request["_tag"]]: string } = {
  Headers: "headers",
  Block: "a block",
  Transaction: "a transaction",
  Addresses: "addresses",
  Filters: "filters",
  FilterHeaders: "filter headers",
  FilterCheckpoints: "filter checkpoints"
}

/** The error for a question to `peer`. */
export const requestFailed = (peer: string, request: Request["_tag"], fault: RequestFault): RequestFailed => {
  const what = WHAT[request]
  switch (fault._tag) {
    case "NotFound":
      return new RequestFailed({ peer, request, fault, by: "nobody", message: `${peer} does not have ${what}` })
    case "TimedOut":
      return new RequestFailed({
        peer,
        request,
        fault,
        by: "peer",
        message: `${peer} was asked for ${what} and said nothing for ${fault.afterMs / 1000} s`
      })
    case "BadAnswer":
      return new RequestFailed({
        peer,
        request,
        fault,
        by: "peer",
        message: `${peer} was asked for ${what} and sent ${fault.what}`
      })
    case "NotPermitted":
      return new RequestFailed({
        peer,
        request,
        fault,
        by: "us",
        message: `${peer} cannot be asked for ${what}: ${fault.why}`
      })
  }
}
