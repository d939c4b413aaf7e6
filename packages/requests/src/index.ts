export {
  MAX_BODY_BYTES,
  MAX_CREDIT,
  MAX_METHOD_BYTES,
  MAX_REFUSAL_BYTES,
  type RefusalCode,
  type RequestFrame,
  decodeFrame,
  encodeFrame,
  isMethod
} from "./RequestFrame.ts"
export {
  MAX_ASKED,
  MAX_SERVED,
  MAX_SERVED_OF_ALL,
  MAX_TIMEOUT_MS,
  REQUESTS_PER_SECOND,
  REQUEST_BURST,
  type RequestFailure,
  type RequestFault,
  Requests,
  type RequestsInput,
  type RequestsOptions,
  type RequestsOutput
} from "./Requests.ts"
