/**
 * Unbroken runs of real headers: files of raw 80-byte headers, one after another, named by their heights. Where a run does not begin at
 * genesis, the table of retarget points tells what must be known to begin there.
 */
import { fromHex as bytesFromHex } from "@satwire/bytes"
import {
  BlockHash,
  HEADER_BITS,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  HEADER_TIME,
  Height,
  workFromBits
} from "@satwire/primitives"

/** Blocks between two retargets on the public networks. */
const RETARGET_PERIOD = 2016

export interface HeaderSegment {
  readonly network: string
  readonly firstHeight: number
  readonly lastHeight: number
  /** Path of the file in the folder of real data. */
  readonly path: string
  /** The raw headers, read anew from the file. */
  read(): Uint8Array<ArrayBuffer>
}

/** What must be known of a header to go on from it: as `HeaderTree.fromBase` takes it. */
export interface HeaderBase {
  readonly height: Height
  readonly hash: BlockHash
  readonly bits: number
  /** Work of the whole chain up to this header, itself included. */
  readonly chainWork: bigint
  /** Time of the first header of the retarget period in which this header lies. */
  readonly periodFirstTime: number
}

/** A header at which a retarget period begins or ends. */
export interface RetargetPoint {
  readonly time: number
  readonly bits: number
  readonly chainWork: bigint
}

/** The segments among the file names of one network's folder, by height. */
export const headerSegments = (
  network: string,
  names: ReadonlyArray<string>,
  read: (path: string) => Uint8Array<ArrayBuffer>
): ReadonlyArray<HeaderSegment> => {
  const segments: Array<HeaderSegment> = []
  for (const name of names) {
    const heights = /^headers_(\d+)-(\d+)\.bin$/.exec(name)
    if (heights === null) continue
    const path = `headers/${network}/${name}`
    segments.push({
      network,
      firstHeight: Number(heights[1]),
      lastHeight: Number(heights[2]),
      path,
      read: () => read(path)
    })
  }
  return segments.toSorted((a, b) => a.firstHeight - b.firstHeight)
}

/** The rows `height,hash,header_hex,chainwork_hex`, by height. */
export const parseRetargetPoints = (csv: string): ReadonlyMap<number, RetargetPoint> => {
  const points = new Map<number, RetargetPoint>()
  for (const line of csv.trim().split("\n").slice(1)) {
    const [height, , headerHex, workHex] = line.split(",")
    const raw = bytesFromHex(headerHex ?? "")
    if (raw?.length !== HEADER_SIZE) throw new RangeError(`not a row of retarget points: ${line}`)
    const header = new DataView(raw.buffer)
    points.set(Number(height), {
      time: header.getUint32(HEADER_TIME, true),
      bits: header.getUint32(HEADER_BITS, true),
      chainWork: BigInt(`0x${workHex}`)
    })
  }
  return points
}

/**
 * The parent of the segment's first header, by hash alone: its work is that of the retarget point at which its period begins and of the
 * headers between, whose bits are constant. `undefined` where the segment begins at genesis.
 */
export const headerBase = (
  segment: HeaderSegment,
  points: ReadonlyMap<number, RetargetPoint>
): HeaderBase | undefined => {
  if (segment.firstHeight === 0) return undefined
  const height = segment.firstHeight - 1
  const periodStart = height - (height % RETARGET_PERIOD)
  const point = points.get(periodStart)
  if (point === undefined) throw new RangeError(`no retarget point at ${periodStart}`)
  return {
    height: Height(height),
    hash: BlockHash(segment.read().slice(HEADER_PREVIOUS, HEADER_PREVIOUS + 32)),
    bits: point.bits,
    chainWork: point.chainWork + BigInt(height - periodStart) * workFromBits(point.bits),
    periodFirstTime: point.time
  }
}
