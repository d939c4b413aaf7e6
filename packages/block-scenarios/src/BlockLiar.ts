/**
 * A node that has all blocks and is honest but for what it gives of them. It goes through the same seam as any other, so that a simulation
 * cannot tell them apart but by what they say.
 */
import type { PeerId, Random } from "@satwire/machine"
import type { BlockView } from "@satwire/primitives"
import { type Actor, Impostor, type Simulation, WEAKNESSES, type Weakness } from "@satwire/simulator"
import { type FilledChain, framed } from "@satwire/testkit"
import { BlockNode } from "./BlockNode.ts"
import { decoded } from "./SimulatedDisk.ts"

export type BlockLie =
  /** Blocks whose transactions are others than their header says. */
  | "mutates"
  /** Another block than the one that was asked for. */
  | "gives another"
  /** It has none of what it claims to have. */
  | "lacks"
  /** Nothing, whatever it is asked for. */
  | "says nothing"
  /** Blocks that nobody asked for, besides. */
  | "gives unasked"
  /** Its cable is pulled in the middle of a block, again and again. */
  | "vanishes in mid-block"
  /** A few hundred bytes in a second. */
  | "dribbles"

export const BLOCK_LIES: ReadonlyArray<BlockLie> = [
  "mutates",
  "gives another",
  "lacks",
  "says nothing",
  "gives unasked",
  "vanishes in mid-block",
  "dribbles"
]

/** Those and the weaknesses of any node. */
export const BLOCK_TROUBLES: ReadonlyArray<BlockLie | Weakness> = [...BLOCK_LIES, ...WEAKNESSES]

export const DRIBBLE_BYTES_PER_SECOND = 300
/** How many blocks that nobody asked for it adds to each that somebody did. */
const UNASKED = 3

/** A node with all of `has` that gives it in this way. */
export const blockLiar = (
  simulation: Simulation,
  name: string,
  trouble: BlockLie | Weakness,
  has: FilledChain
): BlockNode => {
  const random = simulation.random.fork()
  const liar: BlockNode = new BlockNode(simulation, name, {
    has,
    isHonest: false,
    gives: (_, block) => given(trouble, block, has, random),
    through: (core) => through(trouble, core, has, random)
  })
  if (trouble === "vanishes in mid-block") {
    simulation.onOutput((node, output) => {
      // A block may be on its way by then.
      if (node === liar.node && output._tag === "ReadBlock")
        simulation.after(random.below(400), () => simulation.cut(node))
    })
  }
  return liar
}

const given = (
  trouble: BlockLie | Weakness,
  block: BlockView | undefined,
  has: FilledChain,
  random: Random
): BlockView | undefined | "no answer" => {
  switch (trouble) {
    case "mutates":
      return block === undefined ? undefined : mutated(block)
    case "gives another":
      return has.block(1 + random.below(has.count))
    case "lacks":
      return undefined
    case "says nothing":
      return "no answer"
    default:
      return block
  }
}

/** Its last byte is one of a lock time, and so of a txid. */
const mutated = (block: BlockView): BlockView => {
  const bytes = block.bytes.slice()
  bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1
  return decoded(bytes)
}

const through = (trouble: BlockLie | Weakness, core: Actor, has: FilledChain, random: Random): Actor => {
  const weakness = WEAKNESSES.find((one) => one === trouble)
  if (weakness !== undefined) return new Impostor(weakness, core, random)
  return trouble === "gives unasked" ? new Generous(core, has, random) : core
}

/** Adds blocks of its own to whatever is asked of it. */
class Generous implements Actor {
  readonly #inner: Actor
  readonly #has: FilledChain
  readonly #random: Random

  constructor(inner: Actor, has: FilledChain, random: Random) {
    this.#inner = inner
    this.#has = has
    this.#random = random
  }

  nextTimeout: Actor["nextTimeout"] = () => this.#inner.nextTimeout()

  handle: Actor["handle"] = (input, now, out) => {
    const peers: Array<PeerId> = []
    this.#inner.handle(input, now, {
      push: (output) => {
        out.push(output)
        if (output._tag === "PeerReady" || output._tag === "ReadBlock") peers.push(output.peer)
      }
    })
    for (const peer of peers) {
      for (let i = 0; i < UNASKED; i++) {
        const block = this.#has.block(1 + this.#random.below(this.#has.count))
        out.push({ _tag: "Write", peer, bytes: framed({ _tag: "block", block }) })
      }
    }
  }
}
