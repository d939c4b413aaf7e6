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

/** Asks for up to 2,000 headers that follow the last shared block. */
export interface GetHeaders extends BlockQuery {
  readonly _tag: "getheaders"
}

export const getheaders: Codec<GetHeaders> = defineCodec<GetHeaders>({
  command: "getheaders",
  shortId: 12,
  spec: "Bitcoin Core 28.1",
  maxSize: BLOCK_QUERY_MAX_SIZE,
  // Core 28.1 `net_processing.cpp`: `fDisconnect`.
  overLimit: "disconnect",
  size: blockQuerySize,
  encode: writeBlockQuery,
  decode: (r) => ({
    _tag: "getheaders",
    protocolVersion: readProtocolVersion(r),
    locator: readLocator(r),
    stopHash: readStopHash(r)
  })
})
