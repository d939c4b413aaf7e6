export { ANYONE_CAN_SPEND, BlockTemplates, type TemplateOptions } from "./BlockTemplate.ts"
export { blockSubsidy, coinbase } from "./Coinbase.ts"
export { Miner, type MinerInput, type MinerOutput, type MiningView, TRIES_PER_TURN } from "./Miner.ts"
export { ProofSearch, type SearchStep } from "./ProofSearch.ts"
