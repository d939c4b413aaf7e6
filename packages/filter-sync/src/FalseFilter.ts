/**
 * Whether a block shows a filter to be false.
 *
 * Specification: a filter is false where it lacks a script that the block certainly has, which is to say of its outputs. Rationale: which scripts other inputs spend is not in the block. They can be guessed from signatures and keys, but who makes a
 * transaction decides what is guessed, and so could have an honest peer blamed.
 */
import type { GcsFilter } from "@satwire/filters"
import { type BlockView, OP_RETURN } from "@satwire/primitives"

export const isFalseFilter = (filter: GcsFilter, block: BlockView): boolean =>
  !filter.matchAll(
    block
      .materialise()
      .transactions.flatMap(({ outputs }) => outputs.map(({ scriptPubKey }) => scriptPubKey))
      .filter((script) => script.length > 0 && script[0] !== OP_RETURN)
  )
