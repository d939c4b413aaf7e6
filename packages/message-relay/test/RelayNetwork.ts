/** Relays joined by links, on one clock and from one seed: which of the bytes under way arrives next is drawn. */
import { ChaChaRandom, portableSha256, portableSignatures } from "@satwire/crypto"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import { MessageRelay, type RelayInput, type RelayOptions, type RelayOutput } from "../src/index.ts"

export const START_UNIX = 1_767_225_600

/** A node, and all that it put out. */
export interface RelayNode {
  readonly nodeId: string
  readonly relay: MessageRelay
  readonly outputs: Array<RelayOutput>
  /** By the peer's id, which is the number of the other node. */
  readonly links: Set<number>
}

/** What somebody on the way makes of bytes: others, or none. */
export type Meddler = (bytes: Uint8Array) => Uint8Array | undefined

export class RelayNetwork {
  readonly random: ChaChaRandom
  readonly nodes: Array<RelayNode> = []
  readonly meddlers: Map<number, Meddler> = new Map()
  readonly #underWay: Array<{ readonly from: number; readonly to: number; readonly bytes: Uint8Array }> = []
  #ms = 0

  constructor(seed: number) {
    this.random = ChaChaRandom.fromNumber(seed)
  }

  get now(): Now {
    return { instant: Instant(this.#ms), unix: UnixSeconds(START_UNIX + Math.floor(this.#ms / 1000)) }
  }

  add(options: Partial<RelayOptions> = {}): number {
    const nodeId = options.nodeId ?? `node-${this.nodes.length}`
    const random = this.random.fork()
    const base = { nodeId, random, sha256: portableSha256, signatures: portableSignatures }
    this.nodes.push({ nodeId, relay: new MessageRelay({ ...base, ...options }), outputs: [], links: new Set() })
    return this.nodes.length - 1
  }

  addMany(count: number, options: Partial<RelayOptions> = {}): void {
    for (let i = 0; i < count; i++) this.add(options)
  }

  join(a: number, b: number): void {
    this.node(a).links.add(b)
    this.node(b).links.add(a)
    this.give(a, { _tag: "PeerJoined", peer: PeerId(b), nodeId: this.node(b).nodeId })
    this.give(b, { _tag: "PeerJoined", peer: PeerId(a), nodeId: this.node(a).nodeId })
  }

  part(a: number, b: number): void {
    if (!this.node(a).links.delete(b)) return
    this.node(b).links.delete(a)
    this.give(a, { _tag: "PeerLeft", peer: PeerId(b) })
    this.give(b, { _tag: "PeerLeft", peer: PeerId(a) })
  }

  send(from: number, text: string, target?: string): void {
    this.give(from, { _tag: "Send", type: "test/1", body: Uint8Array.from(text, (c) => c.charCodeAt(0)), target })
  }

  /** Bytes come to `to` as if from the node `from`. */
  bring(from: number, to: number, bytes: Uint8Array): void {
    this.give(to, { _tag: "Received", peer: PeerId(from), bytes: bytes.slice() })
  }

  give(n: number, input: RelayInput): void {
    const node = this.node(n)
    const outputs: Array<RelayOutput> = []
    node.relay.handle(input, this.now, outputs)
    for (const output of outputs) {
      node.outputs.push(output)
      if (output._tag === "Forward") this.#carry(n, output.peer, output.bytes)
      if (output._tag === "Offended" && output.isOver) this.part(n, output.peer)
    }
  }

  #carry(from: number, to: number, bytes: Uint8Array): void {
    const meddler = this.meddlers.get(from)
    const carried = meddler === undefined ? bytes : meddler(bytes)
    if (carried !== undefined) this.#underWay.push({ from, to, bytes: carried })
  }

  /** Until nothing is under way. */
  settle(): void {
    while (this.#underWay.length > 0) {
      const [next] = this.#underWay.splice(this.random.below(this.#underWay.length), 1)
      if (next !== undefined && this.node(next.to).links.has(next.from)) this.bring(next.from, next.to, next.bytes)
    }
  }

  elapse(ms: number): void {
    const end = this.#ms + ms
    for (;;) {
      const due = this.nodes.flatMap(({ relay }, n) => {
        const at = relay.nextTimeout()
        return at === undefined || at > end ? [] : [{ at, n }]
      })
      const [first] = due.sort((a, b) => a.at - b.at)
      if (first === undefined) break
      this.#ms = Math.max(this.#ms, first.at)
      this.give(first.n, { _tag: "Timeout" })
    }
    this.#ms = end
  }

  node(n: number): RelayNode {
    const node = this.nodes[n]
    if (node === undefined) throw new Error(`there is no node ${n}`)
    return node
  }

  outputs<Tag extends RelayOutput["_tag"]>(n: number, tag: Tag): Array<Extract<RelayOutput, { readonly _tag: Tag }>> {
    return this.node(n).outputs.filter((one): one is Extract<RelayOutput, { readonly _tag: Tag }> => one._tag === tag)
  }

  /** What was delivered at each node, as text. */
  heard(n: number): ReadonlyArray<string> {
    return this.outputs(n, "Deliver").map(({ envelope }) => String.fromCharCode(...envelope.body))
  }

  offences(n: number): ReadonlyArray<string> {
    return this.outputs(n, "Offended").map(({ offence }) => offence._tag)
  }
}
