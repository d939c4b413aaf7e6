export { type ChartText, type Curve, chartOf } from "./Chart.ts"
export { type RelayTerminal, percentile, simulateRelay } from "./CommandLine.ts"
export {
  DEFAULT_BLOCKS,
  DEFAULT_MINERS,
  DEFAULT_NODES,
  DEFAULT_TRANSACTIONS,
  DEFAULT_TRANSACTION_BYTES,
  type RelayOptions,
  type RelayResult,
  runRelay
} from "./RelayScenario.ts"
export { DIALLED, type Place, REGIONS, type Region, type Topology, linkBetween, topologyOf } from "./Topology.ts"
