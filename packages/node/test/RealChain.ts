/** What the real headers come to, reckoned without the code under test. */
import { portableSha256 } from "@satwire/crypto"
import { type ChainParams, HEADER_SIZE, headerHash, toHex, workFromBits } from "@satwire/primitives"
import type { HeaderSegment, RealData } from "@satwire/testkit"

const RETARGET_PERIOD = 2016

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

/** The work of mainnet's chain up to this height: of the table's row where its period begins, and of the headers behind it. */
export const chainWorkAt = (data: RealData, height: number): bigint => {
  const start = height - (height % RETARGET_PERIOD)
  const rows = data.text("headers/mainnet/retarget_points_0-832608.csv").split("\n")
  const [, , header, work] = rows.find((row) => row.startsWith(`${start},`))?.split(",") ?? []
  if (header === undefined || work === undefined) throw new RangeError(`no retarget point at ${start}`)
  const bits = Number.parseInt(header.slice(144, 152).replace(/(..)(..)(..)(..)/, "$4$3$2$1"), 16)
  return BigInt(`0x${work}`) + BigInt(height - start) * workFromBits(bits)
}

/** A network as it is but for its minimum of work, which no segment of its beginning has. */
export const withoutMinimum = (params: ChainParams): ChainParams => ({ ...params, minimumChainWork: 0n })

/** What of the segment stands above its base: all of it, or all but genesis. */
export const aboveBase = (segment: HeaderSegment): Uint8Array =>
  segment.firstHeight === 0 ? segment.read().subarray(HEADER_SIZE) : segment.read()
