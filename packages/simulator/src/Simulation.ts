/**
 * A network of nodes in one process, on one virtual clock, from one seed. Nodes are machines and nothing else: what takes a day takes
 * milliseconds, and what happened once happens again.
 *
 * After every turn of a node the invariants are checked; a breach names the seed and the command that replays it.
 */
import { ChaChaRandom } from "@satwire/crypto"
import {
  Instant,
  type Machine,
  type Now,
  type PeerId,
  type Random,
  UnixSeconds,
  PeerId as peerId
} from "@satwire/machine"
import type { NodeCoreInput, NodeCoreOutput } from "@satwire/node-core"
import { Link, type LinkConditions } from "./Link.ts"
import { Schedule } from "./Schedule.ts"
import { Trace } from "./Trace.ts"

/** What the simulator runs: a node, or something that speaks through the same seam. */
export type Actor = Machine<NodeCoreInput, NodeCoreOutput>

/** Checks one node after each of its turns, given what the turn put out. Throws `Breach` where something is wrong. */
export type Invariant = (node: SimulatedNode, outputs: ReadonlyArray<NodeCoreOutput>) => void

/** Something that must never be so was so. */
export class Breach extends Error {
  override readonly name = "Breach"
}

/** When the virtual clock starts: an ordinary day of 2025. */
const EPOCH_UNIX = 1_750_000_000

/**
 * How many turns one node may take at one instant before it counts as spinning.
 *
 * @limit turns of a simulated node at one instant
 */
const TURNS_PER_INSTANT = 100_000

export interface SimulatedNode {
  readonly index: number
  readonly name: string
  readonly actor: Actor
  /** Its clock minus the true one. */
  readonly skewSeconds: number
}

interface Connection {
  readonly ends: readonly [End, End]
  open: boolean
}

interface End {
  readonly node: SimulatedNode
  readonly peer: PeerId
  /** What this end sends. */
  link: Link | undefined
  lastWrite: number
}

export class Simulation {
  readonly seed: number
  readonly random: Random
  readonly trace: Trace = new Trace()
  readonly nodes: Array<SimulatedNode> = []
  readonly #schedule: Schedule = new Schedule()
  readonly #invariants: Array<Invariant> = []
  readonly #listeners: Array<(node: SimulatedNode, output: NodeCoreOutput) => void> = []
  readonly #ends: Map<PeerId, { readonly connection: Connection; readonly side: 0 | 1 }> = new Map()
  /** Open connections by the two that they join. */
  readonly #between: Map<string, number> = new Map()
  readonly #wakes: Map<SimulatedNode, number> = new Map()
  readonly #partition: Map<SimulatedNode, number> = new Map()
  /** Every chunk is delivered in this memory and spoiled afterwards, so that a view that was kept shows. */
  #chunk: Uint8Array = new Uint8Array(0)
  #timeMs = 0
  #peers = 0
  #turnsNow = 0
  #turns = 0

  constructor(seed: number) {
    this.seed = seed
    this.random = ChaChaRandom.fromNumber(seed)
  }

  /** Virtual milliseconds since the start. */
  get timeMs(): number {
    return this.#timeMs
  }

  /** Turns taken by all nodes. */
  get turns(): number {
    return this.#turns
  }

  /** The two readings of a node's clock. */
  now(node: SimulatedNode): Now {
    const unix = UnixSeconds(EPOCH_UNIX + node.skewSeconds + Math.floor(this.#timeMs / 1000))
    return { instant: Instant(this.#timeMs), unix }
  }

  add(name: string, actor: Actor, skewSeconds = 0): SimulatedNode {
    const node: SimulatedNode = { index: this.nodes.length, name, actor, skewSeconds }
    this.nodes.push(node)
    this.#partition.set(node, 0)
    return node
  }

  /** Checks `invariant` after every turn from now on. */
  always(invariant: Invariant): void {
    this.#invariants.push(invariant)
  }

  /** Tells of every output of every node. */
  onOutput(listener: (node: SimulatedNode, output: NodeCoreOutput) => void): void {
    this.#listeners.push(listener)
  }

  /** Runs something in `delayMs`. */
  after(delayMs: number, run: () => void): void {
    this.#schedule.add(this.#timeMs + delayMs, run)
  }

  /** `from` dials `to`. Both learn of the connection one latency later. */
  connect(from: SimulatedNode, to: SimulatedNode, conditions: LinkConditions): void {
    this.after(conditions.latencyMs, () => {
      const connection: Connection = { ends: [this.#end(from), this.#end(to)], open: true }
      const [dialler, listener] = connection.ends
      this.#ends.set(dialler.peer, { connection, side: 0 })
      this.#ends.set(listener.peer, { connection, side: 1 })
      this.#between.set(pair(from, to), (this.#between.get(pair(from, to)) ?? 0) + 1)
      dialler.link = this.#link(connection, dialler, listener, conditions)
      listener.link = this.#link(connection, listener, dialler, conditions)
      if (this.#separated(from, to)) for (const end of connection.ends) end.link?.stall(true)
      this.input(from, { _tag: "ConnectionOpened", peer: dialler.peer, direction: "outbound", address: to.name })
      this.input(to, { _tag: "ConnectionOpened", peer: listener.peer, direction: "inbound", address: from.name })
    })
  }

  /** Whether a connection between the two is open. */
  isConnected(a: SimulatedNode, b: SimulatedNode): boolean {
    return (this.#between.get(pair(a, b)) ?? 0) > 0
  }

  /** Splits the network: nodes of different groups hear nothing of each other until the next call. */
  partition(groupOf: (node: SimulatedNode) => number): void {
    for (const node of this.nodes) this.#partition.set(node, groupOf(node))
    for (const { connection } of [...this.#ends.values()]) {
      const [left, right] = connection.ends
      const stalled = this.#separated(left.node, right.node)
      left.link?.stall(stalled)
      right.link?.stall(stalled)
    }
  }

  /** Ends every connection of a node, or of all nodes, as if cables were pulled. */
  cut(node?: SimulatedNode): void {
    for (const { connection } of [...this.#ends.values()]) {
      if (node === undefined || connection.ends.some((end) => end.node === node))
        this.#close(connection, undefined, "cut")
    }
  }

  /** Gives a node an input, now: one turn. */
  input(node: SimulatedNode, input: NodeCoreInput): void {
    const outputs: Array<NodeCoreOutput> = []
    this.#turns += 1
    if (++this.#turnsNow > TURNS_PER_INSTANT)
      this.breach(`${node.name} spins: ${TURNS_PER_INSTANT} turns at one instant`)
    this.#record(node, input)
    node.actor.handle(input, this.now(node), { push: (output) => outputs.push(output) })
    for (const output of outputs) this.#perform(node, output)
    for (const invariant of this.#invariants) invariant(node, outputs)
    this.#arm(node)
  }

  /** Runs until nothing is to come or `untilMs` is reached. */
  run(untilMs: number): void {
    for (;;) {
      const next = this.#schedule.next
      if (next === undefined || next > untilMs) break
      if (next > this.#timeMs) {
        this.#timeMs = next
        this.#turnsNow = 0
      }
      this.#schedule.take()?.run()
    }
    this.#timeMs = Math.max(this.#timeMs, untilMs)
    this.#turnsNow = 0
  }

  /** Ends the run with what is wrong and how to see it again. */
  breach(what: string): never {
    throw new Breach(
      `seed ${this.seed} at ${this.#timeMs} ms: ${what}\nreplay: npm run simulate -- --seed ${this.seed}`
    )
  }

  #end(node: SimulatedNode): End {
    return { node, peer: peerId(++this.#peers), link: undefined, lastWrite: 0 }
  }

  #link(connection: Connection, from: End, to: End, conditions: LinkConditions): Link {
    return new Link({
      conditions,
      random: this.random,
      later: (delayMs, run) => this.after(delayMs, run),
      deliver: (chunk) => {
        if (!connection.open) return
        if (this.#chunk.length < chunk.length) this.#chunk = new Uint8Array(chunk.length)
        this.#chunk.set(chunk)
        this.input(to.node, { _tag: "BytesReceived", peer: to.peer, chunk: this.#chunk.subarray(0, chunk.length) })
        this.#chunk.fill(0xa5, 0, chunk.length)
      },
      blocked: (blocked) => this.input(from.node, { _tag: "SendBlocked", peer: from.peer, blocked })
    })
  }

  #separated(a: SimulatedNode, b: SimulatedNode): boolean {
    return this.#partition.get(a) !== this.#partition.get(b)
  }

  #perform(node: SimulatedNode, output: NodeCoreOutput): void {
    this.trace.text(output._tag)
    for (const listener of this.#listeners) listener(node, output)
    if (output._tag !== "Write" && output._tag !== "Pause" && output._tag !== "Close") return
    const at = this.#ends.get(output.peer)
    if (at === undefined || !at.connection.open) return
    const own = at.connection.ends[at.side]
    const other = at.connection.ends[at.side === 0 ? 1 : 0]
    if (own.node !== node) this.breach(`${node.name} acts on a connection of ${own.node.name}`)
    switch (output._tag) {
      case "Write":
        this.trace.bytes(output.bytes)
        own.link?.write(output.bytes, this.#timeMs - own.lastWrite)
        own.lastWrite = this.#timeMs
        return
      case "Pause":
        return other.link?.pause(output.paused)
      case "Close":
        return this.#close(at.connection, own, "ended")
    }
  }

  /** Closes a connection; the end that did it is not told. */
  #close(connection: Connection, by: End | undefined, how: string): void {
    if (!connection.open) return
    connection.open = false
    const [left, right] = connection.ends
    const between = pair(left.node, right.node)
    this.#between.set(between, (this.#between.get(between) ?? 1) - 1)
    for (const end of connection.ends) {
      end.link?.close()
      this.#ends.delete(end.peer)
      if (end !== by) this.after(0, () => this.input(end.node, { _tag: "ConnectionClosed", peer: end.peer, how }))
    }
  }

  /** Schedules the node's next timeout. A wake that comes too early finds nothing due, and arms the next. */
  #arm(node: SimulatedNode): void {
    const wanted = node.actor.nextTimeout()
    if (wanted === undefined) return
    const at = Math.max(wanted, this.#timeMs)
    const armed = this.#wakes.get(node)
    if (armed !== undefined && armed <= at) return
    this.#wakes.set(node, at)
    this.#schedule.add(at, () => {
      if (this.#wakes.get(node) !== at) return
      this.#wakes.delete(node)
      const due = node.actor.nextTimeout()
      if (due !== undefined && due <= this.#timeMs) this.input(node, { _tag: "Timeout" })
      else this.#arm(node)
    })
  }

  #record(node: SimulatedNode, input: NodeCoreInput): void {
    this.trace.number(this.#timeMs)
    this.trace.number(node.index)
    this.trace.text(input._tag)
    if (input._tag === "BytesReceived") this.trace.bytes(input.chunk)
    this.trace.event()
  }
}

/** A name for two nodes, whichever dialled. */
const pair = (a: SimulatedNode, b: SimulatedNode): string =>
  a.index < b.index ? `${a.index} ${b.index}` : `${b.index} ${a.index}`
