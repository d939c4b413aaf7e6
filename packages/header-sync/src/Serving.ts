/**
 * What others are told of our chain: the answer to a `getheaders`, and the announcement of a new tip.
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`ProcessMessage` for `getheaders`, `SendMessages`, `PeerHasHeader`).
 */
import {
  type GetHeaders,
  type Headers,
  type Inv,
  Inventory,
  MAX_HEADERS_RESULTS,
  MSG_BLOCK,
  headersMessage
} from "@satwire/wire"
import type { HeaderTree } from "./HeaderTree.ts"
import { locate } from "./Locator.ts"

/**
 * Core's `MAX_BLOCKS_TO_ANNOUNCE`: more new headers than this are announced by the hash of the last.
 *
 * @limit headers in one announcement
 */
export const MAX_BLOCKS_TO_ANNOUNCE = 8

export interface Answer {
  readonly message: Headers
  /** The last header that the asker has once it has the answer. */
  readonly last: number
}

/**
 * The answer to a `getheaders` from the chain that ends with `tip`, or `undefined` where none is given.
 *
 * Specification: until our chain has the work that the network is known to have, the answer is empty. Rationale: others would begin to
 * follow a chain that they must give up, and silence would look like a fault.
 *
 * Specification: a header that is not on the chain that we show is not given, however it is asked for. Rationale: as in `locate`.
 */
export const answer = (tree: HeaderTree, tip: number, query: GetHeaders): Answer | undefined => {
  const height = tree.height(tip)
  if (tree.chainWork(tip) < tree.params.minimumChainWork) return { message: NO_HEADERS, last: -1 }
  const stop = tree.find(query.stopHash)
  const stopHeight = stop >= 0 && tree.ancestor(tip, tree.height(stop)) === stop ? tree.height(stop) : -1
  if (query.locator.length === 0) {
    // Without a locator it asks for the one header that it names. Of a base known by its hash alone there is none to give.
    if (stopHeight < 0 || tree.time(stop) < 0) return undefined
    return { message: headersMessage(tree.rawChain(tip, stopHeight, stopHeight)), last: stop }
  }
  const from = tree.height(locate(tree, tip, query.locator)) + 1
  if (from > height) return { message: NO_HEADERS, last: tip }
  let to = Math.min(height, from + MAX_HEADERS_RESULTS - 1)
  if (stopHeight >= from) to = Math.min(to, stopHeight)
  return { message: headersMessage(tree.rawChain(tip, from, to)), last: tree.ancestor(tip, to) }
}

const NO_HEADERS = headersMessage(new Uint8Array(0))

/**
 * How `tip` is announced to a peer: by the headers that it lacks where it wants headers, there are few and the first follows one that
 * it has; else by the tip's hash. `undefined` where it has the tip.
 *
 * @param best the header of most work that we know the peer has, or -1
 * @param sent the last header that we sent it, or -1
 */
export const announcement = (
  tree: HeaderTree,
  tip: number,
  peer: { readonly prefersHeaders: boolean; readonly best: number; readonly sent: number }
): Headers | Inv | undefined => {
  const height = tree.height(tip)
  const known = Math.max(sharedHeight(tree, tip, peer.best), sharedHeight(tree, tip, peer.sent))
  if (known === height) return undefined
  return peer.prefersHeaders && known >= 0 && height - known <= MAX_BLOCKS_TO_ANNOUNCE
    ? headersMessage(tree.rawChain(tip, known + 1, height))
    : { _tag: "inv", inventory: Inventory.ofType(MSG_BLOCK, [tree.hash(tip)]) }
}

/** Whether a peer has a header, by what it said or by what it was told. */
export const isKnownTo = (
  tree: HeaderTree,
  header: number,
  peer: { readonly best: number; readonly sent: number } | undefined
): boolean => peer !== undefined && [peer.best, peer.sent].some((end) => end >= 0 && tree.isAncestor(header, end))

/** How high the chains of both run together, or -1 where there is no such header. */
const sharedHeight = (tree: HeaderTree, tip: number, header: number): number =>
  header < 0 ? -1 : tree.height(tree.fork(tip, header))
