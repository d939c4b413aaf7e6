export { HeaderStore, type HeaderStoreShape } from "./HeaderStore.ts"
export { StoreError } from "./StoreError.ts"
