/** What must hold for the blocks of an honest node after every turn, whatever its peers do; and for all honest nodes in the end. */
import { equals } from "@satwire/bytes"
import { headerHash } from "@satwire/primitives"
import { Breach, type Invariant, type SimulatedNode, type Turn, sha256 } from "@satwire/simulator"
import type { BlockNode } from "./BlockNode.ts"

type Output = Turn["outputs"][number]

export class BlockInvariants {
  readonly #states: Map<SimulatedNode, FollowedBlocks>

  constructor(honest: ReadonlyArray<BlockNode>) {
    this.#states = new Map(honest.map((node) => [node.node, new FollowedBlocks(node)]))
  }

  readonly afterTurn: Invariant = ({ node, outputs }) => this.#states.get(node)?.afterTurn(outputs)

  /** The most blocks that left a followed chain at once. */
  get deepest(): number {
    return Math.max(...[...this.#states.values()].map(({ deepest }) => deepest))
  }

  /** Whether all honest nodes follow whole chains of the same work, which is the most that any of them knows of. */
  get isAgreed(): boolean {
    const works = [...this.#states.values()].flatMap(({ node: { core, tree } }) => [
      tree.chainWork(core.blockTip),
      tree.chainWork(tree.best)
    ])
    return works.every((work) => work === works[0])
  }
}

/** The chain of whole blocks of one node, as its facts tell. */
class FollowedBlocks {
  readonly node: BlockNode
  deepest = 0
  #followed: number

  constructor(node: BlockNode) {
    this.node = node
    this.#followed = node.core.blockTip
  }

  afterTurn(outputs: ReadonlyArray<Output>): void {
    for (const output of outputs) {
      if (output._tag === "BlockTipChanged") this.#tipChanged(output)
      if (output._tag === "BlockInvalid") this.#breach("it holds a block invalid where nobody worked for one that is")
      if (output._tag === "StoreBlock" && !equals(headerHash(sha256, output.block.rawHeader), output.hash))
        this.#breach("it keeps a block under the hash of another")
    }
    if (this.node.core.blockTip !== this.#followed) this.#breach("the tip moved and no fact says so")
  }

  #tipChanged({ added, forkHeight, removed, tip }: Output & { readonly _tag: "BlockTipChanged" }): void {
    const { disk, tree } = this.node
    const next = tree.find(tip.hash)
    const before = this.#followed
    if (next < 0 || tree.height(next) !== tip.height) this.#breach("it told of a tip that it does not have")
    if (tree.compareWork(next, before) <= 0) this.#breach("it went over to a chain of no more work")
    if (forkHeight + removed !== tree.height(before) || forkHeight + added !== tip.height)
      this.#breach("what it told of a fork does not add up")
    if (tree.ancestor(next, forkHeight) !== tree.fork(before, next)) this.#breach("the chains part elsewhere")
    for (let height = forkHeight + 1; height <= tip.height; height++)
      if (!disk.has(tree.ancestor(next, height))) this.#breach(`it follows block ${height}, which is not kept`)
    this.deepest = Math.max(this.deepest, removed)
    this.#followed = next
  }

  #breach(what: string): never {
    throw new Breach(`${this.node.node.name}: ${what}`)
  }
}
