/**
 * What a page does with a bridge: it speaks to one Bitcoin node, encrypted from end to end, and follows its headers by every rule. The bridge
 * in between sees how much is said, and to which node; what is said it cannot read.
 *
 * ```
 *   page ──wss──▶ bridge ──TCP──▶ node         outside: what the bridge carries
 *     ◀═══════ BIP-0324 ═══════▶               inside: keys that only the page and the node have
 * ```
 */
import * as Bytes from "@satwire/bytes"
import { connect } from "@satwire/client"
import { ProofOfWork } from "@satwire/consensus"
import { wasmSha256 } from "@satwire/crypto"
import { HeaderTree, acceptHeaders, locator } from "@satwire/header-sync"
import { type ChainParams, toHex } from "@satwire/primitives"
import { seededRandom } from "@satwire/runtime"
import type { Endpoint } from "@satwire/transport"
import { bridgeRoute, layerWebSocketDialer } from "@satwire/transport-websocket"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

export interface PageOptions {
  /** Where the bridge is: `wss://…`. */
  readonly bridge: string
  /** Which node it is to lead to. */
  readonly node: Endpoint
  readonly params: ChainParams
  /** Told after each run of headers. */
  readonly onProgress: (progress: Progress) => void
}

export interface Progress {
  readonly userAgent: string
  readonly transport: "v1" | "v2"
  /** The same on both ends, unless somebody in between has the keys: compare it with the node's `getpeerinfo` (BIP-0324). */
  readonly sessionId: string
  readonly height: number
  /** The hash of the best header. */
  readonly tip: string
}

/** The node sent a header that breaks a rule. */
export class BadHeaders extends Data.TaggedError("BadHeaders")<{ readonly message: string }> {}

/** Bitcoin's protocol lets a message have so many; a shorter one is the last. */
const HEADERS_A_MESSAGE = 2000

/** Connects, and follows headers until the node has no more of them. */
export const pageHeaders = ({ bridge, node, params, onProgress }: PageOptions) =>
  Effect.gen(function* () {
    const sha256 = wasmSha256()
    // Never v1: the bridge could read it.
    const session = yield* connect(node, { params, sha256, v2transport: "only", userAgent: "/satwire-page:0.0/" })
    const { userAgent, transport, sessionId = new Uint8Array(0) } = session.info
    const proof = new ProofOfWork(params)
    const tree = HeaderTree.fromGenesis(params, yield* seededRandom)
    for (;;) {
      const { headers, count } = yield* session.headers(locator(tree, tree.best), undefined)
      if (count > 0) {
        const unix = Math.floor((yield* Clock.currentTimeMillis) / 1000)
        const taken = acceptHeaders(tree, proof, sha256, headers, count, unix)
        if (taken._tag === "Unconnected") return yield* new BadHeaders({ message: "the headers lead nowhere" })
        if (taken.fault !== undefined) return yield* new BadHeaders({ message: `a header is bad: ${taken.fault.rule}` })
      }
      const progress: Progress = {
        userAgent,
        transport,
        sessionId: Bytes.toHex(sessionId),
        height: tree.height(tree.best),
        tip: toHex(tree.hash(tree.best))
      }
      onProgress(progress)
      if (count < HEADERS_A_MESSAGE) return progress
    }
  }).pipe(Effect.scoped, Effect.provide(layerWebSocketDialer(bridgeRoute(bridge))))
