/**
 * Which manager cares about which message: one table, so that a new message does not compile until it is routed or ignored on
 * purpose. `peer` answers what belongs to the connection itself before a message gets here.
 */
import type { Message } from "@satwire/wire"

export type Route =
  /** Answered by the peer machine. */
  | "peer"
  | "headerSync"
  /** Understood by the codec and meant for a role that this node does not have yet. */
  | "ignore"

export const ROUTES: { readonly [Command in Message["_tag"]]: Route } = {
  version: "peer",
  verack: "peer",
  wtxidrelay: "peer",
  sendaddrv2: "peer",
  ping: "peer",
  pong: "peer",
  sendheaders: "headerSync",
  getheaders: "headerSync",
  headers: "headerSync",
  inv: "headerSync",
  addr: "ignore",
  addrv2: "ignore",
  block: "ignore",
  feefilter: "ignore",
  getaddr: "ignore",
  getblocks: "ignore",
  getdata: "ignore",
  mempool: "ignore",
  notfound: "ignore",
  sendcmpct: "ignore",
  tx: "ignore"
}
