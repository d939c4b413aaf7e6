/**
 * The place where bytes of a peer become gossip, which gossipsub itself leaves open: it drops what it cannot decode and goes on, takes any
 * number of messages, and starts to validate all of them at once.
 *
 * ```
 *   stream ─▶ decodeRpc ─▶ no gossip? ─▶ banned? ─▶ over its rate? ─▶ no topic of ours? ─▶ wait for a turn ─▶ gossipsub
 *                            fault                    fault             dropped             the stream is held back
 * ```
 *
 * Specification: against a rate counts all that a frame says, and not messages alone. Rationale: a frame of 100 KB holds five thousand words of
 * two bytes about a mesh, of which each keeps gossipsub as busy as a message does (measured: a quarter of a second for them).
 *
 * The three methods are gossipsub's own, of one instance, and called by its reading loop; a test sees each of them called.
 */
import type { GossipSub } from "@libp2p/gossipsub"
import type { PeerId } from "@libp2p/interface"
import type { GossipFault } from "./Faults.ts"

export interface RpcMessage {
  readonly topic: string
  readonly data?: Uint8Array
  readonly from?: Uint8Array
  readonly seqno?: Uint8Array
  readonly signature?: Uint8Array
  readonly key?: Uint8Array
}

export interface Rpc {
  subscriptions: Array<{ readonly topic?: string }>
  messages: Array<RpcMessage>
  control?: Readonly<Record<string, ReadonlyArray<{ readonly messageIDs?: ReadonlyArray<unknown> }> | undefined>>
}

/** What gossipsub has inside. */
interface Inner {
  decodeRpc: (bytes: { readonly length: number }) => Rpc
  handleReceivedRpc: (from: PeerId, rpc: Rpc) => Promise<void>
  handlePeerReadStreamError: (error: Error, from: PeerId) => void
}

export interface GateKeeper {
  readonly fault: (peer: string, fault: GossipFault, detail: string) => void
  readonly isBanned: (peer: string) => boolean
  /** Whether that much more is within what the peer may send. */
  readonly mayPass: (peer: string, entries: number, bytes: number) => boolean
  readonly hasTopic: (topic: string) => boolean
  /** Each message of a topic, those that gossipsub will find to be known included; whether it is to go on. */
  readonly onMessage: (peer: string, topic: string, data: Uint8Array) => boolean
  /** Done when the peer has a free turn; nothing where it has one now. */
  readonly turn: (peer: string) => Promise<void> | undefined
}

/** Stands for bytes that were no gossip. */
const NO_RPC: Rpc = { subscriptions: [], messages: [] }
const DONE = Promise.resolve()
const OVERSIZED: ReadonlySet<string> = new Set(["InvalidDataLengthError", "InvalidDataLengthLengthError"])

/** @throws TypeError where this version of gossipsub reads in another way */
export const gated = (engine: GossipSub, keeper: GateKeeper): GossipSub => {
  const inner = engine as unknown as Inner
  for (const name of ["decodeRpc", "handleReceivedRpc", "handlePeerReadStreamError"] as const) {
    if (typeof inner[name] !== "function") throw new TypeError(`this version of @libp2p/gossipsub has no ${name}`)
  }
  const decode = inner.decodeRpc.bind(engine)
  const handle = inner.handleReceivedRpc.bind(engine)
  const broken = inner.handlePeerReadStreamError.bind(engine)
  // Decoding and handling follow one another without a pause.
  let sizeBytes = 0
  inner.decodeRpc = (bytes) => {
    sizeBytes = bytes.length
    try {
      return decode(bytes)
    } catch {
      return NO_RPC
    }
  }
  inner.handleReceivedRpc = (from, rpc) => {
    const size = sizeBytes
    sizeBytes = 0
    const peer = from.toString()
    if (!admit(keeper, peer, rpc, size)) return DONE
    const turn = keeper.turn(peer)
    return turn === undefined ? handle(from, rpc) : turn.then(() => handle(from, rpc))
  }
  inner.handlePeerReadStreamError = (error, from) => {
    if (OVERSIZED.has(error.name)) keeper.fault(from.toString(), "oversized", "a frame above the limit")
    broken(error, from)
  }
  return engine
}

const admit = (keeper: GateKeeper, peer: string, rpc: Rpc, sizeBytes: number): boolean => {
  if (keeper.isBanned(peer)) return false
  if (rpc === NO_RPC) {
    keeper.fault(peer, "malformed", "no gossip")
    return false
  }
  const { messages } = rpc
  if (!keeper.mayPass(peer, Math.max(1, entriesOf(rpc)), sizeBytes)) {
    keeper.fault(peer, "flood", "more than a peer may send")
    return false
  }
  if (rpc.subscriptions.length > 0) {
    rpc.subscriptions = rpc.subscriptions.filter(({ topic }) => topic !== undefined && keeper.hasTopic(topic))
  }
  if (messages.length > 0) {
    const kept = messages.filter((message) => isWanted(keeper, peer, message))
    if (kept.length < messages.length) rpc.messages = kept
  }
  return !keeper.isBanned(peer)
}

/** Ids that weigh what a message does: they are looked up, and that is all. */
const IDS_OF_AN_ENTRY = 50

/** Messages, subscriptions, and words about meshes and ids. */
const entriesOf = ({ control, messages, subscriptions }: Rpc): number => {
  let entries = messages.length + subscriptions.length
  if (control === undefined) return entries
  for (const words of Object.values(control)) {
    for (const { messageIDs } of words ?? []) entries += 1 + (messageIDs?.length ?? 0) / IDS_OF_AN_ENTRY
  }
  return entries
}

const isWanted = (keeper: GateKeeper, peer: string, message: RpcMessage): boolean => {
  if (!keeper.hasTopic(message.topic)) return false
  if (message.signature !== undefined || message.seqno !== undefined || message.key !== undefined) {
    keeper.fault(peer, "malformed", "a message with an author")
    return false
  }
  return keeper.onMessage(peer, message.topic, message.data ?? EMPTY)
}

const EMPTY = new Uint8Array(0)
