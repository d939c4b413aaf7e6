/** All that must hold for honest nodes which have blocks, asked after every turn. */
import { ChainInvariants, MinedHeaders, type Simulation, peerInvariants, wireInvariants } from "@satwire/simulator"
import type { FilledChain } from "@satwire/testkit"
import { MAX_PROTOCOL_MESSAGE_LENGTH } from "@satwire/wire"
import { BlockInvariants } from "./BlockInvariants.ts"
import type { BlockNode } from "./BlockNode.ts"

export interface Judged {
  readonly headers: ChainInvariants
  readonly blocks: BlockInvariants
}

/** @param has the chain that was mined before anything began */
export const judged = (simulation: Simulation, honest: ReadonlyArray<BlockNode>, has: FilledChain): Judged => {
  const mined = new MinedHeaders()
  mined.add(has.headers)
  const headers = new ChainInvariants(honest, mined)
  const blocks = new BlockInvariants(honest)
  simulation.always(headers.afterTurn)
  simulation.always(blocks.afterTurn)
  simulation.always(wireInvariants(honest, MAX_PROTOCOL_MESSAGE_LENGTH))
  simulation.always(peerInvariants(honest))
  return { headers, blocks }
}
