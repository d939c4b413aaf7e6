/** One line for each fact that a person would want to read; `undefined` for the others. */
import { describeDisconnect } from "@satwire/node-core"
import type { NodeFact } from "@satwire/node"
import { toHex } from "@satwire/primitives"
import { formatEndpoint } from "@satwire/transport"
import { sanitizeUserAgent } from "@satwire/wire"
import { blockText as shortBlockText } from "./TrafficText.ts"

/** How wide the name of a node is padded. */
const NAME_WIDTH = 9

export const factLine = (node: string, fact: NodeFact): string | undefined => {
  const text = factText(fact)
  return text === undefined ? undefined : `${node.padEnd(NAME_WIDTH)} ${text}`
}

/** What happened to a block. */
const blockText = (
  fact: Extract<
    NodeFact,
    {
      readonly _tag:
        | `Block${"Made" | "TipChanged" | "Invalid" | "Damaged"}`
        | "FiltersDisputed"
        | "CompactReconstructed"
    }
  >
): string => {
  switch (fact._tag) {
    case "BlockMade":
      return "mined a block"
    case "BlockTipChanged": {
      const heights = fact.removed > 0 ? `, ${fact.removed} replaced` : ""
      return `has all blocks up to ${shortHash(fact.tip.hash)} at height ${fact.tip.height}${heights}`
    }
    case "BlockInvalid":
      return `block ${fact.height} breaks the rule "${fact.rule}"`
    case "BlockDamaged":
      return fact.error.message
    case "FiltersDisputed":
      return `was given ${fact.versions} different filters of block ${fact.height}`
    case "CompactReconstructed":
      return `has a block in short: ${shortBlockText(fact).join(", ")}`
  }
}

const factText = (fact: NodeFact): string | undefined => {
  switch (fact._tag) {
    case "Listening":
      return `listens on ${formatEndpoint(fact.endpoint)}`
    case "ListeningLost":
    case "PeersUnsaved":
    case "StoreFull":
      return `${fact.error.message} Trying again in ${Math.round(fact.retryInMs / 1000)} s.`
    case "StoreHasRoom":
      return "there is room on the disk again"
    case "PeerConnected":
      return fact.direction === "outbound" ? `connected to ${fact.address}` : `was connected to by ${fact.address}`
    case "PeerReady": {
      const { userAgent, startHeight, transport } = fact.info
      return `shook hands with ${sanitizeUserAgent(userAgent)} at ${fact.address} (${transport}, height ${startHeight})`
    }
    case "PeerDisconnecting":
      return `lost ${fact.address}: ${describeDisconnect(fact.reason)}`
    case "BlockMade":
    case "BlockTipChanged":
    case "BlockInvalid":
    case "BlockDamaged":
    case "FiltersDisputed":
    case "CompactReconstructed":
      return blockText(fact)
    case "DialFailed":
      return `${fact.error.message} Trying again in ${Math.round((fact.retryInMs ?? 0) / 1000)} s.`
    case "PeerGivenUp":
      return `dials ${formatEndpoint(fact.endpoint)} no more: ${fact.because === "OurOwnAddress" ? "it is our own address" : "it broke the rules"}`
    case "MessageDropped":
      return `dropped a "${fact.command}" message: ${fact.why}`
    case "SubmitRefused":
      return `refused a header of its own: ${fact.rule}`
    case "InboundRefused":
      return `refused ${fact.address}: ${fact.because}`
    case "StoreBehind":
      return fact.isBehind ? "reads no more until its store has caught up" : "reads on: its store has caught up"
    case "TransactionSubmitted":
      return fact.rule === undefined ? undefined : `refused a transaction of its own: ${fact.rule}`
    case "AddressesLearned":
    case "BansChanged":
    case "BlockSubmitted":
    case "HighBandwidthChosen":
    case "TransactionAccepted":
    case "BlocksLoaded":
    case "BlocksPruned":
    case "BlocksStored":
    case "TipChanged":
    case "FixedSeedsUsed":
    case "NobodyToAsk":
    case "PeersSaved":
    case "Presynced":
    case "SkeletonEnded":
    case "TipStale":
    case "SeedGave":
    case "SeedGaveNothing":
    case "SeedingDone":
    case "SeedsWait":
    case "StillLooking":
    case "HeadersAccepted":
    case "HeadersLoaded":
    case "MessageUnsent":
    case "PeerConnecting":
    case "PeerDisconnected":
    case "PeerIntroduced":
    case "HeadersStored":
      return undefined
  }
}

/** The last digits of a hash, where blocks differ. */
export const shortHash = (hash: Uint8Array): string => `…${toHex(hash).slice(-12)}`
