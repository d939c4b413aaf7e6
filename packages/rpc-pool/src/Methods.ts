/** The methods about the pool and mining, as rows of a table. */
import type { Method } from "@satwire/json-rpc"
import type { NodeContext } from "@satwire/rpc-chain"
import { mempoolMethods } from "./mempool/MempoolMethods.ts"
import { gettxout } from "./mempool/TxOut.ts"
import { miningMethods } from "./mining/MiningMethods.ts"

export const poolMethods: ReadonlyArray<Method<NodeContext>> = [...mempoolMethods, gettxout, ...miningMethods]
