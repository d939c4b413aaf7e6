/**
 * The transport over WebSocket and secure WebSocket for Node and Deno, on the `ws` library: a dialer that knows why it failed and holds
 * the other end back while it is paused, and a server.
 */
export { HANDSHAKE_TIMEOUT_MS, MAX_HANDSHAKES } from "./node/Handshakes.ts"
export {
  type Certificate,
  type WebSocketRequest,
  type WebSocketServerOptions,
  listenWebSocket
} from "./node/WsServer.ts"
export { type NodeWebSocketOptions, layerWebSocket } from "./node/WsTransport.ts"
