/** Between the header tree and the store: what was kept comes back at start, and passes every rule again on its way. */
import { ProofOfWork } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import { type HeaderTree, acceptHeaders } from "@satwire/header-sync"
import { HEADER_SIZE } from "@satwire/primitives"
import { HeaderStore, type StoreError } from "@satwire/store"
import { MAX_HEADERS_RESULTS } from "@satwire/wire"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

interface HeadersRefusedFields {
  /** How many headers passed before. */
  readonly accepted: number
  /** One sentence that says what to do. */
  readonly message: string
}

const HeadersRefusedBase: new (
  fields: HeadersRefusedFields
) => Cause.YieldableError & { readonly _tag: "HeadersRefused" } & HeadersRefusedFields =
  Data.TaggedError("HeadersRefused")

/** The stored headers do not pass this network's rules: they are of another chain than the node is to follow. */
export class HeadersRefused extends HeadersRefusedBase {}

/** Puts every stored header back into the tree and gives their number. */
export const restoreHeaders = (
  tree: HeaderTree,
  sha256: Sha256
): Effect.Effect<number, HeadersRefused | StoreError, HeaderStore> =>
  Effect.gen(function* () {
    const store = yield* HeaderStore
    const proof = new ProofOfWork(tree.params)
    let refused: string | undefined
    yield* store.load((headers, count) => {
      refused ??= restoreBatch(tree, proof, sha256, headers, count)
    })
    const accepted = tree.size - 1
    if (refused === undefined) return accepted
    const message = `the stored headers do not belong to this ${tree.params.name} (${refused} after ${accepted}): move headers.dat away, or take another data directory`
    return yield* new HeadersRefused({ accepted, message })
  })

/** Gives what is wrong with the batch, or `undefined`. Headers of a batch may be of several chains: it is cut where one ends. */
const restoreBatch = (
  tree: HeaderTree,
  proof: ProofOfWork,
  sha256: Sha256,
  headers: Uint8Array,
  count: number
): string | undefined => {
  for (let from = 0; from < count;) {
    let run = Math.min(count - from, MAX_HEADERS_RESULTS)
    let acceptance = accept(tree, proof, sha256, headers, from, run)
    if (acceptance._tag === "Accepted" && acceptance.fault?.rule === "non-continuous") {
      run = acceptance.fault.index
      acceptance = accept(tree, proof, sha256, headers, from, run)
    }
    if (acceptance._tag === "Unconnected") return "unconnected"
    if (acceptance.fault !== undefined) return acceptance.fault.rule
    from += run
  }
  return undefined
}

const accept = (
  tree: HeaderTree,
  proof: ProofOfWork,
  sha256: Sha256,
  headers: Uint8Array,
  from: number,
  count: number
): ReturnType<typeof acceptHeaders> =>
  // What was accepted once is not too new any more, whatever the clock says today.
  acceptHeaders(
    tree,
    proof,
    sha256,
    headers.subarray(from * HEADER_SIZE, (from + count) * HEADER_SIZE),
    count,
    Infinity
  )
