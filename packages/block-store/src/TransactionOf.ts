/** Finds one transaction in the bytes of a block. */
import { copyOut } from "@satwire/bytes"
import { BlockView } from "@satwire/primitives"
import * as Result from "effect/Result"

/** The bytes of a transaction in memory of their own, so that they do not keep the whole block's alive. */
export const transactionIn = (block: Uint8Array, number: number): Uint8Array | undefined => {
  const decoded = BlockView.decode(block)
  if (Result.isFailure(decoded)) return undefined
  const view = decoded.success.value
  const isThere = Number.isInteger(number) && number >= 0 && number < view.transactionCount
  return isThere ? copyOut(view.transaction(number).bytes) : undefined
}
