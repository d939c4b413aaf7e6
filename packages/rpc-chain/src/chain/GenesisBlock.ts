/** The first block of a network, which no peer sends: its coinbase is the same in all networks but testnet4, and custom ones. */
import { concat, equals, fromHex } from "@satwire/bytes"
import { type Sha256, sha256d } from "@satwire/crypto"
import { BlockView, type ChainParams, blockHashFromHex, genesisHeader } from "@satwire/primitives"
import * as Result from "effect/Result"

const COINBASE =
  "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f" +
  "32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104" +
  "678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"

/** `undefined` where it has another coinbase. */
export const genesisBlock = (params: ChainParams, sha256: Sha256): BlockView | undefined => {
  const coinbase = fromHex(COINBASE) as Uint8Array
  if (!equals(sha256d(sha256, coinbase), blockHashFromHex(params.genesis.merkleRoot))) return undefined
  const bytes = concat([genesisHeader(params), Uint8Array.of(1), coinbase])
  return Result.getOrUndefined(Result.map(BlockView.decode(bytes), ({ value }) => value))
}
