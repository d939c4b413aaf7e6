/** Blocks found here: a template of the node, the search for its nonce, and the block handed in. For regtest, where every second nonce does. */
import type { Sha256 } from "@satwire/crypto"
import { type RpcError, rpcError } from "@satwire/json-rpc"
import { ProofSearch } from "@satwire/mining"
import type { Template } from "@satwire/node-core"
import { BlockView, type Transaction, encodeHeader } from "@satwire/primitives"
import { type NodeContextShape, orDatabaseError, unixSeconds } from "@satwire/rpc-chain"
import * as Effect from "effect/Effect"

/** After so many nonces others have their turn: a millisecond. */
const TRIES_PER_GO = 1000

export interface GenerateOptions {
  readonly payTo: Uint8Array
  readonly maxTries: number
  /** Those of the pool that pay most where not given. */
  readonly transactions?: ReadonlyArray<Transaction>
}

export interface FoundBlock {
  readonly block: BlockView
  readonly tries: number
}

/** The template with a nonce that does, or `undefined` after so many tries. */
const search = ({ block }: Template, sha256: Sha256, maxTries: number): Effect.Effect<FoundBlock | undefined> =>
  Effect.gen(function* () {
    const proof = new ProofSearch(sha256, encodeHeader(block.header))
    for (let tries = 0; tries < maxTries; tries += TRIES_PER_GO) {
      const step = proof.step(Math.min(TRIES_PER_GO, maxTries - tries))
      if (step === "exhausted") return undefined
      if (step === "found") {
        const found = BlockView.of({ ...block, header: { ...block.header, nonce: proof.nonce } })
        return { block: found, tries: Math.min(maxTries, tries + TRIES_PER_GO) }
      }
      yield* Effect.yieldNow
    }
    return undefined
  })

/** A block on the followed chain that lacks nothing, or `undefined` where no nonce was found in so many tries. */
export const findBlock = (
  { node, sha256 }: NodeContextShape,
  { maxTries, payTo, transactions }: GenerateOptions
): Effect.Effect<FoundBlock | undefined> =>
  Effect.gen(function* () {
    for (let extraNonce = 0; ; extraNonce++) {
      const unix = yield* unixSeconds
      const template = yield* node.lookup("template", { unix, payTo, extraNonce, transactions })
      const found = yield* search(template, sha256, maxTries)
      if (found === undefined) return undefined
      // The same was found in this second before, and may have been said to be invalid.
      if ((yield* node.lookup("header", found.block.hash(sha256))) === undefined) return found
    }
  })

/** Hands a block in that was found here. */
export const handIn = ({ node }: NodeContextShape, block: BlockView): Effect.Effect<void, RpcError> =>
  Effect.flatMap(orDatabaseError(node.submitBlockAndWait(block)), (rule) =>
    rule === undefined || rule === "inconclusive" || rule === "duplicate"
      ? Effect.void
      : rpcError("VERIFY_ERROR", `The block that was found is not taken: ${rule}`)
  )

/** So many blocks, one on the other; fewer where the tries are used up. */
export const generate = (
  context: NodeContextShape,
  count: number,
  options: GenerateOptions
): Effect.Effect<ReadonlyArray<BlockView>, RpcError> =>
  Effect.gen(function* () {
    const blocks: Array<BlockView> = []
    let { maxTries } = options
    while (blocks.length < count && maxTries > 0) {
      const found = yield* findBlock(context, { ...options, maxTries })
      if (found === undefined) break
      maxTries -= found.tries
      yield* handIn(context, found.block)
      blocks.push(found.block)
    }
    return blocks
  })
