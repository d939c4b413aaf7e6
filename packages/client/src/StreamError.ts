/** Why a stream of headers or of blocks cannot go on, and what each of its peers did. */
import type { BlockServingFault } from "@satwire/block-stream"
import { type BlockHash, toHex } from "@satwire/primitives"
import { type DialError, type Endpoint, formatEndpoint } from "@satwire/transport"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import type { SessionEnded } from "./SessionError.ts"

/** What ended the last session with a peer, or kept it from beginning. */
export type StreamPeerFault =
  /** It could not be dialled. */
  | { readonly _tag: "NotReached"; readonly error: DialError }
  /** The session ended: it left, the network failed, or it broke the protocol. */
  | { readonly _tag: "SessionOver"; readonly error: SessionEnded }
  /** It does not serve what is wanted. What is said of blocks is said in a stream of blocks alone. */
  | BlockServingFault
  /** It does not take in what it is sent. */
  | { readonly _tag: "NotReading" }

/** A peer that is not dialled any more. */
export interface SpentPeer {
  readonly endpoint: Endpoint
  /** How many sessions or dials failed one after another. */
  readonly tries: number
  /** Whose doing the last of them was. */
  readonly by: "peer" | "network" | "us"
  /** What the last of them failed of. */
  readonly fault: StreamPeerFault
  /** One sentence, which names the peer. */
  readonly message: string
}

export const spentPeer = (endpoint: Endpoint, tries: number, fault: StreamPeerFault): SpentPeer => {
  const message = fault._tag === "SessionOver" ? fault.error.message : `${formatEndpoint(endpoint)}: ${wordsOf(fault)}`
  return { endpoint, tries, by: whoseDoing(fault), fault, message }
}

const whoseDoing = (fault: StreamPeerFault): SpentPeer["by"] => {
  if (fault._tag === "SessionOver") return fault.error.by
  return fault._tag === "NotReached" ? "network" : "peer"
}

const wordsOf = (fault: Exclude<StreamPeerFault, { readonly _tag: "SessionOver" }>): string => {
  switch (fault._tag) {
    case "NotReached":
      return fault.error.message
    case "InvalidHeader":
      return `it sent headers of which number ${fault.index + 1} breaks a rule (${fault.rule})`
    case "HeadersTimeout":
      return "it took too long to send its headers"
    case "ChainTimeout":
      return "its chain stayed behind for too long"
    case "LittleWork":
      return "all that it has is less work than the network is known to have"
    case "NotServing":
      return "it was asked for headers and sent nothing new"
    case "NotReading":
      return "it does not take in what it is sent"
    case "NoBlocks":
      return "it offers no blocks with witnesses"
    case "BlockLacking":
      return `it does not have block ${fault.height}`
    case "BadBlock":
      return `it sent a block that breaks a rule (${fault.rule})`
    case "BlockStalling":
      return `it held up all blocks for ${fault.allowedMs / 1000} s`
    case "BlockTimeout":
      return `it was asked for a block, which did not come in ${fault.allowedMs / 1000} s`
  }
}

interface NoPeerServesFields {
  /** Each peer that was given, in the order in which they were. */
  readonly peers: ReadonlyArray<SpentPeer>
  /** One sentence, which names them. */
  readonly message: string
}

const NoPeerServesBase: new (
  fields: NoPeerServesFields
) => Cause.YieldableError & { readonly _tag: "NoPeerServes" } & NoPeerServesFields = Data.TaggedError("NoPeerServes")

/** Every peer of a stream is spent: it was tried as often as it may be, or broke a rule. */
export class NoPeerServes extends NoPeerServesBase {}

export const noPeerServes = (peers: ReadonlyArray<SpentPeer>, what: "headers" | "blocks"): NoPeerServes => {
  const told = peers.map(({ message, tries }) => `${message} (tried ${tries === 1 ? "once" : `${tries} times`})`)
  const message = peers.length === 0 ? "no peers were given" : `no peer serves ${what}: ${told.join("; ")}`
  return new NoPeerServes({ peers, message })
}

interface HeaderUnknownFields {
  readonly hash: BlockHash
  /** One sentence. */
  readonly message: string
}

const HeaderUnknownBase: new (
  fields: HeaderUnknownFields
) => Cause.YieldableError & { readonly _tag: "HeaderUnknown" } & HeaderUnknownFields = Data.TaggedError("HeaderUnknown")

/** Changes were asked for from a header on that is in no chain here: the store was lost, or is another. */
export class HeaderUnknown extends HeaderUnknownBase {
  constructor(hash: BlockHash) {
    super({ hash, message: `no header ${toHex(hash)} is known here: begin with one that is, such as that of genesis` })
  }
}
