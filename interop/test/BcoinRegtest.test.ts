import { once } from "node:events"
import { connect } from "node:net"
import { expect, layer } from "@effect/vitest"
import { type Deployment, genesisHeader, regtest, retargetPeriod, toHex } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Bcoin } from "../Bcoin.ts"
import { FIRST_SEGWIT_HEIGHT, bcoinRegtest } from "../BcoinRegtest.ts"

const ChainInfo = Schema.Struct({
  bip9_softforks: Schema.Record(
    Schema.String,
    Schema.Struct({ status: Schema.String, bit: Schema.Int, startTime: Schema.Int, timeout: Schema.Int })
  )
})
const Block = Schema.Struct({
  version: Schema.Int,
  tx: Schema.NonEmptyArray(Schema.Struct({ vout: Schema.Array(Schema.Unknown) }))
})

const softForks = Effect.gen(function* () {
  const bcoin = yield* Bcoin
  const info = yield* bcoin.rpc("getblockchaininfo")
  return (yield* Schema.decodeUnknownEffect(ChainInfo)(info)).bip9_softforks
})

const blockAt = (height: number) =>
  Effect.gen(function* () {
    const bcoin = yield* Bcoin
    const hash = yield* bcoin.rpc("getblockhash", [height])
    return yield* Schema.decodeUnknownEffect(Block)(yield* bcoin.rpc("getblock", [hash, true, true]))
  })

const voteOf = (deployment: Deployment) => {
  if (deployment._tag !== "VersionBits") throw new Error("bcoin deploys by version bits")
  return { bit: deployment.bit, startTime: deployment.startTime, timeout: deployment.timeout }
}

layer(Bcoin.layer, { excludeTestServices: true })("bcoin's regtest", (it) => {
  it.effect("begins with the genesis block of Core's regtest", () =>
    Effect.gen(function* () {
      const bcoin = yield* Bcoin
      expect(yield* bcoin.rpc("getblockhash", [0])).toBe(toHex(bcoinRegtest.genesisHash))
      expect(yield* bcoin.rpc("getblockheader", [toHex(regtest.genesisHash), false])).toBe(
        Buffer.from(genesisHeader(bcoinRegtest)).toString("hex")
      )
      expect(retargetPeriod(bcoinRegtest)).toBe(2016)
    })
  )

  it.effect("begins its messages with the magic of Core's regtest, and speaks first", () =>
    Effect.gen(function* () {
      const { p2p } = yield* Bcoin
      const socket = yield* Effect.acquireRelease(
        Effect.sync(() => connect(p2p.port, p2p.host)),
        (opened) => Effect.sync(() => opened.destroy())
      )
      const [bytes] = (yield* Effect.promise(() => once(socket, "data"))) as [Buffer]
      expect(bytes.readUInt32LE(0)).toBe(bcoinRegtest.magic)
      expect(bytes.toString("latin1", 4, 16)).toBe("version\0\0\0\0\0")
    }).pipe(Effect.scoped)
  )

  it.effect("votes for CSV and segwit from height 144 and has both from height 432", () =>
    Effect.gen(function* () {
      const bcoin = yield* Bcoin
      const before = yield* softForks
      expect(before["csv"]).toEqual({ status: "defined", ...voteOf(bcoinRegtest.csv) })
      expect(before["segwit"]).toEqual({ status: "defined", ...voteOf(bcoinRegtest.segwit) })

      yield* bcoin.mine(FIRST_SEGWIT_HEIGHT)
      expect((yield* blockAt(143)).version).toBe(0x2000_0000)
      expect((yield* blockAt(144)).version).toBe(0x3000_0003)
      expect((yield* blockAt(FIRST_SEGWIT_HEIGHT - 1)).version).toBe(0x3000_0003)
      expect((yield* blockAt(FIRST_SEGWIT_HEIGHT - 1)).tx[0].vout).toHaveLength(1)
      expect((yield* blockAt(FIRST_SEGWIT_HEIGHT)).version).toBe(0x2000_0000)
      expect((yield* blockAt(FIRST_SEGWIT_HEIGHT)).tx[0].vout).toHaveLength(2)

      const after = yield* softForks
      expect([after["csv"]?.status, after["segwit"]?.status]).toEqual(["active", "active"])
    })
  )
})
