/** What a replay says, as lines. */
import type { ReplayNews, ReplaySummary } from "@satwire/capture"
import type { NodeCoreFact } from "@satwire/node-core"
import { toHex } from "@satwire/primitives"
import { sanitize } from "@satwire/wire"
import { counted } from "../Numbers.ts"
import { factText } from "../node/FactText.ts"

/** The lines of one piece of news. */
export const replayLines = (news: ReplayNews): ReadonlyArray<string> => {
  switch (news._tag) {
    case "Fact":
      return [`${time(news.unixMs)} ${factLine(news.fact)}`]
    case "Message": {
      const way = news.side === "received" ? "says" : "is told"
      const command = sanitize(news.command)
      return [
        `${time(news.unixMs)} Peer ${news.peer} (${news.address}) ${way} ${command}, ${counted(news.sizeBytes, "byte")}.`
      ]
    }
    case "Ended":
      return summaryLines(news)
  }
}

const time = (unixMs: number): string => new Date(unixMs).toISOString()

/** The sentence of the log where it has one. */
const factLine = (fact: NodeCoreFact): string => {
  switch (fact._tag) {
    case "HeadersAccepted":
      return fact.from === undefined
        ? `Took ${counted(fact.count, "header")} of the file.`
        : `Took ${counted(fact.count, "header")} of peer ${fact.from}.`
    case "TipChanged":
      return `The best header has height ${counted(fact.tip.height)}, ${toHex(fact.tip.hash)}${undone(fact)}.`
    case "BlockTipChanged":
      return `The chain of blocks ends at height ${counted(fact.tip.height)}, ${toHex(fact.tip.hash)}${undone(fact)}.`
    case "PeerIntroduced":
      return `Peer ${fact.peer} has said who it is.`
    case "CompactReconstructed":
      // Nothing takes time here.
      return factText({ ...fact, tookMs: 0 })?.text ?? fact._tag
    case "DialEnded":
    case "GivenUp":
    case "AnchorsChanged":
      return `${fact._tag}.`
    default:
      return factText(fact)?.text ?? `${fact._tag}.`
  }
}

const undone = ({ forkHeight, removed }: { readonly forkHeight: number; readonly removed: number }): string =>
  removed === 0 ? "" : `, above height ${counted(forkHeight)} in place of ${counted(removed, "other")}`

const summaryLines = (ended: ReplaySummary): ReadonlyArray<string> => {
  const { addresses, blockTip, bytes, connections, passedOver, received, records, tip } = ended
  const from = `${counted(addresses)} ${addresses === 1 ? "address" : "addresses"}`
  const commands = [...ended.commands].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return [
    `${counted(records, "message")} of ${from}, ${counted(bytes, "byte")}, from ${time(ended.fromMs)} to ${time(ended.toMs)}.`,
    `${counted(connections, "connection")}; ${counted(received)} received messages were given to the core, ${counted(passedOver)} came after it had let their sender go.`,
    `Received: ${commands.map(([command, count]) => `${sanitize(command)} ${counted(count)}`).join(", ") || "nothing"}.`,
    ...(tip === undefined ? [] : [`The best header has height ${counted(tip.height)}, ${toHex(tip.hash)}.`]),
    ...(blockTip === undefined
      ? []
      : [`The chain of blocks ends at height ${counted(blockTip.height)}, ${toHex(blockTip.hash)}.`])
  ]
}
