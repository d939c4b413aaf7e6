/** bcoin as a light wallet beside a node of ours that offers bloom filters (BIP-0037). */
import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { expect, layer } from "@effect/vitest"
import { toHex as bytesToHex } from "@satwire/bytes"
import { parsePermissionRule } from "@satwire/connections"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { ANYONE_CAN_SPEND, ANYONE_CAN_SPEND_P2SH, Spender } from "@satwire/mining"
import { makeNode } from "@satwire/node"
import { BlockView, type Transaction, TransactionView, toHex, txid } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import { MinedChain } from "@satwire/testkit"
import { layerTcp } from "@satwire/transport-tcp"
import { NODE_BLOOM, NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { bcoinRegtest } from "../BcoinRegtest.ts"
import { besideBcoin } from "../BesideBcoin.ts"

const Line = Schema.fromJsonString(
  Schema.Struct({
    height: Schema.optionalKey(Schema.Int),
    txids: Schema.optionalKey(Schema.Array(Schema.String)),
    txid: Schema.optionalKey(Schema.String)
  })
)
const decodeLine = Schema.decodeSync(Line)

const TRUSTED = parsePermissionRule("noban@127.0.0.1")

/** Every tenth block pays to the hash that the wallet looks for. */
const PAID = ANYONE_CAN_SPEND_P2SH
const BLOCKS = 110

class Wallet {
  readonly child: ChildProcess
  readonly #lines: AsyncIterator<string>
  /** The transactions of each block that it was given, and others in the order in which they came. */
  readonly blocks: Map<number, ReadonlyArray<string>> = new Map()
  readonly loose: Array<string> = []

  constructor(port: number) {
    const script = fileURLToPath(new URL("../bcoin-light.ts", import.meta.url))
    const node = "Deno" in globalThis ? "node" : process.execPath
    const push = bytesToHex(PAID.subarray(2, 22))
    this.child = spawn(node, ["--no-deprecation", script, String(port), push], { stdio: ["pipe", "pipe", "inherit"] })
    if (this.child.stdout === null) throw new Error("no output")
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]()
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      const { done, value } = await this.#lines.next()
      if (done === true) throw new Error("it ended")
      const { height, txid: loose, txids } = decodeLine(value)
      if (height !== undefined) this.blocks.set(height, txids ?? [])
      if (loose !== undefined) this.loose.push(loose)
    }
  }
}

layer(Layer.mergeAll(layerTcp, HeaderStore.layerMemory), { excludeTestServices: true })(
  "a light wallet of bcoin's",
  (it) => {
    it.effect("is given by its filter what it looks for, of blocks and of the pool", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const chain = new MinedChain(bcoinRegtest)
          const spender = new Spender({ sha256: portableSha256, random: ChaChaRandom.fromNumber(1) })
          const node = yield* makeNode(
            besideBcoin({
              connect: [],
              listen: { host: "127.0.0.1", port: 0 },
              maxInbound: 8,
              // It is told of transactions at once.
              permissions: [TRUSTED].filter((rule) => typeof rule !== "string"),
              roles: {
                headers: { serve: true, announce: true },
                mining: undefined,
                transactions: { relays: true, coins: spender }
              },
              blocks: { serve: true },
              services: NODE_NETWORK | NODE_WITNESS | NODE_BLOOM
            })
          )
          const now = Math.floor(Date.now() / 1000)
          const paying: Map<number, string> = new Map()
          const mine = (height: number, payTo: Uint8Array, transactions: ReadonlyArray<Transaction> = []) => {
            const block = BlockView.of(
              chain.mine({ scriptPubKey: payTo, transactions, unix: now - 600 * (BLOCKS + 2 - height) })
            )
            spender.connected(block, height)
            if (payTo === PAID) paying.set(height, toHex(block.transaction(0).txid(portableSha256)))
            return node.submitBlock(block)
          }
          for (let height = 1; height <= BLOCKS; height++)
            yield* mine(height, height % 10 === 0 ? PAID : ANYONE_CAN_SPEND)

          const { port = 0 } = node.listening ?? {}
          const wallet = yield* Effect.acquireRelease(
            Effect.sync(() => new Wallet(port)),
            ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
          )
          yield* Effect.promise(() => wallet.until(() => wallet.blocks.size === BLOCKS))
          const given = [...wallet.blocks].flatMap(([height, txids]) => txids.map((id) => [height, id]))
          expect(given).toEqual([...paying])

          const [, spend] = [
            ...spender.spendMany(1, { payTo: ANYONE_CAN_SPEND, fromUnconfirmed: false }),
            ...spender.spendMany(1, { payTo: PAID, fromUnconfirmed: false })
          ] as const
          if (spend === undefined) throw new Error("nothing to spend")
          const id = toHex(txid(portableSha256, spend))
          expect(yield* node.submitTransaction(TransactionView.of(spend))).toBeUndefined()
          yield* Effect.promise(() => wallet.until(() => wallet.loose.includes(id)))
          yield* mine(BLOCKS + 1, ANYONE_CAN_SPEND, [spend])
          yield* Effect.promise(() => wallet.until(() => wallet.blocks.has(BLOCKS + 1)))
          expect(wallet.blocks.get(BLOCKS + 1)).toEqual([id])
          const [peer] = yield* node.query("peerDetails")
          expect([peer?.info?.relay, peer?.transactions?.isTold]).toEqual([false, true])
        })
      )
    )
  }
)
