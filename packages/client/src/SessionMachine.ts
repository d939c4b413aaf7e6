/**
 * One peer as a machine that asks for everything it needs: `Peer`, with its bytes and its wish to pause as outputs.
 *
 * ```
 *   Opened, Bytes, Send, … ─▶ Peer ─▶ Ready, Received, Pong, …
 *                               └───▶ one Write, then Pause where it changed
 * ```
 */
import type { Sha256 } from "@satwire/crypto"
import { V1Framing } from "@satwire/framing"
import { type Instant, type Machine, type Now, type Outbox, type Random, assert } from "@satwire/machine"
import {
  type ConnectionKind,
  Peer,
  type PeerIdentity,
  type PeerInput,
  type PeerOutput,
  type PeerSnapshot
} from "@satwire/peer"

export type SessionOutput =
  | PeerOutput
  /** To the connection. */
  | { readonly _tag: "Write"; readonly bytes: Uint8Array }
  /** Reading from the connection is to stop (`true`) or to go on. */
  | { readonly _tag: "Pause"; readonly paused: boolean }

export interface SessionMachineOptions {
  readonly kind: ConnectionKind
  readonly identity: PeerIdentity
  readonly magic: number
  readonly sha256: Sha256
  readonly random: Random
}

export class SessionMachine implements Machine<PeerInput, SessionOutput> {
  readonly #options: SessionMachineOptions
  /** Made with the first input, since only then the time is known. */
  #made: Peer | undefined = undefined
  #paused = false

  constructor(options: SessionMachineOptions) {
    this.#options = options
  }

  handle(input: PeerInput, now: Now, out: Outbox<SessionOutput>): void {
    if (input._tag === "Opened") this.#made = this.#makePeer(now)
    const peer = this.#peer
    peer.handle(input, now, {
      push: (output) => {
        // What was said before the end is still to leave.
        if (output._tag === "Disconnect") write(peer, now, out)
        out.push(output)
      }
    })
    write(peer, now, out)
    const paused = peer.shouldPause
    if (paused === this.#paused) return
    this.#paused = paused
    out.push({ _tag: "Pause", paused })
  }

  nextTimeout(): Instant | undefined {
    return this.#made?.nextTimeout()
  }

  snapshot(): PeerSnapshot {
    return this.#peer.snapshot()
  }

  get #peer(): Peer {
    assert(this.#made !== undefined, "a session begins with Opened")
    return this.#made
  }

  #makePeer(now: Now): Peer {
    const { kind, identity, magic, sha256, random } = this.#options
    const framing = new V1Framing({ magic, sha256 })
    return new Peer({ kind, identity, framing, random, openedAt: now.instant })
  }
}

const write = (peer: Peer, now: Now, out: Outbox<SessionOutput>): void => {
  const bytes = peer.takeOutput(now)
  if (bytes !== undefined) out.push({ _tag: "Write", bytes })
}
