/** The Effect door: the followed chain as a stream, in steps that lead any reader to its tip. */
export { BlockReader, type BlockReaderSource } from "./effect/BlockReader.ts"
export {
  type BlockStreamError,
  type BlockStreamSource,
  BlockUnavailable,
  Changes,
  UnknownPlace,
  blockStream
} from "./effect/BlockStream.ts"
