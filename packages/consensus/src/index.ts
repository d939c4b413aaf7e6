export type { ChainView, PeriodFirst } from "./ChainView.ts"
export {
  type HeaderFault,
  HeaderRules,
  MAX_FUTURE_BLOCK_TIME,
  MAX_TIMEWARP,
  headerFault,
  minimumVersion
} from "./HeaderRules.ts"
export { MEDIAN_TIME_SPAN, TimeWindow, medianTimePast } from "./MedianTime.ts"
export { type Difficulty, ProofOfWork } from "./ProofOfWork.ts"
export { nextBits, permittedDifficultyTransition, retargetedBits } from "./Retarget.ts"
export { DeploymentStates, type DeploymentState, VERSIONBITS_TOP_BITS, signals } from "./VersionBits.ts"
