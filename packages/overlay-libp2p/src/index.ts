export {
  type Libp2pMessenger,
  type Libp2pMessengerOptions,
  MAX_OVERLAY_PEERS,
  OVERLAY_PROTOCOL,
  makeLibp2pMessenger
} from "./Libp2pMessenger.ts"
export { type StrangersOptions, hangUpOnStrangers, strangersOf } from "./Strangers.ts"
