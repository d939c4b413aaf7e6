export { BlockInvariants } from "./BlockInvariants.ts"
export { BLOCK_LIES, BLOCK_TROUBLES, type BlockLie, blockLiar } from "./BlockLiar.ts"
export { BlockNode, type BlockNodeOptions } from "./BlockNode.ts"
export { simulateBlocks } from "./CommandLine.ts"
export {
  EIGHT_LINKS,
  type FetchBlocksOptions,
  type FetchBlocksResult,
  type LinkSpeed,
  runFetchBlocks
} from "./FetchBlocks.ts"
export { type LiarsOptions, type LiarsResult, runLiars } from "./LiarsScenario.ts"
export { type BlockReorganisationResult, runBlockReorganisation } from "./ReorganisationScenario.ts"
export { type Shelf, SimulatedDisk, type SimulatedDiskOptions } from "./SimulatedDisk.ts"
