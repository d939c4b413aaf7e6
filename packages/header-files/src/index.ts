export {
  type ExportFault,
  HeaderFileBroken,
  HeaderFileEmpty,
  HeaderFileExists,
  HeaderFileForeign,
  HeaderFileTorn,
  HeaderFileUnreadable,
  HeaderFileUnwritable,
  type ImportFault
} from "./HeaderFileError.ts"
export {
  type ExportOptions,
  type Exported,
  HEADERS_AT_A_TIME,
  type ImportOptions,
  type Imported,
  SKELETON_SPACING,
  exportHeaders,
  exportSkeleton,
  importHeaders
} from "./HeaderFiles.ts"
