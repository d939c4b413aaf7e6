export { sanitize } from "./ByteString.ts"
export { type Codec, type Cost } from "./Codec.ts"
export {
  BASIC_FILTER_TYPE,
  CFCHECKPT_INTERVAL,
  type FilterQuery,
  MAX_GETCFHEADERS_SIZE,
  MAX_GETCFILTERS_SIZE
} from "./FilterQuery.ts"
export { HASH_SIZE, HashList } from "./HashList.ts"
export {
  INV_ENTRY_SIZE,
  Inventory,
  type InventoryEntry,
  MAX_INV_SZ,
  MSG_ANCPKGINFO,
  MSG_BLOCK,
  MSG_CMPCT_BLOCK,
  MSG_FILTERED_BLOCK,
  MSG_PKGTXNS,
  MSG_TX,
  MSG_WITNESS_BLOCK,
  MSG_WITNESS_FLAG,
  MSG_WITNESS_TX,
  MSG_WTX
} from "./Inventory.ts"
export { InventoryQueue, isTransaction } from "./InventoryQueue.ts"
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
export { NO_ADDRESS, type NetAddress } from "./NetAddress.ts"
export * from "./Protocol.ts"
export { MAX_SUBVERSION_LENGTH, sanitizeUserAgent } from "./UserAgent.ts"
export { type Addr, type AddrEntry, MAX_ADDR_TO_SEND } from "./messages/addr.ts"
export { type AddrV2, type AddrV2Entry, MAX_ADDRV2_SIZE, addrV2Address } from "./messages/addrv2.ts"
export { type AncPkgInfo } from "./messages/ancpkginfo.ts"
export { type Block } from "./messages/block.ts"
export { type BlockTxn } from "./messages/blocktxn.ts"
export { type CFCheckpt } from "./messages/cfcheckpt.ts"
export { type CFHeaders } from "./messages/cfheaders.ts"
export { type CFilter } from "./messages/cfilter.ts"
export {
  type CmpctBlock,
  MAX_COMPACT_TRANSACTIONS,
  type PrefilledTransaction,
  SHORTTXIDS_LENGTH
} from "./messages/cmpctblock.ts"
export { type Feature, MAX_FEATURE_DATA_SIZE, MAX_FEATURE_ID_SIZE, MIN_FEATURE_ID_SIZE } from "./messages/feature.ts"
export { type FeeFilter } from "./messages/feefilter.ts"
export { type FilterAdd, MAX_SCRIPT_ELEMENT_SIZE } from "./messages/filteradd.ts"
export { FILTERCLEAR, type FilterClear } from "./messages/filterclear.ts"
export {
  BLOOM_UPDATE_ALL,
  BLOOM_UPDATE_MASK,
  BLOOM_UPDATE_NONE,
  BLOOM_UPDATE_P2PUBKEY_ONLY,
  type FilterLoad,
  MAX_BLOOM_FILTER_SIZE,
  MAX_HASH_FUNCS
} from "./messages/filterload.ts"
export { GETADDR, type GetAddr } from "./messages/getaddr.ts"
export { type GetBlocks } from "./messages/getblocks.ts"
export { type GetBlockTxn } from "./messages/getblocktxn.ts"
export { type GetCFCheckpt } from "./messages/getcfcheckpt.ts"
export { type GetCFHeaders } from "./messages/getcfheaders.ts"
export { type GetCFilters } from "./messages/getcfilters.ts"
export { type GetData } from "./messages/getdata.ts"
export { type GetHeaders } from "./messages/getheaders.ts"
export { type GetPkgTxns, MAX_PACKAGE_TRANSACTIONS } from "./messages/getpkgtxns.ts"
export { type Headers, MAX_HEADERS_RESULTS, headersMessage } from "./messages/headers.ts"
export { type Inv } from "./messages/inv.ts"
export { MEMPOOL, type Mempool } from "./messages/mempool.ts"
export { MAX_MERKLE_HASHES, type MerkleBlock } from "./messages/merkleblock.ts"
export { type NotFound } from "./messages/notfound.ts"
export { type Ping } from "./messages/ping.ts"
export { type PkgTxns } from "./messages/pkgtxns.ts"
export { type Pong } from "./messages/pong.ts"
export { type ReconcilDiff } from "./messages/reconcildiff.ts"
export {
  MAX_REJECT_MESSAGE_LENGTH,
  REJECT_CHECKPOINT,
  REJECT_DUPLICATE,
  REJECT_DUST,
  REJECT_INSUFFICIENTFEE,
  REJECT_INVALID,
  REJECT_MALFORMED,
  REJECT_NONSTANDARD,
  REJECT_OBSOLETE,
  type Reject
} from "./messages/reject.ts"
export { type ReqRecon } from "./messages/reqrecon.ts"
export { REQSKETCHEXT, type ReqSketchExt } from "./messages/reqsketchext.ts"
export { SENDADDRV2, type SendAddrV2 } from "./messages/sendaddrv2.ts"
export { CMPCTBLOCKS_VERSION, type SendCmpct } from "./messages/sendcmpct.ts"
export { SENDHEADERS, type SendHeaders } from "./messages/sendheaders.ts"
export { PKG_RELAY_ANC, PKG_RELAY_PKGTXNS, type SendPackages } from "./messages/sendpackages.ts"
export { type SendTxRcncl, TXRECONCILIATION_VERSION } from "./messages/sendtxrcncl.ts"
export { MAX_SKETCH_CAPACITY, SKETCH_ELEMENT_SIZE, type Sketch } from "./messages/sketch.ts"
export { type Tx } from "./messages/tx.ts"
export { VERACK, type Verack } from "./messages/verack.ts"
export { type Version } from "./messages/version.ts"
export { WTXIDRELAY, type WtxidRelay } from "./messages/wtxidrelay.ts"
