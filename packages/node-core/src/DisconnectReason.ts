/** Why a connection ended, whoever ended it: every manager's reasons in one closed union that prints as one sentence. */
import type { BadBlock, BlockStalling, BlockTimeout, NotServed } from "@satwire/block-sync"
import type { LetGo } from "@satwire/connections"
import type { AddressFault } from "@satwire/discovery"
import type { BadFilter, FilterDisagrees, FilterTimeout } from "@satwire/filter-sync"
import type { ChainTimeout, HeadersTimeout, InvalidHeader, LittleWork } from "@satwire/header-sync"
import type { BloomFault } from "@satwire/node-roles"
import type { PoolNotServed, TransactionsUnwanted } from "@satwire/tx-relay"
import type { BadCompactBlock } from "@satwire/compact-blocks"
import { type PeerDisconnectReason, describePeerDisconnect } from "@satwire/peer"

import { MAX_EXCHANGES_WAITING } from "./Exchanges.ts"

export type DisconnectReason =
  | PeerDisconnectReason
  | InvalidHeader
  | HeadersTimeout
  | ChainTimeout
  | LittleWork
  | BadBlock
  | BlockStalling
  | BlockTimeout
  | NotServed
  | BadFilter
  | FilterTimeout
  | FilterDisagrees
  | BadCompactBlock
  | TransactionsUnwanted
  | PoolNotServed
  | BloomFault
  /** Too many others wait for the key exchange of BIP-0324, and it waited for longest. */
  | { readonly _tag: "ExchangeCrowdedOut" }
  /** All peers together have sent more of unfinished messages than we hold, and it most. */
  | { readonly _tag: "HeldTooMuch"; readonly heldBytes: number }
  /** The other side, or the network between, ended it. `how` is the transport's word for it. */
  | { readonly _tag: "ClosedByPeer"; readonly how: string }
  | AddressFault
  /** We dialled it for addresses, and they have come, or will not. */
  | { readonly _tag: "AddressesFetched"; readonly answered: boolean }
  /** It did nothing wrong, and the connection manager chose it to go. */
  | { readonly _tag: "LetGo"; readonly because: LetGo }
  /** We were asked to. */
  | { readonly _tag: "Requested" }

/** One sentence for a log or a person. */
export const describeDisconnect = (reason: DisconnectReason): string => {
  switch (reason._tag) {
    case "InvalidHeader":
      if (reason.rule === "checkpoint-mismatch")
        return `header ${reason.index} of its headers message is another than the one that is trusted at its height: its chain is not yours, or your list is wrong`
      return `header ${reason.index} of its headers message breaks the rule "${reason.rule}"`
    case "HeadersTimeout":
      return "it took longer for its headers than HEADERS_DOWNLOAD_TIMEOUT allows, and another peer can be asked"
    case "ChainTimeout":
      return "its chain stayed behind ours for longer than CHAIN_SYNC_TIMEOUT allows"
    case "LittleWork":
      return "we are catching up, and its whole chain has less work than the network is known to have"
    case "BadBlock":
      return `a block that it sent breaks the rule "${reason.rule}"`
    case "BlockStalling":
      return `it kept the blocks behind its own waiting for longer than BLOCK_STALLING_TIMEOUT allows (now ${reason.allowedMs / 1000} s)`
    case "BlockTimeout":
      return `a block did not come within BLOCK_DOWNLOAD_TIMEOUT (${reason.allowedMs / 1000} s)`
    case "NotServed":
      return NOT_SERVED[reason.because]
    case "BadFilter":
      return `${BAD_FILTER[reason.because]}, at height ${reason.height} (BIP-0157)`
    case "FilterTimeout":
      return `it offers filters (BIP-0157) and sent none of those that it was asked for within ${reason.allowedMs / 1000} s`
    case "FilterDisagrees":
      return `the filters that it gives are others than those of most peers from height ${reason.height} on (BIP-0157)`
    case "BadCompactBlock":
      return `its "${reason.command}" is one that no honest peer sends (BIP-0152)`
    case "TransactionsUnwanted":
      return `it sent "${reason.command}" of a transaction, though our version says that we want none (BIP-0037)`
    case "PoolNotServed":
      return POOL_NOT_SERVED[reason.because]
    case "FilterMissing":
      return "it added to a bloom filter that it never set (BIP-0037)"
    case "FilterNotOffered":
      return `it sent "${reason.command}", though we do not offer bloom filters to it (BIP-0111)`
    case "ExchangeCrowdedOut":
      return `more than MAX_EXCHANGES_WAITING (${MAX_EXCHANGES_WAITING}) waited for a key exchange (BIP-0324), and it for longest`
    case "HeldTooMuch":
      return `it held ${reason.heldBytes} bytes of unfinished messages and of lists that wait for their turn, the most of all, and all together exceeded what we hold`
    case "ClosedByPeer":
      return `the connection was closed by the other side (${reason.how})`
    case "TooManyAddresses":
      return `its message tells of ${reason.count} addresses, more than MAX_ADDR_TO_SEND (1000) allows`
    case "AddressesFetched":
      return reason.answered
        ? "it has told the addresses that we dialled it for"
        : "the addresses that we dialled it for did not come"
    case "LetGo":
      return LET_GO[reason.because]
    case "Requested":
      return "we were asked to disconnect"
    default:
      return describePeerDisconnect(reason)
  }
}

const BAD_FILTER: { readonly [Because in BadFilter["because"]]: string } = {
  "not-of-its-hash": "it sent a filter that is not the one of its hash",
  "lacks-a-script": "the filter that it gives lacks what its block pays to",
  "wrong-count": "it sent other than so many filter hashes as it was asked for"
}

const POOL_NOT_SERVED: { readonly [Because in PoolNotServed["because"]]: string } = {
  "not-offered": "it asked for the whole pool, which is given to those alone whom our user allows it (BIP-0035)",
  "upload-target": "it asked for the whole pool, and what we upload in a day is used up"
}

const NOT_SERVED: { readonly [Because in NotServed["because"]]: string } = {
  "upload-target": "it asked for an old block, or for one through its filter, and what we upload in a day is used up",
  limited: "it asked for a block that a limited node does not give (BIP-0159)"
}

const LET_GO: { readonly [Because in LetGo]: string } = {
  evicted:
    "all places were taken when another one came, and of those that nothing speaks for it was the youngest of the largest group",
  extra: "there was one more than wanted, and it was of the least use",
  banned: "its address was banned",
  discouraged: "another connection of the same host broke the rules",
  released: "we were asked to keep it no more"
}
