/**
 * Lists of (height, hash) of one chain, as files that anyone can make and read: what headers are fetched along at once (a skeleton), or
 * what a user trusts.
 *
 * ```
 *   # anything after a number sign
 *   0 000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f
 *   2000 00000000dfd5d65c9d8561b4b8f60a63018fe3933ecb131fb37f905f87da951a
 * ```
 *
 * Text in, values out: where a file lies and how it is read is the app's.
 */
import { equals } from "@satwire/bytes"
import * as Result from "effect/Result"
import type { ChainParams } from "./ChainParams.ts"
import { type BlockHash, fromHex, toHex } from "./Hash.ts"

/**
 * A list of mainnet with a point every 2,000 headers has some 500.
 *
 * @limit points of a list of headers
 */
export const MAX_HEADER_POINTS = 100_000

export interface HeaderPoint {
  readonly height: number
  readonly hash: BlockHash
}

/** What is wrong with a list, and where. */
export interface HeaderPointsFault {
  /** Counted from 1. */
  readonly line: number
  /** What is wrong, as the end of a sentence. */
  readonly what: string
}

/**
 * The points of a list, lowest first; or the first line that is wrong. Empty lines, and what stands behind a number sign, are passed over.
 *
 * @param mostApart how far two of them, and the first of them and genesis, may be apart
 */
export const parseHeaderPoints = (
  text: string,
  params: ChainParams,
  mostApart: number = Infinity
): Result.Result<ReadonlyArray<HeaderPoint>, HeaderPointsFault> => {
  const points: Array<HeaderPoint> = []
  let line = 0
  let before = -1
  for (const written of text.split("\n")) {
    line++
    const said = (written.split("#", 1)[0] ?? "").trim()
    if (said === "") continue
    if (points.length === MAX_HEADER_POINTS)
      return Result.fail({ line, what: `is one more than the ${MAX_HEADER_POINTS} points that are taken` })
    const point = parsePoint(said)
    if (typeof point === "string") return Result.fail({ line, what: point })
    const { height, hash } = point
    if (height === 0 && !equals(hash, params.genesisHash))
      return Result.fail({
        line,
        what: `does not name the first block of ${params.name}: the list is of another network`
      })
    if (height <= before) return Result.fail({ line, what: `has height ${height}, which is not above ${before}` })
    if (height - Math.max(0, before) > mostApart)
      return Result.fail({ line, what: `is more than ${mostApart} headers above the one before` })
    before = height
    points.push(point)
  }
  if (points.length === 0) return Result.fail({ line, what: "is the last, and no line names a header" })
  return Result.succeed(points)
}

const parsePoint = (said: string): HeaderPoint | string => {
  const [height = "", hash = "", ...more] = said.split(/\s+/)
  if (!/^\d{1,9}$/.test(height)) return `does not begin with a height: ${shown(height)}`
  const bytes = /^[\da-f]{64}$/i.test(hash) ? fromHex(hash.toLowerCase()) : undefined
  if (bytes === undefined) return "has no hash of 64 hexadecimal digits behind its height"
  if (more.length > 0) return `has more than a height and a hash: ${shown(more.join(" "))}`
  return { height: Number(height), hash: bytes as BlockHash }
}

/** The beginning of what somebody else wrote, harmless on a terminal. */
const shown = (text: string): string => text.slice(0, 20).replaceAll(/[^\x20-\x7e]/g, "?")

/** The list as text, which `parseHeaderPoints` gives back. */
export const formatHeaderPoints = (points: ReadonlyArray<HeaderPoint>): string =>
  points.map(({ height, hash }) => `${height} ${toHex(hash)}\n`).join("")
