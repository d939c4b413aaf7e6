/**
 * A peer that is an honest node inside and lets its honesty through only in part: it vanishes in the middle of something, breaks
 * connections off, or answers so slowly that it is of no use. Nobody may be punished for these, and nobody may suffer from them for long.
 */
import { type Instant, type Now, type Outbox, type PeerId, type Random, after, earliest } from "@satwire/machine"
import type { NodeCoreInput, NodeCoreOutput } from "@satwire/node-core"
import type { Actor } from "./Simulation.ts"

export type Weakness =
  /** After some writes it says nothing more to anybody, and does not hang up either. */
  | "vanishes"
  /** It hangs up on each peer after some writes. */
  | "breaks off"
  /** From the handshake on everything that it says comes minutes late. */
  | "slow"

export const WEAKNESSES: ReadonlyArray<Weakness> = ["vanishes", "breaks off", "slow"]

interface Late {
  readonly at: Instant
  readonly output: NodeCoreOutput
}

export class Impostor implements Actor {
  readonly weakness: Weakness
  readonly #inner: Actor
  /** Writes until it vanishes, or until it breaks a connection off: a handshake takes three, so that the next is an answer. */
  readonly #patience: number
  readonly #delayMs: number
  readonly #writes: Map<PeerId, number> = new Map()
  readonly #ready: Set<PeerId> = new Set()
  readonly #late: Array<Late> = []
  #writesInAll = 0
  #hasVanished = false

  constructor(weakness: Weakness, inner: Actor, random: Random) {
    this.weakness = weakness
    this.#inner = inner
    this.#patience = 3 + random.below(8)
    this.#delayMs = 60_000 + random.below(240_000)
  }

  nextTimeout(): Instant | undefined {
    return this.#hasVanished ? undefined : earliest(this.#inner.nextTimeout(), this.#late[0]?.at)
  }

  handle(input: NodeCoreInput, now: Now, out: Outbox<NodeCoreOutput>): void {
    if (this.#hasVanished) return
    while (this.#late[0] !== undefined && this.#late[0].at <= now.instant) {
      out.push((this.#late.shift() as Late).output)
    }
    this.#pass(input, now, out)
  }

  /** Gives the node inside an input and lets through what the weakness allows. */
  #pass(input: NodeCoreInput, now: Now, out: Outbox<NodeCoreOutput>): void {
    const outputs: Array<NodeCoreOutput> = []
    this.#inner.handle(input, now, outputs)
    for (const output of outputs) {
      if (this.#hasVanished) return
      if (output._tag === "PeerReady") this.#ready.add(output.peer)
      if (output._tag !== "Write") {
        out.push(output)
        continue
      }
      this.#write(output, now, out)
    }
  }

  #write(output: NodeCoreOutput & { readonly _tag: "Write" }, now: Now, out: Outbox<NodeCoreOutput>): void {
    const { peer } = output
    const writes = (this.#writes.get(peer) ?? 0) + 1
    this.#writes.set(peer, writes)
    this.#writesInAll += 1
    if (this.weakness === "vanishes" && this.#writesInAll > 3 * this.#patience) {
      this.#hasVanished = true
    } else if (this.weakness === "breaks off" && writes > this.#patience) {
      out.push({ _tag: "Close", peer })
      this.#pass({ _tag: "ConnectionClosed", peer, how: "broken off" }, now, { push() {} })
    } else if (this.weakness === "slow" && this.#ready.has(peer)) {
      this.#late.push({ at: after(now.instant, this.#delayMs), output })
    } else out.push(output)
  }
}
