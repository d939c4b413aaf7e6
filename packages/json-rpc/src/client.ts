export {
  type Conversion,
  conversionsFor,
  errorText,
  exitCodeOf,
  namedParams,
  positionalParams,
  resultText
} from "./client/CommandLine.ts"
export { type Call, DEFAULT_RPC_URL, type RpcClient, type RpcClientOptions, makeRpcClient } from "./client/RpcClient.ts"
export { RpcClientError, type RpcClientFault } from "./client/RpcClientError.ts"
