export {
  type AdmissionOptions,
  RPC_ALL_BODY_BYTES,
  RPC_ALL_REPLY_BYTES,
  RPC_BODY_BYTES,
  RPC_SHORT_BODIES,
  RPC_THREADS,
  RPC_WAITING,
  RPC_WORK_QUEUE
} from "./Admission.ts"
export { BODY_TIMEOUT, type RpcOptions, layerRpc, rpcHandler } from "./Rpc.ts"
