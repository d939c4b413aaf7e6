/**
 * What a connection is for, by Bitcoin Core's names (28.1 `node/connection_types.h`, and 31 for `private-broadcast`), and what follows
 * from it for the conversation: one row a kind.
 */
import type { Command } from "@satwire/wire"

export type ConnectionKind =
  /** Somebody dialled us. */
  | "inbound"
  /** We dialled to hear and tell everything: blocks, transactions, addresses. */
  | "outbound-full-relay"
  /** We dialled for blocks alone, so that nobody learns from transactions and addresses that we are connected. */
  | "block-relay-only"
  /** Our user named it. */
  | "manual"
  /** We dialled to learn whether anybody is there: over once they have said who they are. */
  | "feeler"
  /** We dialled to ask for addresses, and leave when they have come. */
  | "addr-fetch"
  /** We dialled to hand over one transaction without saying who we are. */
  | "private-broadcast"

/** Who opened the connection. */
export type Direction = "inbound" | "outbound"

export const directionOf = (kind: ConnectionKind): Direction => (kind === "inbound" ? "inbound" : "outbound")

export interface KindRules {
  /** Our `version` never asks for transactions, whatever our side says of itself (Core's `RejectIncomingTxs`). */
  readonly refusesTransactions: boolean
  /** Who lacks the services that we want is not worth the connection (Core's `ExpectServicesFromConn`). */
  readonly expectsServices: boolean
  /** Nothing that we send may tell who we are, and nothing but `speaks` is sent. */
  readonly isPrivate: boolean
  /** Over once their `version` has come. */
  readonly endsOnVersion: boolean
  /** All that may be sent, where that is less than everything. */
  readonly speaks: ReadonlySet<Command> | undefined
  /** All that is listened to once the handshake is done, where that is less than everything. */
  readonly hears: ReadonlySet<Command> | undefined
}

const ORDINARY: KindRules = {
  refusesTransactions: false,
  expectsServices: false,
  isPrivate: false,
  endsOnVersion: false,
  speaks: undefined,
  hears: undefined
}

export const KIND_RULES: { readonly [Kind in ConnectionKind]: KindRules } = {
  inbound: ORDINARY,
  manual: ORDINARY,
  "outbound-full-relay": { ...ORDINARY, expectsServices: true },
  "block-relay-only": { ...ORDINARY, refusesTransactions: true, expectsServices: true },
  "addr-fetch": { ...ORDINARY, expectsServices: true },
  feeler: { ...ORDINARY, refusesTransactions: true, endsOnVersion: true },
  "private-broadcast": {
    refusesTransactions: true,
    expectsServices: true,
    isPrivate: true,
    endsOnVersion: false,
    // Core 31 `net.cpp`, `PushMessage`, and `net_processing.cpp`, `ProcessMessage`.
    speaks: new Set<Command>(["version", "verack", "inv", "tx", "ping"]),
    hears: new Set<Command>(["pong", "getdata"])
  }
}
