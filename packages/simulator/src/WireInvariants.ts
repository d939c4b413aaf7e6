/**
 * What must hold for the bytes that an honest node writes: whole frames of its own network, the handshake in Core's order and nothing
 * before it is done, a ping every two minutes at most, and no more at once than a turn may say.
 */
import type { PeerId } from "@satwire/machine"
import { type Direction, FRAMES_PER_TURN, MAX_SEND_BUFFER_BYTES, PING_INTERVAL_MS } from "@satwire/peer"
import { MAX_PROTOCOL_MESSAGE_LENGTH } from "@satwire/wire"
import { Breach } from "./Breach.ts"
import type { JudgedNode } from "./HonestNode.ts"
import type { Invariant, SimulatedNode } from "./Simulation.ts"

const FRAME_HEADER_BYTES = 24
/** What both sides send in this order before anything else, as all our peers know the features. */
const HANDSHAKE_ORDER = ["version", "wtxidrelay", "sendaddrv2", "verack"]
/** A reply to each frame that a turn handles, and what is said unasked. */
const MOST_FRAMES: number = FRAMES_PER_TURN + 16
/** The reply that fills the send buffer is the last: 2,000 headers of 81 bytes, and some room, where nobody has blocks. */
const MOST_REPLY_BYTES = 200_000
const ONCE: ReadonlySet<string> = new Set([...HANDSHAKE_ORDER, "sendheaders"])

interface Sent {
  readonly direction: Direction
  heardAnything: boolean
  ready: boolean
  /** How much of the handshake was sent. */
  shaken: number
  sentHeadersWish: boolean
  lastPingAt: number
}

/**
 * Checks the given nodes; others are left alone.
 *
 * @param mostReplyBytes the longest reply that any of them has to give
 */
export const wireInvariants = (
  honest: ReadonlyArray<JudgedNode>,
  mostReplyBytes: number = MOST_REPLY_BYTES
): Invariant => {
  const states = new Map<SimulatedNode, { readonly magic: number; readonly peers: Map<PeerId, Sent> }>(
    honest.map(({ node, params }) => [node, { magic: params.magic, peers: new Map() }])
  )
  return ({ node, input, now, outputs }) => {
    const state = states.get(node)
    if (state === undefined) return
    if (input._tag === "BytesReceived") {
      const sent = state.peers.get(input.peer)
      if (sent !== undefined) sent.heardAnything = true
    }
    for (const output of outputs) {
      if (output._tag === "PeerConnected") state.peers.set(output.peer, newSent(output.direction))
      else if (output._tag === "PeerDisconnecting") state.peers.delete(output.peer)
      else if (output._tag === "PeerReady") (state.peers.get(output.peer) as Sent).ready = true
      else if (output._tag === "Write") {
        const sent = state.peers.get(output.peer)
        const fault =
          sent === undefined
            ? "written to nobody"
            : output.bytes.length > MAX_SEND_BUFFER_BYTES + mostReplyBytes
              ? `a write of ${output.bytes.length} bytes, more than a turn may say`
              : writeFault(sent, output.bytes, state.magic, now.instant)
        if (fault !== undefined) throw new Breach(`${node.name}: ${fault}`)
      }
    }
  }
}

const newSent = (direction: Direction): Sent => ({
  direction,
  heardAnything: false,
  ready: false,
  shaken: 0,
  sentHeadersWish: false,
  lastPingAt: -Infinity
})

/** What is wrong with a write, if anything. */
const writeFault = (sent: Sent, bytes: Uint8Array, magic: number, instant: number): string | undefined => {
  if (sent.direction === "inbound" && !sent.heardAnything) return "it spoke before the peer that dialled it"
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0, frames = 1; at < bytes.length; frames++) {
    if (frames > MOST_FRAMES) return "a write of more frames than a turn may say"
    if (at + FRAME_HEADER_BYTES > bytes.length) return "a write ends within a frame"
    if (view.getUint32(at, true) !== magic) return "a frame of another network"
    const length = view.getUint32(at + 16, true)
    if (length > MAX_PROTOCOL_MESSAGE_LENGTH) return "a frame of more than any peer takes"
    const fault = commandFault(sent, commandAt(bytes, at + 4), instant)
    if (fault !== undefined) return fault
    at += FRAME_HEADER_BYTES + length
    if (at > bytes.length) return "a write ends within a frame"
  }
  return undefined
}

const commandFault = (sent: Sent, command: string, instant: number): string | undefined => {
  if (sent.shaken < HANDSHAKE_ORDER.length) {
    const expected = HANDSHAKE_ORDER[sent.shaken]
    sent.shaken += 1
    return command === expected ? undefined : `"${command}" where the handshake wants "${expected}"`
  }
  if (!sent.ready) return `"${command}" before the handshake was done`
  if (ONCE.has(command) && (command !== "sendheaders" || sent.sentHeadersWish)) return `"${command}" twice`
  if (command === "sendheaders") sent.sentHeadersWish = true
  if (command !== "ping") return undefined
  if (instant < sent.lastPingAt + PING_INTERVAL_MS) return "a ping too soon after the last"
  sent.lastPingAt = instant
  return undefined
}

const commandAt = (bytes: Uint8Array, at: number): string => {
  let command = ""
  for (let i = at; i < at + 12 && bytes[i] !== 0; i++) command += String.fromCharCode(bytes[i] as number)
  return command
}
