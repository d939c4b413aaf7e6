/** Where a simulated node keeps its blocks: in memory, with a disk's delay. It checks, keeps and reads what the node asks it to. */
import type { Sha256 } from "@satwire/crypto"
import type { NodeCoreOutput } from "@satwire/node-core"
import { BlockView, toHex } from "@satwire/primitives"
import type { SimulatedNode, Simulation } from "@satwire/simulator"
import { checkBlock } from "@satwire/consensus"

/** Blocks that somebody else made. */
export interface Shelf {
  /** The bytes of the block with this header, or `undefined` where it has none. */
  readonly read: (header: number) => Uint8Array | undefined
}

export interface SimulatedDiskOptions {
  /** How long a write lasts, with all that waited for it. */
  readonly writeMs?: number
  /** Whether blocks are really checked, which takes as long as it takes. */
  readonly checks?: Sha256 | undefined
  /** What is there already. */
  readonly shelf?: Shelf
  /** Keeps nothing but the fact that it was there, for chains that memory would not hold. */
  readonly forgets?: boolean
  /** What is given in place of a block that was read, by one who lies: another, `undefined` for none, or no answer. */
  readonly gives?: ((header: number, block: BlockView | undefined) => BlockView | undefined | "no answer") | undefined
}

export class SimulatedDisk {
  /** What was kept, by the number of its header. */
  readonly kept: Map<number, Uint8Array | undefined> = new Map()
  /** Bytes that wait to be written, now and at most. */
  waitingBytes = 0
  mostWaitingBytes = 0
  readonly #simulation: Simulation
  readonly #node: SimulatedNode
  readonly #options: SimulatedDiskOptions
  #waiting: Array<Extract<NodeCoreOutput, { readonly _tag: "StoreBlock" }>> = []

  constructor(simulation: Simulation, node: SimulatedNode, options: SimulatedDiskOptions = {}) {
    this.#simulation = simulation
    this.#node = node
    this.#options = options
    simulation.onOutput((_, output) => this.#perform(output), node)
  }

  /** Whether a block was kept, or was there already. */
  has(header: number): boolean {
    return this.kept.has(header) || this.#options.shelf?.read(header) !== undefined
  }

  read(header: number): BlockView | undefined {
    const bytes = this.kept.get(header) ?? this.#options.shelf?.read(header)
    return bytes === undefined ? undefined : decoded(bytes)
  }

  #perform(output: NodeCoreOutput): void {
    const simulation = this.#simulation
    switch (output._tag) {
      case "CheckBlock": {
        const { block, context, header } = output
        const { checks } = this.#options
        const fault = checks === undefined ? undefined : checkBlock(checks, block, context)
        return simulation.after(0, () => simulation.input(this.#node, { _tag: "BlockChecked", header, block, fault }))
      }
      case "StoreBlock":
        this.#waiting.push(output)
        this.waitingBytes += output.block.bytes.length
        this.mostWaitingBytes = Math.max(this.mostWaitingBytes, this.waitingBytes)
        if (this.#waiting.length === 1) simulation.after(this.#options.writeMs ?? 5, () => this.#write())
        return
      case "ReadBlock": {
        const { header, isForTransactions, peer } = output
        const { gives = (_, it) => it } = this.#options
        const block = gives(header, this.read(header))
        if (block === "no answer") return
        const answer = {
          _tag: "BlockRead",
          peer,
          block,
          ...(isForTransactions === true ? { isForTransactions } : {})
        } as const
        return simulation.after(0, () => simulation.input(this.#node, answer))
      }
      default:
    }
  }

  #write(): void {
    const written = this.#waiting
    this.#waiting = []
    for (const { block, hash, header } of written) {
      this.waitingBytes -= block.bytes.length
      if (this.kept.has(header)) throw new Error(`${toHex(hash)} is kept twice`)
      this.kept.set(header, this.#options.forgets === true ? undefined : block.bytes)
    }
    this.#simulation.input(this.#node, { _tag: "BlocksStored", headers: written.map(({ header }) => header) })
  }
}

export const decoded = (bytes: Uint8Array): BlockView => {
  const result = BlockView.decode(bytes)
  if (result._tag === "Failure") throw result.failure
  return result.success.value
}
