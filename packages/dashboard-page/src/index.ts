export {
  PAGE_FILES,
  type PageFile,
  type PageFiles,
  type PageSources,
  bundlePage,
  licencesOf,
  writePage
} from "./BundlePage.ts"
export { type ServedFile, pageFiles, pageFilesOf } from "./PageFiles.ts"
export type * from "./Told.ts"
