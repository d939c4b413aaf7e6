/** All methods of a node, as rows of one table. */
import type { Method } from "@satwire/json-rpc"
import { type NodeContext, chainMethods } from "@satwire/rpc-chain"
import { poolMethods } from "@satwire/rpc-pool"
import { controlMethods } from "./control/ControlMethods.ts"
import { networkMethods } from "./network/NetworkMethods.ts"
import type { Rpc } from "./RpcNode.ts"
import { unansweredMethods } from "./Unanswered.ts"

export const nodeMethods: ReadonlyArray<Method<NodeContext | Rpc>> = [
  ...chainMethods,
  ...poolMethods,
  ...networkMethods,
  ...controlMethods,
  ...unansweredMethods
]
