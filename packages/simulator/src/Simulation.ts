/**
 * A network of nodes in one process, on one virtual clock, from one seed. Nodes are machines and nothing else: what takes a day takes
 * milliseconds, and what happened once happens again.
 *
 * ```
 *   Schedule ─▶ input ─▶ turn of one node ─▶ outputs ─▶ Connection ─▶ Schedule
 *                               │
 *                       invariants, trace
 * ```
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
import { MAX_PROTOCOL_MESSAGE_LENGTH } from "@satwire/wire"
import { Breach, explained } from "./Breach.ts"
import { Connection, type ConnectionEnd, type ConnectionHost } from "./Connection.ts"
import { type LinkConditions, WINDOW_BYTES } from "./Link.ts"
import { Schedule } from "./Schedule.ts"
import { Trace } from "./Trace.ts"

/** What the simulator runs: a node, or something that speaks through the same seam. */
export type Actor = Machine<NodeCoreInput, NodeCoreOutput>

/** One input of one node and what came of it. */
export interface Turn {
  readonly node: SimulatedNode
  readonly input: NodeCoreInput
  readonly now: Now
  readonly outputs: ReadonlyArray<NodeCoreOutput>
}

/** Checks a node after each of its turns. Throws `Breach` where something is wrong. */
export type Invariant = (turn: Turn) => void

/** When the virtual clock starts: an ordinary day of 2025. */
export const EPOCH_UNIX = 1_750_000_000

/**
 * How many timeouts a node may ask for at one instant before it counts as spinning.
 *
 * @limit timeouts of a simulated node at one instant
 */
const TIMEOUTS_PER_INSTANT = 2000

/**
 * What may be under way in one direction: the window, and what one turn may still add to it before the node hears of that, which is at most
 * the longest message.
 *
 * @limit bytes under way on a simulated link
 */
const MOST_UNDER_WAY_BYTES: number = WINDOW_BYTES + MAX_PROTOCOL_MESSAGE_LENGTH

type OutputListener = (node: SimulatedNode, output: NodeCoreOutput) => void

export interface SimulatedNode {
  readonly index: number
  readonly name: string
  readonly actor: Actor
  /** Its clock minus the true one. */
  readonly skewSeconds: number
  /** Liars are free to break every rule; everybody else is judged. */
  readonly isHonest: boolean
}

/** What an end is told of the other. */
export type Opening = Omit<Extract<NodeCoreInput, { readonly _tag: "ConnectionOpened" }>, "_tag" | "peer">

const byName = (from: SimulatedNode, to: SimulatedNode): readonly [Opening, Opening] => [
  { kind: "outbound-full-relay", address: to.name },
  { kind: "inbound", address: from.name }
]

/** When a node wants to be woken, and how often it was at this instant. */
interface Wake {
  at: number | undefined
  timeoutsNow: number
  lastTimeoutMs: number
}

export interface SimulationOptions {
  /** The command that runs it again, for the message of a breach. */
  readonly replay?: string
}

export class Simulation {
  readonly seed: number
  readonly random: Random
  readonly trace: Trace = new Trace()
  readonly nodes: Array<SimulatedNode> = []
  readonly #replay: string
  readonly #schedule: Schedule = new Schedule()
  readonly #invariants: Array<Invariant> = []
  readonly #listeners: Array<OutputListener> = []
  readonly #listenersOf: Map<SimulatedNode, Array<OutputListener>> = new Map()
  /** The ends that their nodes hold open. */
  readonly #ends: Map<PeerId, ConnectionEnd> = new Map()
  readonly #whenClosed: Map<Connection, () => void> = new Map()
  readonly #wakes: Map<SimulatedNode, Wake> = new Map()
  readonly #groups: Map<SimulatedNode, number> = new Map()
  readonly #host: ConnectionHost
  /** Every chunk is delivered in this memory and spoiled afterwards, so that a view that was kept shows. */
  #chunk: Uint8Array = new Uint8Array(0)
  #timeMs = 0
  #peers = 0
  #turns = 0
  #inTurn = false
  /** What follows the turn that is under way. */
  readonly #soon: Array<() => void> = []

  constructor(seed: number, options: SimulationOptions = {}) {
    this.seed = seed
    this.random = ChaChaRandom.fromNumber(seed)
    this.#replay = options.replay ?? `npm run simulate -- --seed ${seed}`
    this.#host = {
      random: this.random,
      now: () => this.#timeMs,
      later: (delayMs, run) => this.after(delayMs, run),
      soon: (run) => this.#soon.push(run),
      deliver: (end, chunk) => this.#deliver(end, chunk),
      blocked: ({ node, peer, side, connection }, blocked) => {
        if (connection.isOpen(side)) this.input(node, { _tag: "SendBlocked", peer, blocked })
      },
      ended: ({ node, peer }, how) => this.input(node, { _tag: "ConnectionClosed", peer, how }),
      closed: (end) => this.#closed(end)
    }
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

  add(
    name: string,
    actor: Actor,
    options: { readonly skewSeconds?: number; readonly isHonest?: boolean } = {}
  ): SimulatedNode {
    const { skewSeconds = 0, isHonest = true } = options
    const node: SimulatedNode = { index: this.nodes.length, name, actor, skewSeconds, isHonest }
    this.nodes.push(node)
    this.#groups.set(node, 0)
    this.#wakes.set(node, { at: undefined, timeoutsNow: 0, lastTimeoutMs: -1 })
    return node
  }

  /** Checks `invariant` after every turn from now on. */
  always(invariant: Invariant): void {
    this.#invariants.push(invariant)
  }

  /**
   * Tells of every output of every node, or of one alone. Where there are hundreds of nodes and each has its listener, one that is told of all
   * would cost them all of each.
   */
  onOutput(listener: OutputListener, of?: SimulatedNode): void {
    if (of === undefined) return void this.#listeners.push(listener)
    const listeners = this.#listenersOf.get(of) ?? []
    this.#listenersOf.set(of, listeners)
    listeners.push(listener)
  }

  /** Runs something in `delayMs`. */
  after(delayMs: number, run: () => void): void {
    this.#schedule.add(this.#timeMs + delayMs, run)
  }

  /**
   * `from` dials `to`. Both learn of the connection one latency later; `closed` runs when the dialler's end is closed, by whomever.
   *
   * @param opens what each end is told of the other
   */
  connect(
    from: SimulatedNode,
    to: SimulatedNode,
    conditions: LinkConditions,
    closed: () => void = () => {},
    opens: readonly [Opening, Opening] = byName(from, to)
  ): void {
    this.after(conditions.latencyMs, () => {
      const dialler = { node: from, peer: peerId(++this.#peers) }
      const connection = new Connection(this.#host, conditions, dialler, { node: to, peer: peerId(++this.#peers) })
      this.#whenClosed.set(connection, closed)
      for (const end of connection.ends) this.#ends.set(end.peer, end)
      if (this.#separated(from, to)) connection.stall(true)
      for (const { node, peer, side } of connection.ends)
        this.input(node, { _tag: "ConnectionOpened", peer, ...opens[side] })
    })
  }

  /** Whether `node` holds an end of a connection with `other` open. */
  isConnected(node: SimulatedNode, other: SimulatedNode): boolean {
    for (const end of this.#ends.values()) {
      if (end.node === node && end.connection.ends[end.side === 0 ? 1 : 0].node === other) return true
    }
    return false
  }

  /** Splits the network: nodes of different groups hear nothing of each other until the next call. */
  partition(groupOf: (node: SimulatedNode) => number): void {
    for (const node of this.nodes) this.#groups.set(node, groupOf(node))
    for (const connection of this.#connections()) {
      const [left, right] = connection.ends
      connection.stall(this.#separated(left.node, right.node))
    }
  }

  /** Ends every connection of a node, or of all nodes, as if cables were pulled. */
  cut(node?: SimulatedNode): void {
    for (const connection of this.#connections()) {
      if (node === undefined || connection.ends.some((end) => end.node === node)) connection.cut()
    }
  }

  /** Gives a node an input, now: one turn. */
  input(node: SimulatedNode, input: NodeCoreInput): void {
    if (this.#inTurn) throw new Breach(`${node.name} is given ${input._tag} within a turn`)
    this.#inTurn = true
    this.#turns += 1
    this.#record(node, input)
    const outputs: Array<NodeCoreOutput> = []
    const now = this.now(node)
    node.actor.handle(input, now, outputs)
    for (const output of outputs) this.#perform(node, output)
    const turn: Turn = { node, input, now, outputs }
    for (const invariant of this.#invariants) invariant(turn)
    this.#inTurn = false
    for (let run = this.#soon.shift(); run !== undefined; run = this.#soon.shift()) run()
    this.#arm(node)
  }

  /** Runs until nothing is to come or `untilMs` is reached. */
  run(untilMs: number): void {
    for (let next = this.#schedule.next; next !== undefined && next <= untilMs; next = this.#schedule.next) {
      this.#timeMs = next
      this.#schedule.take()?.run()
    }
    this.#timeMs = Math.max(this.#timeMs, untilMs)
  }

  /** Runs a part of a scenario: what it throws becomes a breach that names the seed and how to see it again. */
  explain<A>(run: () => A): A {
    return explained(() => ({ seed: this.seed, timeMs: this.#timeMs, replay: this.#replay }), run)
  }

  /** A connection once for each end that is still open. */
  #connections(): ReadonlySet<Connection> {
    return new Set([...this.#ends.values()].map(({ connection }) => connection))
  }

  #separated(a: SimulatedNode, b: SimulatedNode): boolean {
    return this.#groups.get(a) !== this.#groups.get(b)
  }

  #deliver({ node, peer }: ConnectionEnd, chunk: Uint8Array): void {
    if (this.#chunk.length < chunk.length) this.#chunk = new Uint8Array(chunk.length)
    this.#chunk.set(chunk)
    this.input(node, { _tag: "BytesReceived", peer, chunk: this.#chunk.subarray(0, chunk.length) })
    this.#chunk.fill(0xa5, 0, chunk.length)
  }

  #closed(end: ConnectionEnd): void {
    this.#ends.delete(end.peer)
    if (end.side !== 0) return
    const closed = this.#whenClosed.get(end.connection)
    this.#whenClosed.delete(end.connection)
    closed?.()
  }

  #perform(node: SimulatedNode, output: NodeCoreOutput): void {
    this.trace.text(output._tag)
    for (const listener of this.#listeners) listener(node, output)
    for (const listener of this.#listenersOf.get(node) ?? []) listener(node, output)
    if (output._tag !== "Write" && output._tag !== "Pause" && output._tag !== "Close") return
    const end = this.#ends.get(output.peer)
    if (end === undefined) return
    if (end.node !== node) throw new Breach(`${node.name} acts on a connection of ${end.node.name}`)
    const { connection, side } = end
    switch (output._tag) {
      case "Write":
        this.trace.number(output.bytes.length)
        connection.write(side, output.bytes)
        if (connection.underWayBytes(side) > MOST_UNDER_WAY_BYTES && node.isHonest)
          throw new Breach(`${node.name} writes on and on to a peer that takes nothing`)
        return
      case "Pause":
        return connection.pause(side, output.paused)
      case "Close":
        connection.close(side)
        this.#soon.push(() => this.input(node, { _tag: "ConnectionClosed", peer: end.peer, how: "from here" }))
    }
  }

  /** Schedules the node's next timeout. A wake that comes too early finds nothing due, and arms the next. */
  #arm(node: SimulatedNode): void {
    const wanted = node.actor.nextTimeout()
    if (wanted === undefined) return
    const wake = this.#wakes.get(node) as Wake
    const at = Math.max(wanted, this.#timeMs)
    if (wake.at !== undefined && wake.at <= at) return
    wake.at = at
    this.#schedule.add(at, () => this.#wake(node, wake, at))
  }

  #wake(node: SimulatedNode, wake: Wake, at: number): void {
    if (wake.at !== at) return
    wake.at = undefined
    const due = node.actor.nextTimeout()
    if (due === undefined || due > this.#timeMs) return this.#arm(node)
    wake.timeoutsNow = wake.lastTimeoutMs === this.#timeMs ? wake.timeoutsNow + 1 : 1
    wake.lastTimeoutMs = this.#timeMs
    if (wake.timeoutsNow > TIMEOUTS_PER_INSTANT)
      throw new Breach(`${node.name} spins: ${TIMEOUTS_PER_INSTANT} timeouts at one instant`)
    this.input(node, { _tag: "Timeout" })
  }

  #record(node: SimulatedNode, input: NodeCoreInput): void {
    this.trace.number(this.#timeMs)
    this.trace.number(node.index)
    this.trace.text(input._tag)
    if (input._tag === "BytesReceived") this.trace.bytes(input.chunk)
    this.trace.event()
  }
}
