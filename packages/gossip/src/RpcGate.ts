/**
 * The place where bytes of a peer become gossip, which gossipsub itself leaves open: it drops what it cannot decode and goes on, takes any
 * number of messages, and starts to validate all of them at once. So the reading loop is ours, and what it reads goes to gossipsub.
 *
 * ```
 *   stream ─▶ banned? over its rate? ─▶ decodeRpc ─▶ no gossip? ─▶ no topic of ours? ─▶ wait for a turn ─▶ gossipsub
 *                     fault, not decoded              fault         dropped             the stream is held back
 * ```
 *
 * Specification: against a rate counts all that a frame says, and not messages alone; it is counted before the frame is decoded. Rationale: a
 * frame of 100 KB holds five thousand words of two bytes about a mesh, of which each keeps gossipsub as busy as a message does (measured: a
 * quarter of a second for them).
 *
 * Of gossipsub's own methods one is replaced and three are called, of one instance; a test sees each of them called.
 */
import type { GossipSub } from "@libp2p/gossipsub"
import type { PeerId } from "@libp2p/interface"
import type { GossipFault } from "./Faults.ts"
import { type FrameFault, entriesOf } from "./FrameFields.ts"

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
}

/** The bytes of a frame, which may lie in several pieces. */
interface Frame {
  /** All of them in one. */
  subarray(): Uint8Array
}

/** What gossipsub has inside. */
interface Inner {
  decodeRpc: (bytes: Uint8Array) => Rpc
  handleReceivedRpc: (from: PeerId, rpc: Rpc) => Promise<void>
  pipePeerReadStream: (from: PeerId, frames: AsyncIterable<Frame>) => Promise<void>
  handlePeerReadStreamError: (error: Error, from: PeerId) => void
}

export interface GateKeeper {
  readonly fault: (peer: string, fault: GossipFault, detail: string) => void
  readonly isBanned: (peer: string) => boolean
  /** Whether so many bytes more are within what the peer may send, and what they say. */
  readonly mayRead: (peer: string, bytes: number, entries: number) => boolean
  readonly hasTopic: (topic: string) => boolean
  /** Each message of a topic, those that gossipsub will find to be known included; whether it is to go on. */
  readonly onMessage: (peer: string, topic: string, data: Uint8Array) => boolean
  /** Done when the peer has a free turn; nothing where it has one now. */
  readonly turn: (peer: string) => Promise<void> | undefined
}

const OVERSIZED: ReadonlySet<string> = new Set(["InvalidDataLengthError", "InvalidDataLengthLengthError"])

const METHODS = ["decodeRpc", "handleReceivedRpc", "pipePeerReadStream", "handlePeerReadStreamError"] as const

/** @throws TypeError where this version of gossipsub reads in another way */
export const gated = (engine: GossipSub, keeper: GateKeeper): GossipSub => {
  const inner = engine as unknown as Inner
  for (const name of METHODS) {
    if (typeof inner[name] !== "function") throw new TypeError(`this version of @libp2p/gossipsub has no ${name}`)
  }
  inner.pipePeerReadStream = async (from, frames) => {
    try {
      await read(inner, keeper, from, frames)
    } catch (thrown) {
      const error = thrown as Error
      if (OVERSIZED.has(error.name)) keeper.fault(from.toString(), "oversized", "a frame above the limit")
      inner.handlePeerReadStreamError(error, from)
    }
  }
  return engine
}

/** One frame after the other: what waits for its turn holds the stream back. */
const read = async (inner: Inner, keeper: GateKeeper, from: PeerId, frames: AsyncIterable<Frame>): Promise<void> => {
  const peer = from.toString()
  for await (const pieces of frames) {
    const rpc = admitted(inner, keeper, peer, pieces)
    if (rpc === undefined) continue
    const turn = keeper.turn(peer)
    if (turn !== undefined) await turn
    // What goes wrong in there is no reason to hear no more of a peer.
    await inner.handleReceivedRpc(from, rpc).catch(() => undefined)
  }
}

/** What of a frame gossipsub is to hear. */
const admitted = (inner: Inner, keeper: GateKeeper, peer: string, pieces: Frame): Rpc | undefined => {
  if (keeper.isBanned(peer)) return undefined
  const frame = pieces.subarray()
  const entries = entriesOf(frame)
  if (typeof entries !== "number") return blame(keeper, peer, entries, FAULTS[entries])
  if (!keeper.mayRead(peer, frame.length, entries)) return blame(keeper, peer, "flood", "more than a peer may send")
  const rpc = decoded(inner, frame)
  if (rpc === undefined) return blame(keeper, peer, "malformed", "no gossip")
  keepWanted(keeper, peer, rpc)
  return keeper.isBanned(peer) ? undefined : rpc
}

const decoded = (inner: Inner, frame: Uint8Array): Rpc | undefined => {
  try {
    return inner.decodeRpc(frame)
  } catch {
    return undefined
  }
}

const blame = (keeper: GateKeeper, peer: string, fault: GossipFault, detail: string): undefined => {
  keeper.fault(peer, fault, detail)
  return undefined
}

const FAULTS: { readonly [Fault in FrameFault]: string } = {
  malformed: "no gossip",
  flood: "a frame that says more than any has to"
}

const keepWanted = (keeper: GateKeeper, peer: string, rpc: Rpc): void => {
  if (rpc.subscriptions.length > 0) {
    rpc.subscriptions = rpc.subscriptions.filter(({ topic }) => topic !== undefined && keeper.hasTopic(topic))
  }
  if (rpc.messages.length > 0) rpc.messages = rpc.messages.filter((message) => isWanted(keeper, peer, message))
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
