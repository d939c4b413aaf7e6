export { KEPT_FILTER_HEADERS } from "./AgreedHeaders.ts"
export { MAX_FILTERS_OF_PEER } from "./FilterFetch.ts"
export type { FilterHeaderLookup, FilterPeerChains, JudgedRange } from "./FilterLookups.ts"
export { FilterSync, type FilterSyncOptions, type FilterSyncSnapshot, MAX_COMPARED_PEERS } from "./FilterSync.ts"
export {
  type BadFilter,
  FILTER_TIMEOUT_MS,
  type FilterDisagrees,
  type FilterSyncInput,
  type FilterSyncMessage,
  type FilterSyncOutput,
  type FilterTimeout
} from "./FilterSyncEvents.ts"
