export {
  type BlockPlace,
  type BlockStep,
  type BlockStreamError,
  type BlockStreamSource,
  BlockUnavailable,
  Changes,
  UnknownPlace,
  blockStream
} from "./BlockStream.ts"
