/** Questions over real sessions: with deadlines, many at once, given up, and what becomes of them when a session ends. */
import { MAX_BLOCKS_ASKED, type PeerSession, RequestFailed, connect, listen } from "@satwire/client"
import { platformAead, platformSha256 } from "@satwire/crypto/node"
import { type BlockHash, BlockView, encodeHeader, regtest } from "@satwire/primitives"
import { MinedChain } from "@satwire/testkit"
import { Inventory, type Message, NODE_COMPACT_FILTERS, headersMessage } from "@satwire/wire"
import { concat } from "@satwire/bytes"
import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { overEachTransport } from "./Transports.ts"

const options = { params: regtest, sha256: platformSha256, aead: platformAead }
const mined = new MinedChain(regtest)
const blocks = Array.from({ length: 40 }, () => BlockView.of(mined.mine()))
const headers = concat(blocks.map((block) => block.rawHeader))
const hashOf = (block: BlockView): BlockHash => block.hash(platformSha256)
const byHash = new Map(blocks.map((block) => [hashOf(block).join(), block]))

/** Serves the chain, tells how many blocks were asked for at once, and answers filters never. */
const serving = (most: { asked: number }) => (session: PeerSession) =>
  Effect.forever(
    Effect.gen(function* () {
      const message = yield* session.receive
      if (message._tag === "getheaders") yield* session.send(headersMessage(headers.slice()))
      if (message._tag !== "getdata") return
      most.asked += 1
      const hash = message.inventory.hashAt(0)
      const block = byHash.get(hash.join())
      const answer: Message =
        block === undefined
          ? { _tag: "notfound", inventory: Inventory.ofType(message.inventory.typeAt(0), [hash.slice()]) }
          : { _tag: "block", block }
      yield* session.send(answer)
    })
  )

const server = (most = { asked: 0 }) =>
  Effect.map(
    listen({ host: "127.0.0.1", port: 0 }, { ...options, services: NODE_COMPACT_FILTERS }, serving(most)),
    ({ endpoint }) => endpoint
  )

overEachTransport("a session that asks", (session) => {
  session(
    "gets headers, and then every block of them, many at once",
    Effect.gen(function* () {
      const near = yield* connect(yield* server(), options)
      const answer = yield* near.headers([regtest.genesisHash], undefined)
      expect(answer.count).toBe(blocks.length)
      expect(answer.headers).toEqual(headers)
      const got = yield* Effect.forEach(blocks, (block) => near.block(hashOf(block)), { concurrency: "unbounded" })
      expect(got.map((block) => block.bytes)).toEqual(blocks.map((block) => block.bytes))
      expect(blocks.length).toBeGreaterThan(MAX_BLOCKS_ASKED)
      expect(encodeHeader(got[0]?.header as never)).toEqual(headers.slice(0, 80))
    })
  )

  session(
    "is told what the peer does not have, what it may not be asked, and what took too long",
    Effect.gen(function* () {
      const at = yield* server()
      const near = yield* connect(at, options)
      const missing = yield* Effect.flip(near.block(new Uint8Array(32).fill(7) as BlockHash))
      expect(missing).toBeInstanceOf(RequestFailed)
      expect(missing).toMatchObject({ by: "nobody", fault: { _tag: "NotFound" } })
      expect(missing.message).toMatch(/ does not have a block$/)
      const hasty = yield* connect(at, { ...options, requestTimeoutMs: 30 })
      const silent = yield* Effect.flip(hasty.filterCheckpoints(regtest.genesisHash))
      expect(silent).toMatchObject({ by: "peer", fault: { _tag: "TimedOut", afterMs: 30 } })
      const plain = yield* listen({ host: "127.0.0.1", port: 0 }, options, serving({ asked: 0 }))
      const other = yield* connect(plain.endpoint, options)
      const refused = yield* Effect.flip(other.filters(0, regtest.genesisHash))
      expect(refused).toMatchObject({ by: "us", fault: { _tag: "NotPermitted" } })
      expect(refused.message).toContain("NODE_COMPACT_FILTERS")
      const unsent = yield* Effect.flip(
        other.send({ _tag: "getcfcheckpt", filterType: 0, stopHash: regtest.genesisHash })
      )
      expect(unsent).toMatchObject({ _tag: "MessageNotPermitted", command: "getcfcheckpt" })
      expect((yield* other.headers([regtest.genesisHash], undefined)).count).toBe(blocks.length)
    })
  )

  session(
    "may give a question up, and ask another",
    Effect.gen(function* () {
      const near = yield* connect(yield* server(), options)
      const given = yield* Effect.timeoutOption(near.filterHeaders(0, regtest.genesisHash), 5)
      expect(given._tag).toBe("None")
      expect((yield* near.headers([regtest.genesisHash], undefined)).count).toBe(blocks.length)
    })
  )

  session(
    "learns of the session's end where it waits",
    Effect.gen(function* () {
      const gone = yield* listen({ host: "127.0.0.1", port: 0 }, options, (far) => Effect.asVoid(far.receive))
      const near = yield* connect(gone.endpoint, options)
      const error = yield* Effect.flip(near.headers([regtest.genesisHash], undefined))
      expect(error._tag).toBe("SessionEnded")
    })
  )
})
