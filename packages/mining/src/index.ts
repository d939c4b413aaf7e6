export { ANYONE_CAN_SPEND, BlockTemplates, type TemplateOptions } from "./BlockTemplate.ts"
export { blockSubsidy, coinbase, scriptNumber } from "./Coinbase.ts"
export { ProofSearch, type SearchStep } from "./ProofSearch.ts"
