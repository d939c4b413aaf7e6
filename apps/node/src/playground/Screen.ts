/** The playground's live screen as text: a pure drawing of what is known at one moment. */
import { counted } from "../Numbers.ts"
import type { TrafficFrame } from "./Traffic.ts"
import { trafficLines } from "./TrafficText.ts"

export interface NodeFrame {
  readonly name: string
  readonly doing: string
  readonly address: string
  readonly peers: number
  readonly height: number
  readonly tip: string
  /** Messages a second, of the last moments. */
  readonly received: number
  readonly sent: number
  readonly bytes: number
  readonly pingMs: number | undefined
  /** Transactions that wait for a block. */
  readonly pool: number
}

export interface Frame {
  readonly nodes: ReadonlyArray<NodeFrame>
  readonly traffic: TrafficFrame
  /** Blocks mined so far, those that there were to begin with aside, and how many are wanted. */
  readonly blocks: number
  readonly wanted: number | undefined
  readonly elapsedMs: number
  readonly intervalMs: number
  /** Blocks that the slowest node lacks of the highest tip. */
  readonly behind: number
  readonly events: ReadonlyArray<string>
  readonly columns: number
}

const BAR_WIDTH = 24

/** The lines of one frame, none wider than the terminal. */
export const drawScreen = (frame: Frame): ReadonlyArray<string> => {
  const shown = columnsWithin(frame.columns)
  const lines = [
    "",
    row(["node", "does", "address", "peers", "height", "tip", "msg/s in", "out", "bytes", "ping", "pool"], shown),
    ...frame.nodes.map((node) =>
      row(
        [
          node.name,
          node.doing,
          node.address,
          String(node.peers),
          String(node.height),
          node.tip,
          node.received.toFixed(1),
          node.sent.toFixed(1),
          counted(node.bytes),
          node.pingMs === undefined ? "–" : `${node.pingMs.toFixed(1)} ms`,
          String(node.pool)
        ],
        shown
      )
    ),
    "",
    progress(frame),
    "",
    ...trafficLines(frame.traffic, frame.columns, Math.max(...frame.nodes.map((node) => node.pool))),
    "",
    ...frame.events
  ]
  return lines.map((line) => clip(line, frame.columns))
}

const WIDTHS = [9, 8, 16, 6, 7, 14, 9, 6, 10, 8, 5]
const RIGHT = new Set([3, 4, 6, 7, 8, 9, 10])
/**
 * What a narrow terminal does without, first to last: bytes, what a node does, messages sent, the address; then messages received, peers and the
 * ping.
 */
const DISPENSABLE = [8, 1, 7, 2, 6, 3, 9]

/** The columns of the table that have room side by side. */
const columnsWithin = (width: number): ReadonlyArray<number> => {
  let shown = WIDTHS.map((_, i) => i)
  const needed = (): number => shown.reduce((sum, i) => sum + (WIDTHS[i] ?? 0) + 1, -1)
  for (const column of DISPENSABLE) if (needed() > width) shown = shown.filter((i) => i !== column)
  return shown
}

const row = (cells: ReadonlyArray<string>, shown: ReadonlyArray<number>): string =>
  shown
    .map((i) => (RIGHT.has(i) ? (cells[i] ?? "").padStart(WIDTHS[i] ?? 0) : (cells[i] ?? "").padEnd(WIDTHS[i] ?? 0)))
    .join(" ")
    .trimEnd()

const progress = (frame: Frame): string => {
  const { blocks, wanted, behind, elapsedMs, intervalMs } = frame
  const sync = behind === 0 ? "all nodes agree" : `${behind} block${behind === 1 ? "" : "s"} behind`
  const time = `${Math.floor(elapsedMs / 1000)} s`
  if (wanted === undefined) {
    const part = (elapsedMs % intervalMs) / intervalMs
    return `${bar(part)} ${blocks} blocks in ${time}, ${sync}`
  }
  return `${bar(Math.min(1, blocks / wanted))} block ${blocks} of ${wanted} after ${time}, ${sync}`
}

/** A bar of blocks and dots, for a share between 0 and 1. */
export const bar = (share: number): string => {
  const full = Math.round(share * BAR_WIDTH)
  return `[${"█".repeat(full)}${"·".repeat(BAR_WIDTH - full)}]`
}

const clip = (line: string, columns: number): string =>
  line.length <= columns ? line : `${line.slice(0, columns - 1)}…`
