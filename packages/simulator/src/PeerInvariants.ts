/**
 * What must hold for an honest node's connections after every turn: facts that balance, commands only for connections that it has, and
 * deadlines that are kept.
 */
import type { PeerId } from "@satwire/machine"
import type { DisconnectReason, NodeCoreFact, NodeCoreOutput } from "@satwire/node-core"
import { DEFAULT_PEER_CONNECT_TIMEOUT_MS, TIMEOUT_INTERVAL_MS } from "@satwire/peer"
import { Breach } from "./Breach.ts"
import type { JudgedNode } from "./HonestNode.ts"
import type { Invariant, SimulatedNode, Turn } from "./Simulation.ts"

/** For what one parts with a peer that broke no rule: the network between, or its silence. */
const NOBODYS_FAULT: ReadonlySet<DisconnectReason["_tag"]> = new Set<DisconnectReason["_tag"]>([
  "ClosedByPeer",
  "HandshakeTimeout",
  "PingTimeout",
  "Inactive",
  "HeadersTimeout",
  "ChainTimeout",
  "LittleWork",
  "BlockStalling",
  "BlockTimeout",
  "Requested"
])

/**
 * Checks the given nodes; others are left alone.
 *
 * @param blameless nodes that are not honest and yet break no rule for which a peer is blamed
 */
export const peerInvariants = (
  honest: ReadonlyArray<JudgedNode>,
  blameless: ReadonlyArray<SimulatedNode> = []
): Invariant => {
  const names = new Set([...honest.map(({ node }) => node), ...blameless].map(({ name }) => name))
  const states = new Map<SimulatedNode, ConnectionsState>(
    honest.map((node) => [node.node, new ConnectionsState(node, names)])
  )
  return (turn) => states.get(turn.node)?.afterTurn(turn)
}

interface Known {
  readonly address: string
  readonly openedAt: number
  ready: boolean
  paused: boolean
  blocked: boolean
  /** A block is being read for it: until that is here it has to wait. */
  reading: boolean
  heardAt: number
}

/** The connections of one node, as its facts tell. */
class ConnectionsState {
  readonly #honest: JudgedNode
  readonly #blameless: ReadonlySet<string>
  readonly #known: Map<PeerId, Known> = new Map()
  /** Who was sent away last. */
  #refused: PeerId | undefined = undefined
  #blocksWanted = 0
  /** Peers that are not read from, as there is still work of theirs. */
  #paused = 0
  /** In this turn: who was written to, who is being closed, whether somebody came, went or got ready. */
  readonly #written: Set<PeerId> = new Set()
  #closing: PeerId | undefined = undefined
  #membersChanged = false

  constructor(honest: JudgedNode, blameless: ReadonlySet<string>) {
    this.#honest = honest
    this.#blameless = blameless
  }

  afterTurn(turn: Turn): void {
    const { input, now, outputs } = turn
    if (input._tag === "MakeBlock") this.#blocksWanted += 1
    if (input._tag === "BytesReceived") {
      const peer = this.#known.get(input.peer)
      if (peer !== undefined) peer.heardAt = now.instant
    }
    if (input._tag === "SendBlocked") {
      const peer = this.#known.get(input.peer)
      if (peer !== undefined) peer.blocked = input.blocked
    }
    if (input._tag === "BlockRead") {
      const peer = this.#known.get(input.peer)
      if (peer !== undefined) peer.reading = false
    }
    this.#written.clear()
    this.#membersChanged = false
    for (const output of outputs) this.#output(output, turn)
    if (this.#closing !== undefined) this.#breach(`it closed connection ${this.#closing} and told nobody`)
    if (this.#membersChanged) this.#compareWithQueries()
    this.#checkDeadline(turn)
    if (input._tag === "Timeout") this.#checkPatience(now.instant)
  }

  #output(output: NodeCoreOutput, turn: Turn): void {
    switch (output._tag) {
      case "PeerConnected":
        return this.#connected(output, turn.now.instant)
      case "PeerDisconnecting":
        return this.#disconnected(output, turn)
      case "BlockMade":
        this.#blocksWanted -= 1
        return
      case "InboundRefused":
        this.#refused = output.peer
        return
      default:
        // Who was refused never was a peer.
        if ("peer" in output && output.peer !== this.#refused) this.#about(output)
    }
  }

  /** What it says or does about one connection, which must be there. */
  #about(output: Extract<NodeCoreOutput, { readonly peer: PeerId }>): void {
    const peer = this.#known.get(output.peer)
    if (peer === undefined) return this.#breach(`${output._tag} for a connection that it does not have`)
    if (output.peer === this.#closing) this.#breach(`${output._tag} for a connection that it just closed`)
    switch (output._tag) {
      case "Write":
        if (this.#written.has(output.peer)) this.#breach("two writes to one peer in a turn")
        this.#written.add(output.peer)
        if (output.bytes.length === 0) this.#breach("a write of nothing")
        return
      case "Pause":
        if (peer.paused === output.paused) this.#breach("a pause that changes nothing")
        peer.paused = output.paused
        this.#paused += output.paused ? 1 : -1
        return
      case "ReadBlock":
        if (peer.reading) this.#breach("two blocks are read for one peer at once")
        peer.reading = true
        return
      case "Close":
        this.#closing = output.peer
        return
      case "PeerReady":
        if (peer.ready) this.#breach("a handshake was done twice")
        peer.ready = true
        this.#membersChanged = true
        return
      case "MessageDropped":
        if (this.#blameless.has(peer.address))
          this.#breach(`it dropped a "${output.command}" of ${peer.address}, which broke no rule`)
        return
      default:
        return
    }
  }

  #connected(fact: NodeCoreFact & { readonly _tag: "PeerConnected" }, instant: number): void {
    if (this.#known.has(fact.peer)) this.#breach("a connection came twice")
    this.#membersChanged = true
    this.#known.set(fact.peer, {
      address: fact.address,
      openedAt: instant,
      ready: false,
      paused: false,
      blocked: false,
      reading: false,
      heardAt: instant
    })
  }

  #disconnected(fact: NodeCoreFact & { readonly _tag: "PeerDisconnecting" }, { input }: Turn): void {
    const peer = this.#known.get(fact.peer)
    if (peer === undefined) return this.#breach("a connection went that was not there")
    this.#known.delete(fact.peer)
    if (peer.paused) this.#paused -= 1
    this.#membersChanged = true
    const told = input._tag === "ConnectionClosed" && input.peer === fact.peer
    if (!told && this.#closing !== fact.peer) this.#breach("a connection is said to be gone and was not closed")
    if (this.#closing === fact.peer) this.#closing = undefined
    if (!this.#blameless.has(fact.address)) return
    if (fact.cost !== "disconnect" || !NOBODYS_FAULT.has(fact.reason._tag))
      this.#breach(`it blames ${fact.address}, which broke no rule: ${JSON.stringify(fact.reason)}`)
  }

  #compareWithQueries(): void {
    const { core } = this.#honest
    const peers = core.query("peers")
    const same = peers.every(({ peer, state }) => (state === "ready") === this.#known.get(peer)?.ready)
    if (!same || peers.length !== this.#known.size)
      this.#breach("the facts and the answer to a query tell of other peers")
    const ready = [...this.#known.values()].filter((peer) => peer.ready).length
    const headers = core.query("headers")
    if (headers?.peers !== ready) this.#breach("header sync knows other peers than those that are ready")
    const syncingWith = headers?.syncingWith
    if (syncingWith !== undefined && this.#known.get(syncingWith)?.ready !== true)
      this.#breach("it waits for the headers of a peer that it does not have")
    if (core.isEmpty !== (this.#known.size === 0)) this.#breach("it holds something of nobody, or nothing of somebody")
  }

  #checkDeadline({ input, now }: Turn): void {
    const next = this.#honest.node.actor.nextTimeout()
    const busy = this.#blocksWanted > 0 || this.#paused > 0
    if (next === undefined) {
      if (this.#known.size > 0) this.#breach("it has peers and waits for nothing")
      return
    }
    if (Number.isNaN(next)) this.#breach("its next timeout is no time")
    if (this.#known.size === 0 && !busy) this.#breach("it has nobody and waits for something")
    if (next > now.instant + TIMEOUT_INTERVAL_MS)
      this.#breach("it wants to sleep for longer than any peer may be silent")
    if (this.#paused > 0 && next > now.instant && this.#hasBacklog()) this.#breach("a backlog waits for nothing")
    // A pong that comes after the next ping was due makes that one due at once, by an instant that is past. One turn must settle it.
    if (!busy && input._tag === "Timeout" && next <= now.instant)
      this.#breach("what was due is still due after its turn")
  }

  /** Whether somebody is not read from although it takes what it is sent: frames of its wait. */
  #hasBacklog(): boolean {
    for (const { paused, blocked, reading } of this.#known.values()) if (paused && !blocked && !reading) return true
    return false
  }

  /** Nobody is waited for longer than the rules allow. */
  #checkPatience(instant: number): void {
    for (const { address, ready, openedAt, heardAt } of this.#known.values()) {
      if (!ready && instant >= openedAt + DEFAULT_PEER_CONNECT_TIMEOUT_MS)
        this.#breach(`it waits for the handshake of ${address} for more than 60 s`)
      if (ready && instant >= heardAt + TIMEOUT_INTERVAL_MS)
        this.#breach(`it keeps ${address}, of whom it heard nothing for 20 min`)
    }
  }

  #breach(what: string): never {
    throw new Breach(`${this.#honest.node.name}: ${what}`)
  }
}
