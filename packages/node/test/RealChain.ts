/** What the real headers come to, reckoned without the code under test. */
import { fromHex } from "@satwire/bytes"
import { type ChainParams, HEADER_BITS, HEADER_SIZE, HEADER_TIME, workFromBits } from "@satwire/primitives"
import type { HeaderSegment, RealData } from "@satwire/testkit"

const RETARGET_PERIOD = 2016

/** The row of mainnet's table for the header with which the period of this height begins. */
const periodStart = (data: RealData, height: number) => {
  const start = height - (height % RETARGET_PERIOD)
  const rows = data.text("headers/mainnet/retarget_points_0-832608.csv").split("\n")
  const [, , hex, work] = rows.find((row) => row.startsWith(`${start},`))?.split(",") ?? []
  const header = fromHex(hex ?? "")
  if (header?.length !== HEADER_SIZE || work === undefined) throw new RangeError(`no retarget point at ${start}`)
  const view = new DataView(header.buffer)
  const bits = view.getUint32(HEADER_BITS, true)
  return { start, time: view.getUint32(HEADER_TIME, true), bits, work: BigInt(`0x${work}`) }
}

/** What a base in this period knows of it. */
export const periodAt = (
  data: RealData,
  height: number
): { readonly bits: number; readonly periodFirstTime: number } => {
  const { bits, time } = periodStart(data, height)
  return { bits, periodFirstTime: time }
}

/** The work of mainnet's chain up to this height: of the table's row where its period begins, and of the headers behind it. */
export const chainWorkAt = (data: RealData, height: number): bigint => {
  const { start, bits, work } = periodStart(data, height)
  return work + BigInt(height - start) * workFromBits(bits)
}

/** A network as it is but for its minimum of work, which no segment of its beginning has. */
export const withoutMinimum = (params: ChainParams): ChainParams => ({ ...params, minimumChainWork: 0n })

/** What of the segment stands above its base: all of it, or all but genesis. */
export const aboveBase = (segment: HeaderSegment): Uint8Array =>
  segment.firstHeight === 0 ? segment.read().subarray(HEADER_SIZE) : segment.read()
