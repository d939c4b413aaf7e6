/** The Effect door: stored headers back into a tree, and the changes of its best chain as streams, a pace for each reader. */
export { ChangeReaders, HEADERS_UNTOLD } from "./effect/ChangeReaders.ts"
export { HeadersRefused, restoreHeaders } from "./effect/RestoreHeaders.ts"
