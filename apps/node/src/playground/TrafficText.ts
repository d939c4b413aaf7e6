/** What moved, in words: rows of a few parts each, wrapped to any width. */
import { counted } from "../Numbers.ts"
import { type ShortBlock, type TrafficFrame, avoidedRoundTrips, savedPercent } from "./Traffic.ts"

/** How wide the name of a row is padded. */
const LABEL_WIDTH = 12

/** Transactions, the last block in short and all of them; `waiting` transactions are in the fullest pool, where that is known. */
export const trafficLines = (
  frame: TrafficFrame,
  columns: number,
  waiting: number | undefined
): ReadonlyArray<string> => {
  const { blocks, last, short } = frame
  const transactions = transactionsText(frame)
  if (waiting !== undefined) transactions.push(`${counted(waiting)} in the pool`)
  const lines = [...wrapped("transactions", transactions, columns)]
  if (last !== undefined) lines.push(...wrapped("last block", blockText(last), columns))
  if (blocks === 0) return lines
  const { avoided, of } = avoidedRoundTrips(short)
  const { blockBytes, count, messageBytes, tookMs } = short
  const sums = [`${counted(count)} of ${counted(blocks, "block")} in short`]
  if (count > 0) {
    sums.push(
      `${counted(blockBytes - messageBytes)} of ${counted(blockBytes, "byte")} saved (${savedPercent(blockBytes, messageBytes).toFixed(1)} %)`,
      `${(tookMs / count).toFixed(1)} ms each`,
      `${counted(avoided)} of ${counted(of, "round trip")} avoided`
    )
  }
  return [...lines, ...wrapped("in all", sums, columns)]
}

/** How many were made and relayed. */
export const transactionsText = ({ made, relayed }: Pick<TrafficFrame, "made" | "relayed">): Array<string> => [
  `${counted(made)} made`,
  `${counted(relayed)} relayed`
]

/** How a block was put together. */
export const blockText = ({ roundTrips, stats, tookMs }: ShortBlock): ReadonlyArray<string> => {
  const { blockBytes, fetched, messageBytes, transactions } = stats
  return [
    counted(transactions, "transaction"),
    ...(fetched === 0 ? [] : [`${counted(fetched)} of them fetched`]),
    `${counted(messageBytes)} of ${counted(blockBytes, "byte")} moved`,
    `${savedPercent(blockBytes, messageBytes).toFixed(1)} % saved`,
    `put together in ${tookMs.toFixed(1)} ms`,
    counted(roundTrips, "round trip")
  ]
}

/** As many parts on a line as have room, the first line with its name before them. A part that no line has room for is parted at its blanks. */
const wrapped = (label: string, parts: ReadonlyArray<string>, columns: number): ReadonlyArray<string> => {
  const room = columns - LABEL_WIDTH - 1
  const pieces = parts
    .map((part, i) => (i < parts.length - 1 ? `${part},` : part))
    .flatMap((part) => (part.length <= room ? [part] : part.split(" ")))
  const lines: Array<string> = []
  let line = ""
  for (const piece of pieces) {
    if (line !== "" && line.length + 1 + piece.length > room) {
      lines.push(line)
      line = ""
    }
    line += line === "" ? piece : ` ${piece}`
  }
  return [...lines, line].map((text, i) => `${(i === 0 ? label : "").padEnd(LABEL_WIDTH)} ${text}`)
}
