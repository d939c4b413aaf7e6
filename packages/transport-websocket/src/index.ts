export {
  BRIDGE_CLOSES,
  BRIDGE_ENDPOINT_PARAMETER,
  BRIDGE_PROTOCOL,
  BRIDGE_REFUSALS,
  BRIDGE_REFUSAL_PROTOCOL,
  bridgeEndpointText,
  bridgeRoute
} from "./Bridge.ts"
export { MAX_RECEIVED_MESSAGE_BYTES, MAX_SENT_MESSAGE_BYTES } from "./MessageSocket.ts"
export { type PlatformDialerOptions, layerWebSocketDialer } from "./PlatformDialer.ts"
export type { PlatformWebSocket } from "./PlatformSocket.ts"
export { MAX_WAITING_BYTES, type WebSocketEnd } from "./WebSocketConnection.ts"
export { type DirectRouteOptions, type Verdict, type WebSocketRoute, directRoute } from "./WebSocketRoute.ts"
