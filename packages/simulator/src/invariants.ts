/** What must hold for an honest node after every turn, whatever its peers do. */
import { Breach, type Invariant, type SimulatedNode } from "./Simulation.ts"
import type { HonestNode } from "./HonestNode.ts"

const breach = (node: SimulatedNode, what: string): never => {
  throw new Breach(`${node.name}: ${what}`)
}

/** Checks the given nodes; others are left alone. */
export const honestInvariants = (honest: ReadonlyArray<HonestNode>): Invariant => {
  const states = new Map(
    honest.map((node) => [node.node, { honest: node, best: node.tree.best, size: node.tree.size }])
  )
  return (node, outputs) => {
    const state = states.get(node)
    if (state === undefined) return
    const { tree } = state.honest
    const { best, size } = tree
    if (tree.compareWork(best, state.best) < 0) breach(node, "the best chain lost work")
    let accepted = 0
    let changed = false
    for (const output of outputs) {
      if (output._tag === "HeadersAccepted") accepted += output.count
      if (output._tag === "TipChanged") {
        changed = true
        if (output.added < 1) breach(node, "a tip changed and nothing was added")
      }
    }
    if (accepted !== size - state.size) breach(node, `${size - state.size} headers came in and ${accepted} were told`)
    if (changed !== (best !== state.best))
      breach(node, "the tip moved and the facts do not say so, or the other way round")
    if (best !== state.best) {
      // Each header of the new branch is one higher than its parent, down to what was known.
      for (let at = best; at >= state.size; at = tree.parent(at)) {
        if (tree.height(at) !== tree.height(tree.parent(at)) + 1) breach(node, "a chain has a gap")
      }
    }
    state.best = best
    state.size = size
  }
}

/** Checks that all honest nodes follow chains of the same, greatest work. */
export const agreeOnWork = (honest: ReadonlyArray<HonestNode>): void => {
  let most = 0n
  for (const { tree } of honest) {
    const work = tree.chainWork(tree.best)
    if (work > most) most = work
  }
  for (const { tree, node } of honest) {
    const work = tree.chainWork(tree.best)
    if (work !== most)
      breach(node, `follows a chain of work ${work} at height ${tree.height(tree.best)}, where ${most} is known`)
  }
}
