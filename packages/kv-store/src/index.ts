export { PAGE_ENTRIES, compareKeys } from "./KvPages.ts"
export { type BatchOptions, type KvChange, type KvEntry, type KvRange, KvStore, type KvStoreShape } from "./KvStore.ts"
