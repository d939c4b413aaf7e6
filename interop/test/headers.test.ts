import { expect, layer } from "@effect/vitest"
import { fromHex } from "@satwire/bytes"
import { DeploymentStates, ProofOfWork } from "@satwire/consensus"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { HeaderTree, acceptHeaders } from "@satwire/header-sync"
import { HEADER_SIZE, toHex } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Bcoin } from "../Bcoin.ts"
import { FIRST_SEGWIT_HEIGHT, bcoinRegtest } from "../BcoinRegtest.ts"

const HEADERS = 500

const ChainInfo = Schema.Struct({ bestblockhash: Schema.String, chainwork: Schema.String })
const RawHeader = Schema.String.check(Schema.isMinLength(2 * HEADER_SIZE), Schema.isMaxLength(2 * HEADER_SIZE))

/** The raw headers of `hashes`, one after another, as bcoin's RPC gives them. */
const rawHeaders = (hashes: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const bcoin = yield* Bcoin
    const answers = yield* Effect.forEach(hashes, (hash) => bcoin.rpc("getblockheader", [hash, false]), {
      concurrency: 8
    })
    const hex = yield* Schema.decodeUnknownEffect(Schema.Array(RawHeader))(answers)
    return fromHex(hex.join("")) as Uint8Array
  })

layer(Bcoin.layer, { excludeTestServices: true })("500 headers that bcoin mined", (it) => {
  it.effect(
    "are accepted with every rule on, at bcoin's own count of work, with segwit active where bcoin has it",
    () =>
      Effect.gen(function* () {
        const bcoin = yield* Bcoin
        const raw = yield* rawHeaders(yield* bcoin.mine(HEADERS))
        const tree = HeaderTree.fromGenesis(bcoinRegtest, ChaChaRandom.fromNumber(1))
        const unix = Math.floor(Date.now() / 1000)
        const taken = acceptHeaders(tree, new ProofOfWork(bcoinRegtest), portableSha256, raw, HEADERS, unix)
        expect(taken).toMatchObject({ _tag: "Accepted", count: HEADERS, fault: undefined })

        const info = yield* Schema.decodeUnknownEffect(ChainInfo)(yield* bcoin.rpc("getblockchaininfo"))
        expect(tree.height(tree.best)).toBe(HEADERS)
        expect(toHex(tree.hash(tree.best))).toBe(info.bestblockhash)
        expect(tree.chainWork(tree.best)).toBe(BigInt(`0x${info.chainwork}`))

        const segwit = new DeploymentStates(bcoinRegtest.segwit, tree)
        const stateFor = (height: number) => segwit.after(tree.ancestor(tree.best, height - 1))
        expect([143, 144, 287, 288, FIRST_SEGWIT_HEIGHT - 1, FIRST_SEGWIT_HEIGHT].map(stateFor)).toEqual([
          "defined",
          "started",
          "started",
          "lockedIn",
          "lockedIn",
          "active"
        ])
      })
  )
})
