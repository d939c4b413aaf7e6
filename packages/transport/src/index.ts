export {
  type CloseReason,
  type Connection,
  type ConnectionHandlers,
  Destroyed,
  type Direction,
  END_TIMEOUT_MS,
  Ended,
  Overrun,
  Reset,
  TimedOut,
  describeClose
} from "./Connection.ts"
export {
  DEFAULT_CONNECT_TIMEOUT_MS,
  DialError,
  type DialOptions,
  type DialReason,
  dialWith,
  Dialer,
  type DialerShape
} from "./Dialer.ts"
export {
  type EndpointNetwork,
  type Routes,
  type RoutesGiven,
  dialerByNetwork,
  endpointNetwork,
  routesOf
} from "./DialerByNetwork.ts"
export { type Endpoint, EndpointError, NOWHERE, formatEndpoint, parseEndpoint } from "./Endpoint.ts"
export {
  ListenError,
  type ListenOptions,
  type ListenReason,
  Listener,
  type ListenerShape,
  type Listening
} from "./Listener.ts"
export { MAX_CHUNK_BYTES, MemoryNetwork, type MemoryNetworkOptions, layerMemory } from "./MemoryNetwork.ts"
export { OpenConnections, type Destroyable } from "./OpenConnections.ts"
