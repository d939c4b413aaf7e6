export {
  DataDirectory,
  type DataDirectoryOptions,
  type DataDirectoryShape,
  defaultDataDirectory
} from "./DataDirectory.ts"
export {
  FileError,
  type FileOperation,
  Files,
  type FilesShape,
  type OpenFile,
  type OpenMode,
  writeAll
} from "./Files.ts"
export {
  HeaderStore,
  type HeaderStoreOptions,
  type HeaderStoreShape,
  type HeadersLoaded,
  MAX_COMMIT_HEADERS
} from "./HeaderStore.ts"
export { layerFiles } from "./NodeFiles.ts"
export type { Found } from "./RecordRecovery.ts"
export { pathAside, setAside } from "./SetAside.ts"
export {
  type SnapshotFile,
  type SnapshotKind,
  type SnapshotLoaded,
  Snapshots,
  type SnapshotsOptions,
  type SnapshotsShape
} from "./Snapshots.ts"
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
export { type Keeper, type KeeperOptions, type Outlast, type StoreNews, keepInOrder } from "./KeepInOrder.ts"
