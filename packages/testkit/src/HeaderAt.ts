/** What raw headers come to, reckoned without the code under test. */
import { portableSha256 } from "@satwire/crypto"
import { HEADER_SIZE, headerHash, toHex } from "@satwire/primitives"

/** The hash of header number `index` of these raw ones, as people write it. */
export const hashAt = (headers: Uint8Array, index: number): string =>
  toHex(headerHash(portableSha256, headers.slice(index * HEADER_SIZE, (index + 1) * HEADER_SIZE)))

/** The last of these raw headers, the first of which stands at `firstHeight`. */
export const lastOf = (
  headers: Uint8Array,
  firstHeight: number
): { readonly height: number; readonly hash: string } => {
  const last = headers.length / HEADER_SIZE - 1
  return { height: firstHeight + last, hash: hashAt(headers, last) }
}
