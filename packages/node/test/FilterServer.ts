/** A scripted peer that has a chain of blocks and their filters (BIP-0157), which it gives as they are or otherwise. */
import { concat } from "@satwire/bytes"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { buildBasicFilter, filterHash, filterHeaders } from "@satwire/filters"
import { HeaderTree, acceptHeaders } from "@satwire/header-sync"
import { ProofOfWork } from "@satwire/consensus"
import { UnixSeconds } from "@satwire/machine"
import { BlockTemplates, ProofSearch } from "@satwire/mining"
import { type BlockHash, BlockView, encodeHeader, regtest } from "@satwire/primitives"
import type { Endpoint } from "@satwire/transport"
import { HashList, type Message, NODE_COMPACT_FILTERS, NODE_NETWORK, NODE_WITNESS, headersMessage } from "@satwire/wire"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ServedHeaders, scriptedPeer } from "./HeaderServer.ts"

/** What the block at a height pays to. */
export const paidAt = (height: number): Uint8Array => Uint8Array.of(0x51, 0x51, height)

/** Regtest blocks, each of which pays to a script of its own. */
export class PayingChain {
  readonly blocks: ReadonlyArray<BlockView>
  readonly hashes: ReadonlyArray<BlockHash>

  constructor(count: number) {
    const tree = HeaderTree.fromGenesis(regtest, ChaChaRandom.fromNumber(1))
    const pow = new ProofOfWork(regtest)
    const templates = new BlockTemplates(regtest, tree)
    this.blocks = Array.from({ length: count }, (_, i) => {
      const block = templates.make({
        sha256: portableSha256,
        parent: tree.best,
        parentHash: tree.hash(tree.best),
        unix: UnixSeconds(regtest.genesis.time + 600 * (i + 1)),
        extraNonce: 0,
        scriptPubKey: paidAt(i + 1)
      })
      const search = new ProofSearch(portableSha256, encodeHeader(block.header))
      while (search.step(1000) === "searching");
      const mined = BlockView.of({ ...block, header: { ...block.header, nonce: search.nonce } })
      acceptHeaders(tree, pow, portableSha256, mined.rawHeader.slice(), 1, Infinity)
      return mined
    })
    this.hashes = [regtest.genesisHash, ...this.blocks.map((block) => block.hash(portableSha256))]
  }

  heightOf(hash: Uint8Array): number {
    return this.hashes.findIndex((known) => known.join() === hash.join())
  }
}

export interface FilterServer {
  readonly endpoint: Endpoint
  /** Commands that it was sent, in order. */
  readonly heard: Array<Message["_tag"]>
}

/** @param hidden the height of a block in whose filter it leaves out what that pays to */
export const filterServer = (chain: PayingChain, hidden?: number): Effect.Effect<FilterServer, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    // That of genesis is nobody's concern.
    const filters = chain.hashes.map((hash, height) =>
      height === hidden || height === 0 ? Uint8Array.of(0) : buildBasicFilter(hash, [], [paidAt(height)]).bytes
    )
    const hashes = concat(filters.map((filter) => filterHash(portableSha256, filter)))
    const headers = filterHeaders(portableSha256, hashes, new Uint8Array(32))
    const served = ServedHeaders.of(concat(chain.blocks.map((block) => block.rawHeader)))
    const heard: Array<Message["_tag"]> = []
    const answers = (message: Message): ReadonlyArray<Message> => {
      heard.push(message._tag)
      switch (message._tag) {
        case "getheaders":
          return [headersMessage(served.after(message.locator))]
        case "getdata":
          return [...message.inventory].map(({ hash }) => ({
            _tag: "block",
            block: chain.blocks[chain.heightOf(hash) - 1] as BlockView
          }))
        case "getcfheaders": {
          const { filterType, startHeight: from, stopHash } = message
          const to = chain.heightOf(stopHash) + 1
          const previousFilterHeader = from === 0 ? new Uint8Array(32) : headers.subarray(32 * (from - 1), 32 * from)
          const filterHashes = new HashList(hashes.subarray(32 * from, 32 * to))
          return [{ _tag: "cfheaders", filterType, stopHash, previousFilterHeader, filterHashes }]
        }
        case "getcfilters": {
          const { filterType, startHeight: from, stopHash } = message
          return filters.slice(from, chain.heightOf(stopHash) + 1).map((filter, i) => ({
            _tag: "cfilter",
            filterType,
            blockHash: chain.hashes[from + i] as BlockHash,
            filter
          }))
        }
        default:
          return []
      }
    }
    const endpoint = yield* scriptedPeer(
      regtest,
      (session) => Stream.runForEach(session.messages, (message) => Effect.forEach(answers(message), session.send)),
      NODE_NETWORK | NODE_WITNESS | NODE_COMPACT_FILTERS
    )
    return { endpoint, heard }
  })
