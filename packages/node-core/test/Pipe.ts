/** A connection between two node benches: what one writes the other reads, in the order of writing, at the same instant. */
import type { PeerId } from "@satwire/machine"
import type { NodeCoreOutput } from "@satwire/node-core"
import type { NodeBench, VirtualClock } from "./NodeBench.ts"

interface End {
  readonly node: NodeBench
  readonly peer: PeerId
}

export class Pipe {
  readonly #ends: readonly [End, End]
  #isOpen = true

  /** `from` dials `to`; both may be one node. */
  constructor(from: NodeBench, to: NodeBench) {
    this.#ends = [
      { node: from, peer: from.open("outbound", "to") },
      { node: to, peer: to.open("inbound", "from") }
    ]
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Carries what a turn of `node` put out. Gives whether that was anything. */
  carry(node: NodeBench, outputs: ReadonlyArray<NodeCoreOutput>): boolean {
    let carried = false
    this.#ends.forEach((end, i) => {
      const other = this.#ends[1 - i] as End
      for (const output of outputs) {
        if (!this.#isOpen || end.node !== node || !("peer" in output) || output.peer !== end.peer) continue
        carried ||= output._tag === "Write" || output._tag === "Close"
        if (output._tag === "Write") other.node.receive(other.peer, output.bytes)
        if (output._tag !== "Close") continue
        this.#isOpen = false
        other.node.input({ _tag: "ConnectionClosed", peer: other.peer, how: "ended" })
      }
    })
    return carried
  }
}

/** Runs the nodes and the pipes between them for so long. Gives all facts, by node. */
export const run = (
  clock: VirtualClock,
  nodes: ReadonlyArray<NodeBench>,
  pipes: ReadonlyArray<Pipe>,
  ms: number
): ReadonlyArray<ReadonlyArray<NodeCoreOutput>> => {
  const told = nodes.map((): Array<NodeCoreOutput> => [])
  const until = clock.ms + ms
  for (;;) {
    for (let moved = true; moved;) {
      moved = false
      nodes.forEach((node, i) => {
        node.settle()
        const outputs = node.outputs()
        told[i]?.push(...outputs)
        for (const pipe of pipes) moved = pipe.carry(node, outputs) || moved
      })
    }
    const due = Math.min(...nodes.map((node) => node.core.nextTimeout() ?? Infinity))
    if (due > until) break
    clock.ms = due
  }
  clock.ms = until
  return told
}
