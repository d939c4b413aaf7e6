import { type Codec, defineCodec } from "../Codec.ts"
import { type HashList, hashListMaxSize, hashListSize, readHashList, writeHashList } from "../HashList.ts"
import { MAX_PACKAGE_TRANSACTIONS } from "./getpkgtxns.ts"

/** Draft. The last of these transactions and all its unconfirmed ancestors, answering a `getdata` (BIP-0331). */
export interface AncPkgInfo {
  readonly _tag: "ancpkginfo"
  readonly wtxids: HashList
}

export const ancpkginfo: Codec<AncPkgInfo> = defineCodec<AncPkgInfo>({
  command: "ancpkginfo",
  spec: "BIP-0331 (draft)",
  maxSize: hashListMaxSize(MAX_PACKAGE_TRANSACTIONS),
  // Of a longer list `getpkgtxns` could not ask for all.
  overLimit: "disconnect",
  size: (m) => hashListSize(m.wtxids),
  encode: (w, m) => writeHashList(w, m.wtxids),
  decode: (r) => ({ _tag: "ancpkginfo", wtxids: readHashList(r, MAX_PACKAGE_TRANSACTIONS, "wtxids") })
})
