export {
  isHeNet,
  isLocal,
  isRoutable,
  isTeredo,
  isTunnelled,
  isValid,
  linkedIpv4,
  netClass,
  networkOf
} from "./AddressClass.ts"
export { type NetworkAddr, formatHost, formatNode, internalAddr, parseHost, parseNode } from "./AddressText.ts"
export { AsMap, type AsMapFault, MAX_ASMAP_BYTES } from "./AsMap.ts"
export {
  INTERNAL_LENGTH,
  IPV4_IN_IPV6_PREFIX,
  NETWORKS,
  type NetAddr,
  type Network,
  type NetworkRow,
  type NodeAddress,
  hasRightLength,
  ipv4InIpv6,
  ipv4Of,
  isSameHost,
  isSameNode,
  nodeKey
} from "./NetAddr.ts"
export { NetGroups } from "./NetGroups.ts"
export { sourceKey } from "./SourceKey.ts"
