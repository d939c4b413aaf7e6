export {
  DataDirectory,
  type DataDirectoryOptions,
  type DataDirectoryShape,
  defaultDataDirectory
} from "./DataDirectory.ts"
export { FileError, type FileOperation, Files, type FilesShape, type OpenFile, type OpenMode } from "./Files.ts"
export {
  HeaderStore,
  type HeaderStoreOptions,
  type HeaderStoreShape,
  type HeadersLoaded,
  MAX_COMMIT_HEADERS
} from "./HeaderStore.ts"
export { layerFiles } from "./NodeFiles.ts"
export type { Found } from "./RecordRecovery.ts"
export {
  DamagedFile,
  DirectoryLocked,
  DirectoryNotWritable,
  DiskFull,
  ForeignFile,
  IoFailed,
  type StoreError,
  storeErrorOf
} from "./StoreError.ts"
