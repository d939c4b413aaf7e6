export { MAX_REPLY_BYTES, REPLY_TIMEOUT_MS } from "./BoundedHttp.ts"
export { defaultGateway } from "./Gateway.ts"
export { NAT_PMP_PORT, type PmpServer } from "./NatPmp.ts"
export {
  type Lease,
  type Mapped,
  type MappingRequest,
  type PortMappingOptions,
  isPublic,
  keepMapped,
  mapPort
} from "./PortMapping.ts"
export { PortMappingError, type PortMappingReason } from "./PortMappingError.ts"
export { MAX_SEARCH_ANSWERS, SEARCH_MS, SSDP, type SearchAt } from "./Upnp.ts"
