/** The methods about chain, blocks, transactions and addresses, as rows of a table. */
import type { Method } from "@satwire/json-rpc"
import { addressMethods } from "./addresses/AddressMethods.ts"
import { blockMethods } from "./chain/BlockMethods.ts"
import { chainMethods as aboutTheChain } from "./chain/ChainMethods.ts"
import { scanMethods } from "./chain/ScanTxOutSet.ts"
import { waitMethods } from "./chain/WaitMethods.ts"
import type { NodeContext } from "./NodeContext.ts"
import { rawTransactionMethods } from "./transactions/RawTransactions.ts"
import { proofMethods } from "./transactions/TxOutProof.ts"

export const chainMethods: ReadonlyArray<Method<NodeContext>> = [
  ...aboutTheChain,
  ...blockMethods,
  ...waitMethods,
  ...scanMethods,
  ...rawTransactionMethods,
  ...proofMethods,
  ...addressMethods
]
