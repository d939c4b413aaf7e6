/** Header streams under test: who serves them, and what they are told. */
import {
  type HeaderStream,
  type HeaderStreamError,
  type HeaderStreamOptions,
  type TipChange,
  headerStream
} from "@satwire/client/headers"
import { platformAead, platformSha256 } from "@satwire/crypto/node"
import { type HeaderTree, acceptHeaders } from "@satwire/header-sync"
import { HeaderTree as Tree } from "@satwire/header-sync"
import { ProofOfWork } from "@satwire/consensus"
import { ChaChaRandom } from "@satwire/crypto"
import { type BlockHash, HEADER_SIZE, headerHash, regtest } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { regtestChain as minedChain } from "@satwire/testkit"
import type { Endpoint } from "@satwire/transport"
import { type GetHeaders, MAX_HEADERS_RESULTS, type Message, headersMessage } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { listen, type PeerSession } from "@satwire/client"

export const REGTEST = { params: regtest, sha256: platformSha256, aead: platformAead } as const

/** `count` raw regtest headers on top of genesis, or of the header with the hash `parent`. Those of another salt are others. */
export const regtestChain = (count: number, salt = 0, parent?: BlockHash, first = 0): Uint8Array =>
  minedChain(count, { salt, time: regtest.genesis.time + 600 + first, ...(parent === undefined ? {} : { parent }) })

/** The header of that number, from 0 on. */
export const headerAt = (headers: Uint8Array, index: number): Uint8Array =>
  headers.slice(index * HEADER_SIZE, (index + 1) * HEADER_SIZE)

export const hashAt = (headers: Uint8Array, index: number): BlockHash =>
  headerHash(platformSha256, headerAt(headers, index))

/** A tree of these headers, as an honest server has it. */
export const treeOf = (...runs: ReadonlyArray<Uint8Array>): HeaderTree => {
  const tree = Tree.fromGenesis(regtest, ChaChaRandom.fromNumber(1))
  for (const run of runs) addTo(tree, run)
  return tree
}

export const addTo = (tree: HeaderTree, run: Uint8Array): void => {
  acceptHeaders(tree, new ProofOfWork(regtest), platformSha256, run, run.length / HEADER_SIZE, Infinity)
}

/** What a server with this tree answers. */
export const answerOf = (tree: HeaderTree, { locator }: GetHeaders): Message => {
  const known = locator.map((hash) => tree.find(hash)).find((found) => found >= 0) ?? 0
  const from = tree.height(tree.fork(known, tree.best)) + 1
  const to = Math.min(tree.height(tree.best), from + MAX_HEADERS_RESULTS - 1)
  return headersMessage(from > to ? new Uint8Array(0) : tree.rawChain(tree.best, from, to))
}

export interface Served {
  readonly endpoint: Endpoint
  /** How many `getheaders` came. */
  questions: number
  readonly sessions: Array<PeerSession>
}

/** A peer that is spoken as the test says: once for each question. Where that fails, it leaves. */
export const scripted = Effect.fnUntraced(function* (
  answer: (message: GetHeaders, session: PeerSession, question: number) => Effect.Effect<unknown, unknown>,
  port = 0
) {
  const served: { questions: number; readonly sessions: Array<PeerSession> } = { questions: 0, sessions: [] }
  const { endpoint } = yield* listen(
    { host: "127.0.0.1", port },
    { ...REGTEST, userAgent: "/scripted:0/" },
    (session) => {
      served.sessions.push(session)
      const talk = Stream.runForEach(session.messages, (message) =>
        message._tag === "getheaders" ? Effect.suspend(() => answer(message, session, served.questions++)) : Effect.void
      )
      return Effect.ignore(talk)
    }
  )
  return Object.assign(served, { endpoint }) satisfies Served
})

/** A peer that serves what is in the tree, as it is when it is asked. */
export const serverOf = (tree: HeaderTree) => scripted((message, session) => session.send(answerOf(tree, message)))

export const follow = (peers: ReadonlyArray<Endpoint>, options: Partial<HeaderStreamOptions> = {}) =>
  headerStream({ ...REGTEST, peers, ...options })

/** A store in memory that several streams, one after another, may have. */
export const withStore = Effect.provide(HeaderStore.layerMemory, { local: true })

/** How many headers the store has. */
export const storedCount = Effect.flatMap(HeaderStore, ({ load }) =>
  Effect.map(
    load(() => {}),
    ({ count }) => count
  )
)

/** Changes until the tip has this height. */
export const changesUpTo = (stream: HeaderStream, height: number): Effect.Effect<Array<TipChange>, HeaderStreamError> =>
  stream.changes.pipe(
    Stream.takeUntil(({ hasMore, tip }) => tip.height >= height && !hasMore),
    Stream.runCollect
  )

/** Does to a list of hashes what the changes say, as a reader would, and gives what the best chain is then. */
export const applied = (changes: ReadonlyArray<TipChange>, chain: Array<string> = []): Array<string> => {
  for (const { added, fork, removed, tip } of changes) {
    for (let i = removed.count - 1; i >= 0; i--) {
      if (chain.pop() !== hex(hashAt(removed.headers, i))) throw new Error("what was removed was not the tip")
    }
    if (removed.count > 0 && removed.firstHeight !== chain.length + 1) throw new Error("removed at another height")
    if (fork.height !== chain.length)
      throw new Error(`the fork is at ${fork.height}, the chain ends at ${chain.length}`)
    if (chain.length > 0 && chain.at(-1) !== hex(fork.hash)) throw new Error("the fork is another")
    for (let i = 0; i < added.count; i++) chain.push(hex(hashAt(added.headers, i)))
    if (tip.height !== chain.length || (tip.height > 0 && hex(tip.hash) !== chain.at(-1)))
      throw new Error("another tip")
  }
  return chain
}

const hex = (hash: Uint8Array): string => Buffer.from(hash).toString("hex")

export const hashesOf = (headers: Uint8Array): Array<string> =>
  Array.from({ length: headers.length / HEADER_SIZE }, (_, i) => hex(hashAt(headers, i)))
