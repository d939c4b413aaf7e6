import { type Codec, defineCodec } from "../Codec.ts"
import { type HashList, hashListMaxSize, hashListSize, readHashList, writeHashList } from "../HashList.ts"

/**
 * BIP-0331 §"getpkgtxns": transactions of a package.
 *
 * @limit transactions of a package
 */
export const MAX_PACKAGE_TRANSACTIONS = 100

/** Draft. Asks for all of these transactions or none (BIP-0331). */
export interface GetPkgTxns {
  readonly _tag: "getpkgtxns"
  readonly wtxids: HashList
}

export const getpkgtxns: Codec<GetPkgTxns> = defineCodec<GetPkgTxns>({
  command: "getpkgtxns",
  spec: "BIP-0331 (draft)",
  maxSize: hashListMaxSize(MAX_PACKAGE_TRANSACTIONS),
  // BIP-0331: "ignore the message … and disconnect the sender".
  overLimit: "disconnect",
  size: (m) => hashListSize(m.wtxids),
  encode: (w, m) => writeHashList(w, m.wtxids),
  decode: (r) => ({ _tag: "getpkgtxns", wtxids: readHashList(r, MAX_PACKAGE_TRANSACTIONS, "wtxids") })
})
