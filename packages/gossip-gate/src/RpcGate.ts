/**
 * The place where bytes of a peer become gossip, which gossipsub itself leaves open: it drops what it cannot decode and goes on, takes any
 * number of messages, starts to validate all of them at once, and reads on whatever waits. So the reading is ours (`PeerReading.ts`), and messages go to
 * gossipsub one by one.
 *
 * ```
 *   frame ─▶ banned? over its rate? ─▶ decodeRpc ─▶ no gossip? ─▶ no topic of ours? ─▶ wait for a turn ─▶ gossipsub
 *                    fault, not decoded              fault         dropped             the stream is paused
 * ```
 *
 * Specification: against a rate counts all that a frame says, and not messages alone; it is counted before the frame is decoded. Rationale: a
 * frame of 100 KB holds five thousand words of two bytes about a mesh, of which each keeps gossipsub as busy as a message does (measured: a
 * quarter of a second for them).
 *
 * Specification: what is sent is never a frame that its reader takes for oversized. Rationale: gossipsub answers a request for many messages in one
 * frame, and honest peers would ban each other for what both asked for.
 *
 * Of gossipsub's own methods two are replaced and six are called, of one instance; a test sees each of them called. A stream of its own kind is
 * none here: it would listen, too, and keep all that comes for a reader that never reads.
 */
import type { GossipSub } from "@libp2p/gossipsub"
import type { PeerId, Stream } from "@libp2p/interface"
import { type FrameFault, entriesOf } from "./FrameFields.ts"
import { PeerReading } from "./PeerReading.ts"
import { boundSeen } from "./SeenBound.ts"

export interface RpcMessage {
  readonly topic: string
  data?: Uint8Array
  readonly from?: Uint8Array
  readonly seqno?: Uint8Array
  readonly signature?: Uint8Array
  readonly key?: Uint8Array
}

interface OfTopic {
  readonly topicID?: string
}

interface Prune extends OfTopic {
  backoff?: number
}

interface Control {
  graft?: ReadonlyArray<OfTopic>
  prune?: ReadonlyArray<Prune>
}

export interface Rpc {
  subscriptions: Array<{ readonly topic?: string }>
  messages: Array<RpcMessage>
  control?: Control
}

/** A stream of a peer, as gossipsub knows it. */
interface Inbound {
  readonly rawStream: Stream
  readonly close: () => Promise<void>
}

/** What gossipsub has inside. */
interface Inner {
  decodeRpc: (bytes: Uint8Array) => Rpc
  acceptFrom: (peer: string) => boolean
  handleReceivedRpc: (from: PeerId, rpc: Rpc) => Promise<void>
  handleReceivedMessage: (from: PeerId, message: RpcMessage) => Promise<void>
  handlePeerReadStreamError: (error: Error, from: PeerId) => void
  createInboundStream: (from: PeerId, stream: Stream) => void
  sendRpc: (to: string, rpc: Rpc) => boolean
  isStarted: () => boolean
  readonly peers: ReadonlyMap<string, PeerId>
  readonly streamsInbound: Map<string, Inbound>
}

/** What a peer does wrong here; more of it is found where messages are judged. */
export type GateFault = FrameFault | "oversized"

export interface GateKeeper {
  readonly fault: (peer: string, fault: GateFault, detail: string) => void
  readonly isBanned: (peer: string) => boolean
  /** Whether so many bytes more are within what the peer may send, and what they say. */
  readonly mayRead: (peer: string, bytes: number, entries: number) => boolean
  readonly hasTopic: (topic: string) => boolean
  /** Each message of a topic, those that gossipsub will find to be known included; whether it is to go on. */
  readonly onMessage: (peer: string, topic: string, data: Uint8Array) => boolean
  /** Done when the peer may have a free turn; nothing where it has one now. */
  readonly turn: (peer: string) => Promise<void> | undefined
  /** A message of the peer is under way. */
  readonly begin: (peer: string) => void
  readonly end: (peer: string) => void
  readonly nowMs: () => number
  /** Done when others have had their turn of the event loop. */
  readonly nextTurn: () => Promise<void>
  /** Of a message, and of a frame that peers send. */
  readonly maxMessageBytes: number
  readonly maxFrameBytes: number
}

/** A minute is what gossipsub says by itself. */
const LONGEST_BACKOFF_SECONDS = 3600
/** What a message takes in a frame beside its data and the name of its topic. */
const MESSAGE_OVERHEAD = 32

const METHODS = [
  "decodeRpc",
  "acceptFrom",
  "handleReceivedRpc",
  "handleReceivedMessage",
  "handlePeerReadStreamError",
  "createInboundStream",
  "isStarted",
  "sendRpc"
] as const

/** @throws TypeError where this version of gossipsub reads in another way */
export const gated = (engine: GossipSub, keeper: GateKeeper): GossipSub => {
  const inner = engine as unknown as Inner
  for (const name of METHODS) {
    if (typeof inner[name] !== "function") throw new TypeError(`this version of @libp2p/gossipsub has no ${name}`)
  }
  for (const name of ["peers", "streamsInbound"] as const) {
    if (!(inner[name] instanceof Map)) throw new TypeError(`this version of @libp2p/gossipsub has no ${name}`)
  }
  boundSeen(engine)
  inner.createInboundStream = (from, stream) => {
    const peer = from.toString()
    if (!inner.isStarted() || !inner.peers.has(peer)) return stream.abort(new Error("no peer of gossip"))
    // Of two the later one counts.
    void inner.streamsInbound.get(peer)?.close()
    const close = (): Promise<void> => stream.close().catch((error: Error) => stream.abort(error))
    inner.streamsInbound.set(peer, { rawStream: stream, close })
    read(inner, keeper, from, stream)
  }
  const send = inner.sendRpc.bind(engine)
  inner.sendRpc = (to, rpc) => {
    if (rpc.messages.length < 2) return send(to, rpc)
    return framesOf(rpc, keeper.maxMessageBytes).reduce((isSent, frame) => send(to, frame) && isSent, true)
  }
  return engine
}

/** As few as hold all messages without one being longer than a message may be, if it has more than one. */
const framesOf = (rpc: Rpc, mostBytes: number): ReadonlyArray<Rpc> => {
  const frames = [{ ...rpc, messages: new Array<RpcMessage>() }]
  let bytes = 0
  for (const message of rpc.messages) {
    const size = (message.data?.length ?? 0) + 3 * message.topic.length + MESSAGE_OVERHEAD
    if (bytes > 0 && bytes + size > mostBytes) {
      frames.push({ subscriptions: [], messages: [] })
      bytes = 0
    }
    frames.at(-1)?.messages.push(message)
    bytes += size
  }
  return frames
}

const read = (inner: Inner, keeper: GateKeeper, from: PeerId, stream: Stream): void => {
  const peer = from.toString()
  void new PeerReading(stream, {
    maxFrameBytes: keeper.maxFrameBytes,
    nowMs: keeper.nowMs,
    nextTurn: keeper.nextTurn,
    isCurrent: () => !keeper.isBanned(peer) && inner.streamsInbound.get(peer)?.rawStream === stream,
    admit: (frame) => admitted(inner, keeper, peer, frame),
    isWanted: (message) => isWanted(keeper, peer, message),
    isOpen: keeper.hasTopic,
    control: ({ subscriptions, control }) =>
      void inner
        .handleReceivedRpc(from, { subscriptions, messages: [], ...(control && { control }) })
        .catch(() => undefined),
    message: (message) => inner.handleReceivedMessage(from, ownedBy(message)),
    turn: () => keeper.turn(peer),
    begin: () => keeper.begin(peer),
    end: () => keeper.end(peer),
    oversized: () => keeper.fault(peer, "oversized", "a frame above the limit"),
    broken: (error) => inner.handlePeerReadStreamError(error, from)
  })
}

/** What of a frame gossipsub is to hear. */
const admitted = (inner: Inner, keeper: GateKeeper, peer: string, frame: Uint8Array): Rpc | undefined => {
  const entries = entriesOf(frame)
  if (typeof entries !== "number") return blame(keeper, peer, entries, FAULTS[entries])
  if (!keeper.mayRead(peer, frame.length, entries)) return blame(keeper, peer, "flood", "more than a peer may send")
  const rpc = decoded(inner, frame)
  if (rpc === undefined) return blame(keeper, peer, "malformed", "no gossip")
  if (!inner.acceptFrom(peer)) return undefined
  if (rpc.subscriptions.length > 0) {
    rpc.subscriptions = rpc.subscriptions.filter(({ topic }) => topic !== undefined && keeper.hasTopic(topic))
  }
  const { control } = rpc
  if (control?.graft !== undefined) control.graft = onceEach(keeper, control.graft)
  if (control?.prune !== undefined) control.prune = onceEach(keeper, control.prune)
  for (const prune of control?.prune ?? []) {
    if (prune.backoff !== undefined) prune.backoff = Math.min(prune.backoff, LONGEST_BACKOFF_SECONDS)
  }
  return rpc
}

/** One word about the mesh of each topic of ours: gossipsub tells of every one, five thousand in half a second (measured). */
const onceEach = <Word extends OfTopic>(keeper: GateKeeper, words: ReadonlyArray<Word>): Array<Word> => {
  const byTopic = new Map<string, Word>()
  for (const word of words) {
    if (word.topicID !== undefined && keeper.hasTopic(word.topicID)) byTopic.set(word.topicID, word)
  }
  return [...byTopic.values()]
}

/** A small message that is kept does not keep the frame, or what came with it, that it lies in. */
const ownedBy = (message: RpcMessage): RpcMessage => {
  const { data } = message
  if (data !== undefined && data.buffer.byteLength > 2 * data.length) message.data = new Uint8Array(data)
  return message
}

const decoded = (inner: Inner, frame: Uint8Array): Rpc | undefined => {
  try {
    return inner.decodeRpc(frame)
  } catch {
    return undefined
  }
}

const blame = (keeper: GateKeeper, peer: string, fault: GateFault, detail: string): undefined => {
  keeper.fault(peer, fault, detail)
  return undefined
}

const FAULTS: { readonly [Fault in FrameFault]: string } = {
  malformed: "no gossip",
  flood: "a frame that says more than any has to"
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
