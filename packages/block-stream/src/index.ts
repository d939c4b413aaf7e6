export type { BlockPlace, BlockStep } from "./BlockStep.ts"
export type {
  BlockServingFault,
  BlockStreamInput,
  BlockStreamOutput,
  BlockStreamProgress
} from "./BlockStreamEvents.ts"
export {
  BlockStreamMachine,
  type BlockStreamMachineOptions,
  DEFAULT_BLOCK_BYTES_AHEAD,
  LACKING_MS,
  MAX_BLOCKS_AHEAD
} from "./BlockStreamMachine.ts"
export { MAX_BLOCK_BYTES_BEHIND } from "./FetchedBlocks.ts"
export type { StreamStart } from "./StreamStart.ts"
