export { type Terminal, simulateHeaders } from "./CommandLine.ts"
export { type FetchOptions, type FetchResult, runFetch } from "./FetchScenario.ts"
export { type LowWorkResult, runLowWork } from "./LowWork.ts"
export { type ReorganisationResult, runReorganisation } from "./ReorganisationScenario.ts"
