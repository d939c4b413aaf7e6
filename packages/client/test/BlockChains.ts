/** Block streams under test: who serves blocks, and what readers are told. */
import { type PeerSession, listen } from "@satwire/client"
import {
  type BlockPlace,
  type BlockStep,
  type BlockStream,
  type BlockStreamError,
  type BlockStreamOptions,
  blockStream
} from "@satwire/client/blocks"
import { type BlockHash, BlockView, HEADER_SIZE, regtest } from "@satwire/primitives"
import { MinedChain } from "@satwire/testkit"
import type { Endpoint } from "@satwire/transport"
import {
  type GetHeaders,
  Inventory,
  MSG_WITNESS_BLOCK,
  type Message,
  NODE_NETWORK,
  NODE_WITNESS,
  headersMessage
} from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { REGTEST } from "./HeaderChains.ts"

/** A chain of so many blocks, or of so many more on the first ones of another. */
export const blocksOf = (count: number, trunk = new MinedChain(regtest), height = trunk.best, salt = 0): MinedChain => {
  const chain = trunk.fork(height)
  for (let i = 0; i < count; i++) chain.mine({ extraNonce: salt })
  return chain
}

/** The same block with another version of its coinbase, which is not under its merkle root. */
export const mutated = (block: BlockView): BlockView => {
  const bytes = block.bytes.slice()
  bytes[HEADER_SIZE + 1] = (bytes[HEADER_SIZE + 1] as number) ^ 1
  const decoded = BlockView.decode(bytes)
  if (decoded._tag === "Failure") throw decoded.failure
  return decoded.success.value
}

/** What is sent for a block: other bytes, word that there is none, or nothing. */
export type Given = BlockView | "notfound" | "nothing"

export interface ServerOptions {
  readonly services?: bigint
  readonly gives?: (block: BlockView, height: number) => Given
  readonly port?: number
}

export interface BlockServer {
  readonly endpoint: Endpoint
  /** What it serves, from now on. */
  chain: MinedChain
  /** The heights of the blocks that it was asked for. */
  readonly asked: Array<number>
  readonly sessions: Array<PeerSession>
}

/** A peer that serves the headers and blocks of a chain, in its way. */
export const serve = Effect.fnUntraced(function* (chain: MinedChain, options: ServerOptions = {}) {
  const { gives = (block: BlockView) => block, port = 0, services = NODE_NETWORK | NODE_WITNESS } = options
  const served: Omit<BlockServer, "endpoint"> = { chain, asked: [], sessions: [] }
  const answers = (message: Message): ReadonlyArray<Message> => {
    const { chain } = served
    if (message._tag === "getheaders") return [headersOf(chain, message)]
    if (message._tag !== "getdata") return []
    return Array.from({ length: message.inventory.count }, (_, i): ReadonlyArray<Message> => {
      const hash = message.inventory.hashAt(i) as BlockHash
      const height = heightOf(chain, hash)
      served.asked.push(height)
      const given = height < 1 ? "notfound" : gives(blockAt(chain, height), height)
      if (given === "nothing") return []
      if (given !== "notfound") return [{ _tag: "block", block: given }]
      return [{ _tag: "notfound", inventory: Inventory.ofType(MSG_WITNESS_BLOCK, [hash]) }]
    }).flat()
  }
  const { endpoint } = yield* listen({ host: "127.0.0.1", port }, { ...REGTEST, services }, (session) => {
    served.sessions.push(session)
    return Effect.ignore(
      Stream.runForEach(session.messages, (message) =>
        Effect.forEach(answers(message), (answer) => session.send(answer), { discard: true })
      )
    )
  })
  return Object.assign(served, { endpoint }) satisfies BlockServer
})

/** A server follows another chain, and tells all who are connected. */
export const announce = (server: BlockServer, chain: MinedChain): Effect.Effect<void> => {
  const shared = server.chain.blocks.findIndex((block, i) => block !== chain.blocks[i])
  server.chain = chain
  const from = shared < 0 ? chain.best : shared + 1
  const message = headersMessage(chain.rawHeaders(from, chain.best))
  return Effect.forEach(server.sessions, (session) => Effect.ignore(session.send(message)), { discard: true })
}

export const blockAt = (chain: MinedChain, height: number): BlockView => {
  const block = chain.blocks[height - 1]
  if (block === undefined) throw new RangeError(`no block ${height}`)
  return BlockView.of(block)
}

const headersOf = (chain: MinedChain, { locator }: GetHeaders): Message => {
  const known = locator.map((hash) => heightOf(chain, hash)).find((height) => height >= 0) ?? 0
  return headersMessage(chain.rawHeaders(known + 1, chain.best))
}

const heightOf = (chain: MinedChain, hash: Uint8Array): number => {
  for (let height = 0; height <= chain.best; height++) {
    if (chain.hash(height).every((byte, i) => byte === hash[i])) return height
  }
  return -1
}

export const follow = (peers: ReadonlyArray<Endpoint>, options: Partial<BlockStreamOptions> = {}) =>
  blockStream({ ...REGTEST, peers, ...options })

/** The next so many steps. */
export const take = (
  { blocks }: BlockStream,
  count: number
): Effect.Effect<ReadonlyArray<BlockStep>, BlockStreamError> => Stream.runCollect(Stream.take(blocks, count))

/** Steps as `+height` and `-height`; `-height?` without bytes. */
export const told = (steps: ReadonlyArray<BlockStep>): Array<string> =>
  steps.map(({ _tag, block, height }) =>
    _tag === "Connected" ? `+${height}` : `-${height}${block === undefined ? "?" : ""}`
  )

/** The steps up from one height to another. */
export const up = (from: number, to: number): Array<string> =>
  Array.from({ length: to - from + 1 }, (_, i) => `+${from + i}`)

export const placeOf = (chain: MinedChain, height: number): BlockPlace => ({ height, hash: chain.hash(height) })
