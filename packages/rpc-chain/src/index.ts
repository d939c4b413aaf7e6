export { unixSeconds } from "./chain/ChainMethods.ts"
export { WORK_DOC, chainName, real, targetHex, workJson } from "./chain/HeaderJson.ts"
export { tipOnce } from "./chain/WaitMethods.ts"
export { hexOf } from "./Hex.ts"
export { chainMethods } from "./Methods.ts"
export {
  type ChainDoors,
  NO_COINS,
  NodeContext,
  type NodeContextShape,
  type Scan,
  noScan,
  orDatabaseError,
  poolTotals,
  withNode
} from "./NodeContext.ts"
export { type Descriptor, descriptorChecksum, inferDescriptor, readDescriptor } from "./transactions/Descriptor.ts"
export { readTransactionHex } from "./transactions/RawTransactions.ts"
export { isUnspendable } from "./transactions/ScriptAsm.ts"
export { type Search, searchBlocks } from "./transactions/SearchBlocks.ts"
export { SCRIPT_DOC, isCoinbase, scriptJson } from "./transactions/TransactionJson.ts"
