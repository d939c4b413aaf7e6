/** What must hold for an honest node's headers after every turn, whatever its peers do; and for all honest nodes in the end. */
import { equals } from "@satwire/bytes"
import { ChaChaRandom } from "@satwire/crypto"
import { Instant } from "@satwire/machine"
import type { NodeCoreFact } from "@satwire/node-core"
import { HEADER_SIZE } from "@satwire/primitives"
import { Breach } from "./Breach.ts"
import { type JudgedNode, headerNode } from "./HonestNode.ts"
import type { MinedHeaders } from "./MinedHeaders.ts"
import { EPOCH_UNIX, type Invariant, type SimulatedNode } from "./Simulation.ts"

type TipChanged = NodeCoreFact & { readonly _tag: "TipChanged" }

export class ChainInvariants {
  readonly #mined: MinedHeaders
  readonly #states: Map<SimulatedNode, ChainState>

  /** @param mined the headers that may come to be known; what honest nodes mine is added here */
  constructor(honest: ReadonlyArray<JudgedNode>, mined: MinedHeaders) {
    this.#mined = mined
    this.#states = new Map(honest.map((node) => [node.node, new ChainState(node)]))
  }

  readonly afterTurn: Invariant = ({ node, input, outputs }) => {
    const state = this.#states.get(node)
    if (state === undefined) return
    if (input._tag === "SubmitHeaders") this.#mined.add(input.headers)
    for (const output of outputs) {
      if (output._tag === "BlockMade") this.#mined.add(output.header)
      if (output._tag === "SubmitRefused") state.breach(`its own header was refused: ${output.rule}`)
      if (output._tag === "HeadersAccepted") {
        state.accepted(output.headers, output.count)
        if (!this.#mined.hasAll(output.headers)) state.breach("it took in a header that nobody worked for")
      }
      if (output._tag === "TipChanged") state.tipChanged(output)
    }
    state.endTurn()
  }

  /** Whether all honest nodes follow chains of the same work. */
  get isAgreed(): boolean {
    const [first, ...others] = [...this.#states.values()].map(({ honest: { tree } }) => tree.chainWork(tree.best))
    return others.every((work) => work === first)
  }

  /** All honest nodes follow chains of the same, greatest work, and what each told of its headers is enough to start again with. */
  atEnd(): void {
    const states = [...this.#states.values()]
    const works = states.map(({ honest: { tree } }) => tree.chainWork(tree.best))
    const most = works.reduce((a, b) => (a > b ? a : b), 0n)
    states.forEach((state, i) => {
      if (works[i] !== most) state.breach(`it follows a chain of work ${works[i]}, where ${most} is known`)
    })
    for (const state of states) state.startAgain()
  }
}

/** What is known of one node's tree from its facts, beside the tree itself. */
class ChainState {
  readonly honest: JudgedNode
  /** What it told of its headers, run by run. */
  readonly #runs: Array<Uint8Array> = []
  #best: number
  #size: number
  /** What the facts of this turn say that size and best are. */
  #toldBest: number

  constructor(honest: JudgedNode) {
    this.honest = honest
    this.#best = honest.tree.best
    this.#toldBest = this.#best
    this.#size = honest.tree.size
    // What it began with.
    if (this.#size > 1) this.#runs.push(honest.tree.rawRange(1, this.#size - 1))
  }

  breach(what: string): never {
    throw new Breach(`${this.honest.node.name}: ${what}`)
  }

  accepted(headers: Uint8Array, count: number): void {
    const { tree } = this.honest
    if (headers.length !== HEADER_SIZE * count || count === 0) this.breach("it told of headers and gave others")
    if (!equals(headers, tree.rawRange(this.#size, count))) this.breach("the headers that it told of are not its own")
    for (let header = this.#size; header < this.#size + count; header++) {
      const parent = tree.parent(header)
      if (parent < 0 || parent >= header) this.breach("a header came before its parent")
      if (tree.height(header) !== tree.height(parent) + 1) this.breach("a chain has a gap")
      if (tree.compareWork(header, parent) <= 0) this.breach("a header stands for no work")
      if (tree.compareWork(header, tree.best) > 0) this.breach("it knows a chain of more work than it follows")
    }
    this.#size += count
    this.#runs.push(headers)
  }

  tipChanged({ tip, forkHeight, removed, added }: TipChanged): void {
    const { tree } = this.honest
    const next = tree.find(tip.hash)
    if (next < 0 || tree.height(next) !== tip.height) this.breach("it told of a tip that it does not have")
    if (tree.compareWork(next, this.#toldBest) <= 0) this.breach("the tip moved to a chain of no more work")
    const consistent = forkHeight + removed === tree.height(this.#toldBest) && forkHeight + added === tip.height
    if (!consistent || removed < 0 || added < 1) this.breach("what it told of a fork does not add up")
    if (tree.ancestor(next, forkHeight) !== tree.ancestor(this.#toldBest, forkHeight))
      this.breach("the two chains part below the fork that it told of")
    this.#toldBest = next
  }

  endTurn(): void {
    const { tree } = this.honest
    if (tree.size !== this.#size) this.breach(`it has ${tree.size} headers and told of ${this.#size}`)
    if (tree.best !== this.#toldBest) this.breach("the tip moved and no fact says so")
    if (tree.compareWork(tree.best, this.#best) < 0) this.breach("the best chain lost work")
    this.#best = tree.best
  }

  /** A node that is given what this one told takes all of it and stands where it does. */
  startAgain(): void {
    const { params, tree } = this.honest
    const again = headerNode(params, ChaChaRandom.fromNumber(0))
    const now = { instant: Instant(0), unix: (EPOCH_UNIX + 24 * 60 * 60) as never }
    for (const headers of this.#runs) {
      again.core.handle({ _tag: "SubmitHeaders", headers, count: headers.length / HEADER_SIZE }, now, { push() {} })
    }
    const same =
      again.tree.size === tree.size &&
      again.tree.best === tree.best &&
      equals(again.tree.hash(again.tree.best), tree.hash(tree.best))
    if (!same) this.breach("what it told of its headers is not enough to start again with")
  }
}
