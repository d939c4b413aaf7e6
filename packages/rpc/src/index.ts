export { controlMethods } from "./control/ControlMethods.ts"
export { nodeMethods } from "./NodeMethods.ts"
export { networkMethods } from "./network/NetworkMethods.ts"
export {
  COINS_NOT_VERIFIED,
  type LogCategories,
  type MockClock,
  type NodeDoors,
  type ProxyInUse,
  Rpc,
  type RpcNode
} from "./RpcNode.ts"
export { NodeContext, type NodeContextShape, noScan } from "@satwire/rpc-chain"
