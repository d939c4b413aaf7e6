export { PAGE_FILES, type PageFile, type PageFiles, bundlePage, licencesOf, writePage } from "./BundlePage.ts"
export { type ServedFile, pageFiles } from "./PageFiles.ts"
export type * from "./Told.ts"
