import { type Codec, defineCodec } from "../Codec.ts"

/** Draft. `getpkgtxns` and `pkgtxns` are understood. */
export const PKG_RELAY_PKGTXNS: bigint = 1n << 0n
/** Draft. `ancpkginfo` is understood. */
export const PKG_RELAY_ANC: bigint = 1n << 1n

/** Draft. Says which messages about packages are understood (BIP-0331). Between `version` and `verack` only. */
export interface SendPackages {
  readonly _tag: "sendpackages"
  /** Bits; unknown ones are ignored. */
  readonly versions: bigint
}

export const sendpackages: Codec<SendPackages> = defineCodec<SendPackages>({
  command: "sendpackages",
  spec: "BIP-0331 (draft)",
  maxSize: 8,
  size: () => 8,
  encode: (w, m) => w.u64(m.versions),
  decode: (r) => ({ _tag: "sendpackages", versions: r.u64("package versions") })
})
