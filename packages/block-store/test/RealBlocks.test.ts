import { it } from "@effect/vitest"
import { toHex } from "@satwire/bytes"
import { platformSha256 } from "@satwire/crypto/node"
import { BlockView, mainnet, regtest, testnet3 } from "@satwire/primitives"
import { layerFiles } from "@satwire/store"
import { blockFile, describeWithData } from "@satwire/testkit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { describe, expect } from "vitest"
import { BlockStore, type NewBlock } from "../src/index.ts"
import { temporaryDirectory } from "./Places.ts"

const viewOf = (bytes: Uint8Array): BlockView => Result.getOrThrow(BlockView.decode(bytes)).value

const blockOf = (bytes: Uint8Array, height: number): NewBlock => ({
  hash: viewOf(bytes).hash(platformSha256),
  height,
  bytes
})

describeWithData(describe, "blocks of the real networks", (data) => {
  const chains = [
    { name: "mainnet", params: mainnet, path: "blocks/mainnet/blocks_000000-000599.blk", first: 0 },
    { name: "regtest", params: regtest, path: "blocks/regtest/blocks_000001-000206.blk", first: 1 },
    { name: "testnet3", params: testnet3, path: "blocks/testnet3/blocks_000001-004000.blk", first: 1 }
  ]
  for (const { first, name, params, path } of chains) {
    it.live(`come out as they went in (${name})`, () =>
      Effect.gen(function* () {
        const blocks = [...blockFile(data.bytes(path), params.magic)].map((bytes, i) => blockOf(bytes, first + i))
        const options = { directory: temporaryDirectory(), networkMagic: params.magic, maxFileBytes: 500_000 }
        const store = BlockStore.layer(options).pipe(Layer.provide(layerFiles))
        yield* Effect.provide(
          BlockStore.use(({ append }) => append(blocks)),
          store,
          { local: true }
        )
        yield* Effect.gen(function* () {
          const { at, load, read } = yield* BlockStore
          expect((yield* load(() => undefined)).count).toBe(blocks.length)
          for (const { bytes, hash, height } of blocks) {
            expect(Buffer.compare((yield* read(hash)) as Uint8Array, bytes)).toBe(0)
            expect((yield* at(height)).map(toHex)).toEqual([toHex(hash)])
          }
        }).pipe(Effect.provide(store, { local: true }))
      })
    )
  }

  it.live("of two megabytes come out as they went in, and so do their transactions", () =>
    Effect.gen(function* () {
      const folder = "blocks/mainnet/run_831328-831333"
      const blocks = data.list(folder).map((file, i) => blockOf(data.bytes(`${folder}/${file}`), 831_328 + i))
      const { append, read, readTransaction } = yield* BlockStore
      yield* append(blocks)
      for (const { bytes, hash } of blocks) {
        expect(Buffer.compare((yield* read(hash)) as Uint8Array, bytes)).toBe(0)
        const view = viewOf(bytes)
        for (const i of [0, 1, view.transactionCount - 1]) {
          expect(yield* readTransaction(hash, i)).toEqual(view.transaction(i).bytes.slice())
        }
      }
    }).pipe(
      Effect.provide(
        BlockStore.layer({ directory: temporaryDirectory(), networkMagic: mainnet.magic }).pipe(
          Layer.provide(layerFiles)
        )
      )
    )
  )
})
