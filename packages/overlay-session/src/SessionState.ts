/** What is kept of one session: what was read and is to be written, who it is with, and when it was last heard. */
import { Instant, type PeerId, after } from "@satwire/machine"
import { FRAME_HEAD_BYTES, type FrameKind, FrameReader, writeHead } from "./Frame.ts"
import type { Hello } from "./Hello.ts"
import type { Packer, Unpacker } from "./Packing.ts"

/**
 * How long the other end may take to introduce itself.
 *
 * @limit milliseconds of the handshake of an overlay session
 */
export const HANDSHAKE_TIMEOUT_MS = 10_000
/** How long nothing is heard before a ping is sent. */
export const PING_AFTER_MS = 60_000
/**
 * How long nothing is heard before a session is given up.
 *
 * @limit milliseconds of silence of an overlay session
 */
export const SILENCE_TIMEOUT_MS = 120_000
/**
 * How long the other end may take to take what was sent to it.
 *
 * @limit milliseconds that the other end of an overlay session may be behind
 */
export const BEHIND_TIMEOUT_MS = 30_000
/** No frame of the handshake is longer. */
const FIRST_WRITTEN_BYTES = 256
const MAX_GUESS_BYTES = 128 * 1024
/** Deltas name their type before what changed. */
const FRAME_MORE_BYTES = 256
const PONG_INTERVAL_MS = 1000

export class SessionState {
  readonly peer: PeerId
  readonly isInbound: boolean
  readonly reader: FrameReader
  readonly ours: Hello
  theirs: Hello | undefined = undefined
  /** There once the handshake is done. */
  packer: Packer | undefined = undefined
  unpacker: Unpacker | undefined = undefined
  heardAt: Instant = Instant(0)
  pingedAt: Instant = Instant(-1)
  behindSince: Instant | undefined = undefined
  /** Messages that were not sent to it because it was behind. */
  missed = 0
  isOver = false
  #pongedAt: Instant = Instant(-PONG_INTERVAL_MS)
  /** What this turn writes. */
  #out: Uint8Array<ArrayBuffer> | undefined = undefined
  #outBytes = 0
  /** How much it was the last time: as much is made room for at once, which spares most of the copying (measured). */
  #lastBytes = 0

  constructor(peer: PeerId, isInbound: boolean, maxBytes: number, ours: Hello) {
    this.peer = peer
    this.isInbound = isInbound
    this.reader = new FrameReader(maxBytes + FRAME_MORE_BYTES)
    this.ours = ours
  }

  /** Whether a ping is answered: one a second is. */
  mayPong(now: Instant): boolean {
    if (now - this.#pongedAt < PONG_INTERVAL_MS) return false
    this.#pongedAt = now
    return true
  }

  write(kind: FrameKind, payload: Uint8Array): void {
    const need = this.#outBytes + FRAME_HEAD_BYTES + payload.length
    const out = this.#withRoom(need)
    writeHead(out, this.#outBytes, kind, payload.length)
    out.set(payload, this.#outBytes + FRAME_HEAD_BYTES)
    this.#outBytes = need
  }

  /** All that was written in this turn, whose memory is the caller's. */
  takeWritten(): Uint8Array | undefined {
    const out = this.#out?.subarray(0, this.#outBytes)
    this.#out = undefined
    this.#lastBytes = this.#outBytes
    this.#outBytes = 0
    return out
  }

  #withRoom(need: number): Uint8Array<ArrayBuffer> {
    const out = this.#out
    if (out !== undefined && need <= out.length) return out
    const larger = new Uint8Array(
      Math.max(FIRST_WRITTEN_BYTES, need, 2 * (out?.length ?? 0), Math.min(this.#lastBytes, MAX_GUESS_BYTES))
    )
    if (out !== undefined) larger.set(out)
    this.#out = larger
    return larger
  }

  /** When to look again whether it is still there. */
  nextLook(): Instant {
    const silent = after(this.heardAt, this.pingedAt < this.heardAt ? PING_AFTER_MS : SILENCE_TIMEOUT_MS)
    const behind = this.behindSince === undefined ? undefined : after(this.behindSince, BEHIND_TIMEOUT_MS)
    return behind === undefined || silent < behind ? silent : behind
  }

  /** What it is too late with. */
  overdue(now: Instant): "HandshakeTimeout" | "Behind" | "Silent" | undefined {
    if (this.unpacker === undefined) return "HandshakeTimeout"
    if (this.behindSince !== undefined && now - this.behindSince >= BEHIND_TIMEOUT_MS) return "Behind"
    return now - this.heardAt >= SILENCE_TIMEOUT_MS ? "Silent" : undefined
  }
}
