export { controlMethods } from "./control/ControlMethods.ts"
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
