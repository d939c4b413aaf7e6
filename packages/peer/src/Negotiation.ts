/**
 * What both sides have agreed on, and so what may be said afterwards: one table by message. A peer is sent nothing that it would not
 * understand or would have to refuse.
 *
 * Source: BIP-0031, BIP-0037, BIP-0130, BIP-0133, BIP-0152, BIP-0155, BIP-0157, BIP-0330, BIP-0331, BIP-0339; Bitcoin Core 28.1
 * `node/protocol_version.h`, `net_processing.cpp`.
 */
import {
  type Command,
  FEEFILTER_VERSION,
  MSG_WTX,
  type Message,
  NODE_BLOOM,
  NODE_COMPACT_FILTERS,
  SENDHEADERS_VERSION,
  SHORT_IDS_BLOCKS_VERSION
} from "@satwire/wire"
import { KIND_RULES } from "./ConnectionKind.ts"
import type { PeerInfo } from "./PeerEvents.ts"

type Need = (info: PeerInfo) => string | undefined

const version =
  (least: number): Need =>
  (info) =>
    info.commonVersion >= least ? undefined : `it needs version ${least}, and both speak ${info.commonVersion}`

const service =
  (bit: bigint, name: string): Need =>
  (info) =>
    (info.services & bit) === 0n ? `the peer does not offer ${name}` : undefined

const never =
  (why: string): Need =>
  () =>
    why

const handshake = never("it belongs to the handshake, which is done")
const reconciling: Need = (info) =>
  info.reconciliation === undefined ? "the peer has not agreed to reconcile (BIP-0330)" : undefined
const packages = never("nobody agreed on packages (BIP-0331)")

/** What each message needs of the peer; who is not named needs nothing. */
const NEEDS: { readonly [C in Command]?: Need } = {
  version: handshake,
  verack: handshake,
  wtxidrelay: handshake,
  sendaddrv2: handshake,
  sendtxrcncl: handshake,
  sendpackages: handshake,
  feature: handshake,
  reject: never("no node sends it any more (BIP-0061)"),
  sendheaders: version(SENDHEADERS_VERSION),
  feefilter: version(FEEFILTER_VERSION),
  sendcmpct: version(SHORT_IDS_BLOCKS_VERSION),
  cmpctblock: version(SHORT_IDS_BLOCKS_VERSION),
  getblocktxn: version(SHORT_IDS_BLOCKS_VERSION),
  blocktxn: version(SHORT_IDS_BLOCKS_VERSION),
  addrv2: (info) => (info.addrV2 ? undefined : "the peer did not send sendaddrv2 (BIP-0155)"),
  filterload: service(NODE_BLOOM, "NODE_BLOOM"),
  filteradd: service(NODE_BLOOM, "NODE_BLOOM"),
  filterclear: service(NODE_BLOOM, "NODE_BLOOM"),
  getcfilters: service(NODE_COMPACT_FILTERS, "NODE_COMPACT_FILTERS"),
  getcfheaders: service(NODE_COMPACT_FILTERS, "NODE_COMPACT_FILTERS"),
  getcfcheckpt: service(NODE_COMPACT_FILTERS, "NODE_COMPACT_FILTERS"),
  reqrecon: reconciling,
  sketch: reconciling,
  reqsketchext: reconciling,
  reconcildiff: reconciling,
  getpkgtxns: packages,
  pkgtxns: packages,
  ancpkginfo: packages
}

/** Why `message` may not be sent to this peer, in half a sentence; `undefined` where it may. */
export const whyNotPermitted = (info: PeerInfo, message: Message): string | undefined => {
  const { speaks } = KIND_RULES[info.kind]
  if (speaks !== undefined && !speaks.has(message._tag)) return `a connection of kind ${info.kind} never sends it`
  const unmet = NEEDS[message._tag]?.(info)
  if (unmet !== undefined) return unmet
  if (message._tag === "inv" && !info.wtxidRelay && announcesByWtxid(message)) {
    return "it announces by wtxid, and the peer did not send wtxidrelay (BIP-0339)"
  }
  return undefined
}

const announcesByWtxid = (message: Message & { readonly _tag: "inv" }): boolean => {
  const { inventory } = message
  for (let i = 0; i < inventory.count; i++) if (inventory.typeAt(i) === MSG_WTX) return true
  return false
}
