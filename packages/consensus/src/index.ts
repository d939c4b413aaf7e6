export {
  type BlockFault,
  type BlockRule,
  MAX_BLOCK_SIGOPS_COST,
  type TransactionHashes,
  checkBlock,
  checkBlockBytes,
  isBlockMutated
} from "./BlockChecks.ts"
export { type BlockContext, BlockContexts } from "./BlockContext.ts"
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
export { type EcdsaVerifier } from "./SignetChallenge.ts"
export { type SignetSpend, hasSignetSolution, signetSpend } from "./SignetSolution.ts"
export { legacySigOps } from "./SigOps.ts"
export {
  LOCKTIME_THRESHOLD,
  MAX_BLOCK_WEIGHT,
  MAX_MONEY,
  type TransactionFindings,
  type TransactionRule,
  isFinalTransaction,
  transactionFault,
  transactionFindings
} from "./TransactionChecks.ts"
export { type WitnessRule } from "./WitnessCommitment.ts"
