/**
 * A connection between two simulated nodes, with TCP's manners: who closes is not told, the other hears of it behind all that was
 * written, and who goes on writing to a closed end is reset.
 */
import type { PeerId, Random } from "@satwire/machine"
import { Link, type LinkConditions } from "./Link.ts"
import type { SimulatedNode } from "./Simulation.ts"

export type Side = 0 | 1

/** What a connection asks of the simulation. */
export interface ConnectionHost {
  readonly random: Random
  readonly now: () => number
  readonly later: (delayMs: number, run: () => void) => void
  /** Runs something right after the turn that is under way. */
  readonly soon: (run: () => void) => void
  readonly deliver: (end: ConnectionEnd, chunk: Uint8Array) => void
  readonly blocked: (end: ConnectionEnd, blocked: boolean) => void
  /** The other side is gone; this end is closed when it hears of it. */
  readonly ended: (end: ConnectionEnd, how: string) => void
  /** An end closed, in whatever way. */
  readonly closed: (end: ConnectionEnd) => void
}

export interface ConnectionEnd {
  readonly node: SimulatedNode
  readonly peer: PeerId
  readonly side: Side
  readonly connection: Connection
}

export class Connection {
  readonly ends: readonly [ConnectionEnd, ConnectionEnd]
  readonly #host: ConnectionHost
  readonly #conditions: LinkConditions
  /** By the side that sends. */
  readonly #links: readonly [Link, Link]
  readonly #isOpen: [boolean, boolean] = [true, true]

  constructor(
    host: ConnectionHost,
    conditions: LinkConditions,
    dialler: Pick<ConnectionEnd, "node" | "peer">,
    listener: Pick<ConnectionEnd, "node" | "peer">
  ) {
    this.#host = host
    this.#conditions = conditions
    this.ends = [
      { ...dialler, side: 0, connection: this },
      { ...listener, side: 1, connection: this }
    ]
    this.#links = [this.#link(0), this.#link(1)]
  }

  isOpen(side: Side): boolean {
    return this.#isOpen[side]
  }

  /** Bytes that `side` wrote and the other has not taken. */
  underWayBytes(side: Side): number {
    return this.#links[side].underWayBytes
  }

  write(side: Side, bytes: Uint8Array): void {
    if (this.#isOpen[other(side)]) this.#links[side].write(bytes)
    else this.#reset(side, 2 * this.#conditions.latencyMs)
  }

  /** `side` stops or goes on reading. */
  pause(side: Side, paused: boolean): void {
    this.#links[other(side)].pause(paused)
  }

  /** `side` closes. */
  close(side: Side): void {
    const from = this.#links[other(side)]
    const lost = from.underWayBytes > 0
    this.#shut(side)
    from.close()
    if (!this.#isOpen[other(side)]) return
    this.#links[side].end()
    if (lost) this.#reset(other(side), this.#conditions.latencyMs)
  }

  /** The cable is pulled: both ends hear of it at once. */
  cut(): void {
    for (const link of this.#links) link.close()
    for (const end of this.ends) {
      if (!this.#isOpen[end.side]) continue
      this.#shut(end.side)
      this.#host.later(0, () => this.#host.ended(end, "cut"))
    }
  }

  stall(stalled: boolean): void {
    for (const link of this.#links) link.stall(stalled)
  }

  #shut(side: Side): void {
    this.#isOpen[side] = false
    this.#host.closed(this.ends[side])
  }

  /** The bytes of `side` reach nobody: it is told so, in a while. */
  #reset(side: Side, delayMs: number): void {
    this.#host.later(delayMs, () => this.#links[other(side)].reset())
  }

  #link(side: Side): Link {
    const sender = this.ends[side]
    const receiver = this.ends[other(side)]
    const { random, now, later, soon, deliver, blocked, ended } = this.#host
    return new Link({
      conditions: this.#conditions,
      random,
      now,
      later,
      soon,
      deliver: (chunk) => deliver(receiver, chunk),
      blocked: (isBlocked) => blocked(sender, isBlocked),
      ended: () => {
        if (!this.#isOpen[receiver.side]) return
        this.#shut(receiver.side)
        this.#links[receiver.side].close()
        ended(receiver, "ended")
      }
    })
  }
}

const other = (side: Side): Side => (side === 0 ? 1 : 0)
