/**
 * Which manager cares about which message: one table, so that a new message does not compile until it is routed or ignored on
 * purpose. `peer` answers what belongs to the connection itself before a message gets here.
 */
import type { Message } from "@satwire/wire"

export type Route =
  /** Answered by the peer machine. */
  | "peer"
  | "headerSync"
  /** Blocks concern header sync, transactions who has those. */
  | "inventory"
  | "addresses"
  | "blocks"
  /** Of blocks, transactions or both. */
  | "data"
  | "transactions"
  | "compact"
  | "bloom"
  /** Understood by the codec and meant for a role that this node does not have yet. */
  | "ignore"

export const ROUTES: { readonly [Command in Message["_tag"]]: Route } = {
  version: "peer",
  verack: "peer",
  wtxidrelay: "peer",
  sendaddrv2: "peer",
  sendtxrcncl: "peer",
  feature: "peer",
  ping: "peer",
  pong: "peer",
  sendheaders: "headerSync",
  getheaders: "headerSync",
  headers: "headerSync",
  inv: "inventory",
  addr: "addresses",
  addrv2: "addresses",
  ancpkginfo: "ignore",
  block: "blocks",
  blocktxn: "compact",
  cfcheckpt: "blocks",
  cfheaders: "blocks",
  cfilter: "blocks",
  cmpctblock: "compact",
  feefilter: "transactions",
  filteradd: "bloom",
  filterclear: "bloom",
  filterload: "bloom",
  getaddr: "addresses",
  getblocks: "blocks",
  getblocktxn: "compact",
  getcfcheckpt: "ignore",
  getcfheaders: "ignore",
  getcfilters: "ignore",
  getdata: "data",
  getpkgtxns: "ignore",
  mempool: "transactions",
  merkleblock: "ignore",
  notfound: "data",
  pkgtxns: "ignore",
  reconcildiff: "ignore",
  reject: "ignore",
  reqrecon: "ignore",
  reqsketchext: "ignore",
  sendcmpct: "compact",
  sendpackages: "ignore",
  sketch: "ignore",
  tx: "transactions"
}
