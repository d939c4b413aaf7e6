import { type Codec, defineCodec } from "../Codec.ts"
import {
  BLOCK_QUERY_MAX_SIZE,
  type BlockQuery,
  blockQuerySize,
  readLocator,
  readProtocolVersion,
  readStopHash,
  writeBlockQuery
} from "../Locator.ts"

/** Asks for an `inv` of up to 500 blocks that follow the last shared one. */
export interface GetBlocks extends BlockQuery {
  readonly _tag: "getblocks"
}

export const getblocks: Codec<GetBlocks> = defineCodec<GetBlocks>({
  command: "getblocks",
  shortId: 9,
  spec: "Bitcoin Core 28.1",
  maxSize: BLOCK_QUERY_MAX_SIZE,
  // Core 28.1 `net_processing.cpp`: `fDisconnect`.
  overLimit: "disconnect",
  size: blockQuerySize,
  encode: writeBlockQuery,
  decode: (r) => ({
    _tag: "getblocks",
    protocolVersion: readProtocolVersion(r),
    locator: readLocator(r),
    stopHash: readStopHash(r)
  })
})
