export { type Carriage, hostOfPeer, isMultiaddr, peerOfHost } from "./Addresses.ts"
export { type ByteStream, MAX_UNSENT_BYTES, StreamError, type StreamFailure } from "./ByteStream.ts"
export {
  DHT_PROTOCOL,
  type DhtOptions,
  type Discovery,
  type FoundPeer,
  MDNS_SERVICE,
  type MdnsOptions,
  type PeerSource
} from "./Discovery.ts"
export {
  type Engine,
  type EngineServices,
  type EngineTransport,
  MAX_QUIC_CONNECTION_BYTES,
  MAX_QUIC_WINDOW_BYTES,
  MAX_STREAMS_PER_CONNECTION,
  MAX_WINDOW_BYTES
} from "./Engine.ts"
export {
  type ConnectOptions,
  Libp2pNode,
  type Libp2pNodeShape,
  type OpenStreamOptions,
  type PeerConnection,
  REACH_TIMEOUT_MS,
  makeLibp2pNode,
  makePrivateKey
} from "./Libp2pNode.ts"
export {
  BITCOIN_PROTOCOL,
  LIBP2P_HOST,
  type Libp2pTransportOptions,
  MAX_SESSIONS_PER_CONNECTION,
  layerLibp2p,
  libp2pTransport
} from "./Libp2pTransport.ts"
export { DEFAULT_LIMITS, type Libp2pNodeOptions, type NodeLimits, type Remote } from "./NodeOptions.ts"
export { type HandleOptions, MAX_HANDLED_STREAMS, MAX_STREAMS_OF_A_PROTOCOL, type StreamHandler } from "./Protocols.ts"
export type { Reachability, RelayOptions, RelayedOptions } from "./Reachability.ts"
export { QUERY_TIMEOUT_MS, RoutingError, type RoutingShape } from "./Routing.ts"
export { MAX_WAITING_BYTES } from "./StreamConnection.ts"
