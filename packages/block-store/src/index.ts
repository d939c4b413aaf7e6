export { BlockDamaged, type DamagedPart } from "./BlockDamage.ts"
export { MAX_BLOCK_BYTES, MAX_FILE_BYTES } from "./BlockFormat.ts"
export type { BlocksFound } from "./BlockRecovery.ts"
export {
  BlockStore,
  type BlockStoreOptions,
  type BlockStoreShape,
  type BlocksLoaded,
  type KeepFrom
} from "./BlockStore.ts"
export type { NewBlock } from "./BlockWriter.ts"
