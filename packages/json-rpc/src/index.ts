export {
  ExactNumber,
  type Json,
  type JsonArray,
  type JsonObject,
  type JsonType,
  amount,
  isArray,
  isObject
} from "./Json.ts"
export * as kind from "./Kind.ts"
export type { Kind, ReadResult } from "./Kind.ts"
export { type Category, type Method, type MethodRow, method } from "./Method.ts"
export { type Args, type MoreOfParam, type Param, defaulted, optional, required } from "./Param.ts"
export * as result from "./ResultDoc.ts"
export type { ResultDoc } from "./ResultDoc.ts"
export { RPC_CODES, type RpcCodeName, RpcError, rpcError } from "./RpcError.ts"
export { writeJson } from "./WriteJson.ts"
export {
  ANYBODY,
  type Caller,
  type DispatchOptions,
  type Dispatcher,
  MAX_BATCH,
  MAX_BATCH_REPLY,
  type Reply,
  dispatcher
} from "./Dispatch.ts"
export { helpText } from "./HelpText.ts"
export { type ActiveCall, type MethodTable, type TableOptions, methodTable } from "./MethodTable.ts"
export { type JsonFault, MAX_JSON_DEPTH, MAX_REQUEST_VALUES, parseJson, parseJsonBytes } from "./ParseJson.ts"
export { rpcPage } from "./Markdown.ts"
