/**
 * Blocks by gossip: the header goes around, each node fetches the block once, and tells of it itself when it has found it good.
 *
 * ```
 *   header ─▶ its hash is the id ─▶ proof of work ─▶ its place in the chain ─▶ fetch ─▶ every rule that needs no coins ─▶ readers, and on
 * ```
 *
 * Specification: bytes whose fault is a mutation are not the block of their header, and it is fetched of another peer; a block that breaks a rule
 * is rejected for good. Rationale: what is not under the merkle root anybody can change who hands a block over.
 */
import { type BlockContext, ProofOfWork, checkBlock } from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import {
  type Announcement,
  type GossipShape,
  type PayloadVerdict,
  type Published,
  type PublishError,
  type Verdict,
  announcedTopic
} from "@satwire/gossip"
import { BlockHash, type BlockHeader, BlockView, type ChainParams, HEADER_SIZE, readHeader } from "@satwire/primitives"
import { Reader } from "@satwire/bytes"
import type { ListenError } from "@satwire/transport"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/**
 * Bitcoin Core's `MAX_BLOCK_SERIALIZED_SIZE`.
 *
 * @limit bytes of a block that is fetched for a topic
 */
export const MAX_BLOCK_BYTES = 4_000_000

/** What the chain says of a header whose proof of work holds. */
export type BlockPlace =
  /** What a block there must satisfy. */
  | BlockContext
  /** Its block is here already, or its parent is not: nothing is done about it. */
  | "known"
  | "orphan"
  /** It breaks a rule, by this name. */
  | { readonly fault: string }

export interface BlockTopicOptions {
  readonly params: ChainParams
  /** Whoever has the headers knows: a tree's `headerFault` and `BlockContexts`. */
  readonly placeOf: (header: BlockHeader, hash: BlockHash) => BlockPlace
  /** Blocks of a store, for peers that ask for them. */
  readonly find?: (hash: Uint8Array) => Effect.Effect<Uint8Array | undefined>
  readonly fetchTimeoutMs?: number
  readonly sha256?: Sha256
}

export interface GossipedBlock {
  readonly block: BlockView
  readonly hash: BlockHash
  /** Who handed it over. */
  readonly from: string
}

export interface BlockTopic {
  /** Announces a block of ours, and hands it over to who asks. */
  readonly publish: (block: BlockView) => Effect.Effect<Published, PublishError>
  readonly blocks: Stream.Stream<GossipedBlock>
  readonly peers: () => ReadonlyArray<string>
  readonly mesh: () => ReadonlyArray<string>
}

/** A topic of blocks as long as the scope. */
export const blockTopic = (
  gossip: GossipShape,
  name: string,
  options: BlockTopicOptions
): Effect.Effect<BlockTopic, ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const judge = new BlockJudge(options)
    const { find, fetchTimeoutMs } = options
    const topic = yield* announcedTopic(gossip, name, {
      maxBytes: MAX_BLOCK_BYTES,
      maxExtraBytes: HEADER_SIZE,
      checkAnnouncement: (announcement) => judge.header(announcement),
      idOf: (payload) => judge.hashOf(payload),
      validate: (payload) => judge.block(payload),
      ...(find === undefined ? {} : { find }),
      ...(fetchTimeoutMs === undefined ? {} : { fetchTimeoutMs })
    })
    return {
      peers: topic.peers,
      mesh: topic.mesh,
      publish: ({ bytes, rawHeader }) => topic.publish(bytes, rawHeader),
      blocks: topic.messages.pipe(
        Stream.map(({ message, id, from }) => ({
          // It was judged as one.
          block: Result.getOrThrow(BlockView.decode(message)).value,
          hash: BlockHash(id),
          from
        }))
      )
    }
  })

class BlockJudge {
  readonly #options: BlockTopicOptions
  readonly #sha256: Sha256
  readonly #work: ProofOfWork

  constructor(options: BlockTopicOptions) {
    this.#options = options
    this.#sha256 = options.sha256 ?? platformSha256
    this.#work = new ProofOfWork(options.params)
  }

  /** Of a header, or a block. Of what is shorter than a header nobody announces the hash. */
  hashOf(bytes: Uint8Array): Uint8Array {
    const hash = new Uint8Array(32)
    this.#sha256.sha256d(bytes, 0, Math.min(HEADER_SIZE, bytes.length), hash, 0)
    return hash
  }

  header({ id, extra }: Announcement): Verdict {
    if (extra.length !== HEADER_SIZE) return { reject: "undecodable", detail: `a header of ${extra.length} bytes` }
    const hash = this.hashOf(extra)
    if (hash.some((byte, i) => byte !== id[i])) return { reject: "invalid", detail: "the id is not the header's hash" }
    const place = this.#place(extra)
    if (typeof place === "string") return "ignore"
    return "fault" in place ? { reject: "invalid", detail: place.fault } : "accept"
  }

  block(payload: Uint8Array): PayloadVerdict {
    const decoded = BlockView.decode(payload)
    if (Result.isFailure(decoded) || decoded.success.bytesLeft > 0) return { wrong: "no block" }
    const place = this.#place(payload)
    if (typeof place === "string") return "ignore"
    if ("fault" in place) return { reject: "invalid", detail: place.fault }
    const fault = checkBlock(this.#sha256, decoded.success.value, place)
    if (fault === undefined) return "accept"
    return fault.isMutation ? { wrong: fault.rule } : { reject: "invalid", detail: fault.rule }
  }

  #place(bytes: Uint8Array): BlockPlace {
    const header = readHeader(new Reader(bytes.subarray(0, HEADER_SIZE)))
    const hash = this.hashOf(bytes)
    if (!this.#work.meets(hash, 0, header.bits)) return { fault: "high-hash" }
    return this.#options.placeOf(header, BlockHash(hash))
  }
}
