export { COOKIE_USER, type CookieReaders, readCookie, writeCookie } from "./Cookie.ts"
export type { Credential } from "./Credentials.ts"
export { HttpDoor, type HttpDoorOptions, type HttpDoorShape, layerHttpDoor, makeHttpDoor, nothing } from "./HttpDoor.ts"
export {
  HTTP_CONNECTIONS,
  HTTP_HEAD_BYTES,
  type HttpAddress,
  type ListenOptions,
  WEBSOCKET_MESSAGE_BYTES,
  listenHttp
} from "./Listen.ts"
export { REFUSAL_LINES_PER_MINUTE, type Refusal, type RefusalReason } from "./Refusals.ts"
export { type DoorRules, type RequestHead, refusalOf } from "./Rules.ts"
