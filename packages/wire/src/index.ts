export { type Codec, type Cost } from "./Codec.ts"
export {
  INV_ENTRY_SIZE,
  Inventory,
  type InventoryEntry,
  MAX_INV_SZ,
  MSG_BLOCK,
  MSG_CMPCT_BLOCK,
  MSG_FILTERED_BLOCK,
  MSG_TX,
  MSG_WITNESS_BLOCK,
  MSG_WITNESS_FLAG,
  MSG_WITNESS_TX,
  MSG_WTX
} from "./Inventory.ts"
export { type BlockQuery, MAX_LOCATOR_SZ } from "./Locator.ts"
export {
  COMMAND_SIZE,
  type Command,
  type DecodeOptions,
  type Message,
  type MessageOf,
  type MessageTable,
  codecOf,
  codecs,
  commandBytes,
  commands,
  decodeMessage,
  decodePayload,
  encodePayload,
  messageSize,
  messageTable
} from "./MessageTable.ts"
export { IPV4_IN_IPV6_PREFIX, NO_ADDRESS, type NetAddress, ipv4InIpv6, ipv4Of } from "./NetAddress.ts"
export * from "./Protocol.ts"
export { MAX_SUBVERSION_LENGTH, sanitizeUserAgent } from "./UserAgent.ts"
export { type Addr, type AddrEntry, MAX_ADDR_TO_SEND } from "./messages/addr.ts"
export { type AddrV2, type AddrV2Entry, type AddrV2Network, MAX_ADDRV2_SIZE } from "./messages/addrv2.ts"
export { type Block } from "./messages/block.ts"
export { type FeeFilter } from "./messages/feefilter.ts"
export { GETADDR, type GetAddr } from "./messages/getaddr.ts"
export { type GetBlocks } from "./messages/getblocks.ts"
export { type GetData } from "./messages/getdata.ts"
export { type GetHeaders } from "./messages/getheaders.ts"
export { type Headers, MAX_HEADERS_RESULTS, headersMessage } from "./messages/headers.ts"
export { type Inv } from "./messages/inv.ts"
export { MEMPOOL, type Mempool } from "./messages/mempool.ts"
export { type NotFound } from "./messages/notfound.ts"
export { type Ping } from "./messages/ping.ts"
export { type Pong } from "./messages/pong.ts"
export { SENDADDRV2, type SendAddrV2 } from "./messages/sendaddrv2.ts"
export { CMPCTBLOCKS_VERSION, type SendCmpct } from "./messages/sendcmpct.ts"
export { SENDHEADERS, type SendHeaders } from "./messages/sendheaders.ts"
export { type Tx } from "./messages/tx.ts"
export { VERACK, type Verack } from "./messages/verack.ts"
export { type Version } from "./messages/version.ts"
export { WTXIDRELAY, type WtxidRelay } from "./messages/wtxidrelay.ts"
