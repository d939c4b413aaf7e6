/** Between a store of headers and a tree of them: what was kept comes back at start, and passes every rule again on its way. */
import { ProofOfWork } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import { type HeaderTree, acceptHeaders } from "@satwire/header-sync"
import { HEADER_SIZE } from "@satwire/primitives"
import { HeaderStore, type HeadersLoaded, type StoreError } from "@satwire/store"
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

/** The stored headers do not pass this network's rules: they are of another chain than is to be followed. */
export class HeadersRefused extends HeadersRefusedBase {}

/** Puts every stored header back into the tree, and gives their number and what was wrong with the file. */
export const restoreHeaders = (
  tree: HeaderTree,
  sha256: Sha256
): Effect.Effect<Pick<HeadersLoaded, "count" | "setAside">, HeadersRefused | StoreError, HeaderStore> =>
  Effect.gen(function* () {
    const store = yield* HeaderStore
    const proof = new ProofOfWork(tree.params)
    const before = tree.size
    let refused: string | undefined
    const { setAside } = yield* store.load((headers, count) => {
      refused ??= restoreBatch(tree, proof, sha256, headers, count)
    })
    const accepted = tree.size - before
    tree.distrust()
    if (refused === undefined) return { count: accepted, setAside }
    const what = `the stored headers are not of the ${tree.params.name} chain that is followed here`
    const message = `${what} (number ${accepted + 1}: ${refused}): move headers.dat away, or take another data directory`
    return yield* new HeadersRefused({ accepted, message })
  })

/**
 * Gives what is wrong with the batch, or `undefined`. Its headers may be of several chains: it is cut where one ends. A cut costs the
 * hashes behind it, so the next piece is tried no more than twice as long as the last one was.
 */
const restoreBatch = (
  tree: HeaderTree,
  proof: ProofOfWork,
  sha256: Sha256,
  headers: Uint8Array,
  count: number
): string | undefined => {
  // What was accepted once is not too new any more, whatever the clock says today.
  const accept = (from: number, run: number) =>
    acceptHeaders(tree, proof, sha256, headers.subarray(from * HEADER_SIZE, (from + run) * HEADER_SIZE), run, Infinity)
  let most = MAX_HEADERS_RESULTS
  for (let from = 0; from < count;) {
    let run = Math.min(count - from, most)
    let acceptance = accept(from, run)
    if (acceptance._tag === "Accepted" && acceptance.fault?.rule === "non-continuous") {
      run = acceptance.fault.index
      acceptance = accept(from, run)
    }
    if (acceptance._tag === "Unconnected") return "its parent is missing"
    if (acceptance.fault !== undefined) return acceptance.fault.rule
    from += run
    most = Math.min(2 * run, MAX_HEADERS_RESULTS)
  }
  return undefined
}
