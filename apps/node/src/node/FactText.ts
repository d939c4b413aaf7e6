/** What a node tells, as sentences for a log. */
import type { GivenUpBecause, NodeFact } from "@satwire/node"
import type { Refusal } from "@satwire/connections"
import { type SeedingFact, describeSeeding } from "@satwire/discovery"
import { describeDisconnect } from "@satwire/node-core"
import { toHex } from "@satwire/primitives"
import { formatEndpoint } from "@satwire/transport"
import { sanitizeUserAgent } from "@satwire/wire"
import { counted } from "../Numbers.ts"
import type { LogLine } from "../log/LogLine.ts"

/** How it stands with the chain. */
const chainText = (
  fact: Extract<
    NodeFact,
    { readonly _tag: "TipStale" | "Presynced" | "SkeletonEnded" | "BlockInvalid" | "FiltersDisputed" }
  >
): LogLine => {
  switch (fact._tag) {
    case "BlockInvalid":
      return warn(
        `Block ${counted(fact.height)} (${toHex(fact.hash)}) breaks the rule "${fact.rule}": its chain is not followed.`
      )
    case "FiltersDisputed": {
      const outcome = fact.isProven
        ? "the block shows which are false"
        : "nobody can tell which is true, so that of most is taken, and the block was fetched"
      const block = `block ${counted(fact.height)} (${toHex(fact.hash)})`
      return warn(`Peers give ${fact.versions} different filters of ${block}: ${outcome}.`)
    }
    case "TipStale":
      return fact.isStale ? warn("No block has come for long: another peer is asked.") : info("A block has come again.")
    case "Presynced":
      return debug(`Headers of peer ${fact.peer} up to height ${counted(fact.height)} were ${PRESYNCED[fact.phase]}.`)
    case "SkeletonEnded": {
      const height = counted(fact.height)
      if (!fact.isWrong) return info(`All headers along the skeleton are there, up to height ${height}.`)
      return warn(
        `The header skeleton led to nothing at height ${height}: headers are fetched without it from here on.`
      )
    }
  }
}

/** How it stands with what is kept, and what is not. */
const storeText = (
  fact: Extract<
    NodeFact,
    {
      readonly _tag:
        | `${"Headers" | "Blocks"}${"Loaded" | "Stored"}`
        | "BlocksPruned"
        | "BlockDamaged"
        | "StoreBehind"
        | "StoreHasRoom"
    }
  >
): LogLine => {
  switch (fact._tag) {
    case "HeadersLoaded":
      return info(
        `Loaded ${counted(fact.count, "header")} from disk; the best chain has height ${counted(fact.height)}.`
      )
    case "HeadersStored":
      return debug(`Wrote ${counted(fact.count, "header")} to disk.`)
    case "BlocksLoaded":
      return info(
        `${counted(fact.count, "block")} are kept; the chain is followed up to height ${counted(fact.height)}.`
      )
    case "BlocksStored":
      return debug(`Wrote ${counted(fact.count, "block")} to disk, ${counted(fact.bytes, "byte")}.`)
    case "BlocksPruned":
      return info(`Removed ${counted(fact.count, "old block")} to make room.`)
    case "BlockDamaged":
      return warn(`${fact.error.message} The node fetches it again by itself.`)
    case "StoreBehind":
      return debug(fact.isBehind ? "Reads no more from peers until the disk has caught up." : "The disk has caught up.")
    case "StoreHasRoom":
      return info("There is room on the disk again: all that waited is kept.")
  }
}

/** The sentence for a fact; `undefined` where progress lines say it. */
export const factText = (fact: NodeFact): LogLine | undefined => {
  switch (fact._tag) {
    case "HeadersLoaded":
    case "HeadersStored":
    case "BlocksLoaded":
    case "BlocksStored":
    case "BlocksPruned":
    case "BlockDamaged":
    case "StoreBehind":
    case "StoreHasRoom":
      return storeText(fact)
    case "Listening":
      return info(`Listening on ${formatEndpoint(fact.endpoint)}.`)
    case "ListeningLost":
    case "PeersUnsaved":
    case "StoreFull":
      return warn(`${fact.error.message} Trying again in ${Math.round(fact.retryInMs / 1000)} s.`)
    case "TipStale":
    case "Presynced":
    case "SkeletonEnded":
    case "BlockInvalid":
    case "FiltersDisputed":
      return chainText(fact)
    case "PeerConnecting":
    case "PeerConnected":
    case "PeerReady":
    case "PeerDisconnecting":
    case "DialFailed":
    case "PeerGivenUp":
    case "InboundRefused":
      return peerText(fact)
    case "AddressesLearned":
    case "SeedsWait":
    case "SeedGave":
    case "SeedGaveNothing":
    case "FixedSeedsUsed":
    case "SeedingDone":
    case "StillLooking":
    case "NobodyToAsk":
    case "PeersSaved":
      return findingText(fact)
    case "MessageDropped":
      return debug(`Dropped a "${fact.command}" message of peer ${fact.peer}: ${fact.why}.`)
    case "SubmitRefused":
      return warn(`Refused header ${fact.index} of those submitted: ${fact.rule}.`)
    case "BlockMade":
      return info("Mined a block.")
    case "MessageUnsent":
      return debug(`Did not send "${fact.command}" to peer ${fact.peer}: ${fact.why}.`)
    case "TransactionAccepted":
      return debug(`Transaction ${toHex(fact.wtxid)} waits for a block.`)
    case "HighBandwidthChosen":
      return debug(`New blocks are to come in short of ${counted(fact.peers.length, "peer")}.`)
    case "CompactReconstructed":
      return debug(compactText(fact))
    case "TransactionSubmitted":
    case "BlockSubmitted":
    case "BansChanged":
    case "BlockTipChanged":
    case "HeadersAccepted":
    case "PeerDisconnected":
    case "PeerIntroduced":
    case "TipChanged":
      return undefined
  }
}

/** How it goes with one peer. */
const peerText = (
  fact: Extract<
    NodeFact,
    {
      readonly _tag:
        | `Peer${"Connecting" | "Connected" | "Ready" | "Disconnecting" | "GivenUp"}`
        | "DialFailed"
        | "InboundRefused"
    }
  >
): LogLine => {
  switch (fact._tag) {
    case "PeerConnecting":
      return debug(`Dialling ${formatEndpoint(fact.endpoint)}.`)
    case "PeerConnected":
      return debug(`${fact.direction === "outbound" ? "Connected to" : "Connection from"} ${fact.address}.`)
    case "PeerReady": {
      const { direction, userAgent, startHeight, transport } = fact.info
      const who = `${fact.address}, ${direction}, ${transport}`
      const name = sanitizeUserAgent(userAgent) || "no user agent"
      return info(`Shook hands with ${who}: ${name} at height ${counted(startHeight)}.`)
    }
    case "PeerDisconnecting":
      return info(`Disconnected ${fact.address}: ${describeDisconnect(fact.reason)}.`)
    case "DialFailed":
      if (fact.retryInMs === undefined) return debug(fact.error.message)
      return warn(`${fact.error.message} Trying again in ${Math.max(1, Math.round(fact.retryInMs / 1000))} s.`)
    case "PeerGivenUp":
      return warn(
        `${formatEndpoint(fact.endpoint)} ${GIVEN_UP[fact.because]} and is not dialled again until the next start.`
      )
    case "InboundRefused":
      return debug(`Refused a connection from ${fact.address}: ${REFUSED[fact.because]}.`)
  }
}

/** How much of a block did not have to be sent, and how often it had to be asked for more. */
const compactText = ({ roundTrips, stats }: Extract<NodeFact, { readonly _tag: "CompactReconstructed" }>): string => {
  const { blockBytes, fetched, messageBytes, transactions } = stats
  const saved = blockBytes === 0 ? 0 : (100 * (blockBytes - messageBytes)) / blockBytes
  const trips = roundTrips === 0 ? "without a question" : `after ${counted(roundTrips, "question")}`
  return `A block of ${counted(transactions, "transaction")} came in ${counted(messageBytes, "byte")} of ${counted(blockBytes)} (${saved.toFixed(1)} % saved), ${fetched} of them fetched, ${trips}.`
}

/** How the search for peers goes. */
const findingText = (
  fact: Extract<NodeFact, { readonly _tag: SeedingFact["_tag"] | "AddressesLearned" | "PeersSaved" }>
): LogLine => {
  switch (fact._tag) {
    case "AddressesLearned":
      return debug(`Peer ${fact.from} told of ${fact.told} addresses, ${fact.added} of them new.`)
    case "StillLooking":
    case "NobodyToAsk":
      return warn(sentence(describeSeeding(fact)))
    case "PeersSaved":
      return debug(`Wrote ${fact.count} ${fact.what} to disk.`)
    default:
      return info(sentence(describeSeeding(fact)))
  }
}

const PRESYNCED = { presync: "looked at, and not kept yet", redownload: "fetched again, to be kept" } as const

const REFUSED: Record<Refusal, string> = {
  banned: "its address is banned",
  discouraged: "its host broke the rules before, and places are short",
  full: "--maxconnections are taken, and nobody is worth less"
}

const GIVEN_UP: Record<GivenUpBecause, string> = {
  BrokeTheRules: "broke the rules",
  OurOwnAddress: "is this node itself"
}

const sentence = (clause: string): string => `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`

const debug = (text: string): LogLine => ({ level: "Debug", text })
const info = (text: string): LogLine => ({ level: "Info", text })
const warn = (text: string): LogLine => ({ level: "Warn", text })
