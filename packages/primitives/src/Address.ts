/**
 * Addresses: how people write an output's script. Base58 with a checksum for the old forms, bech32 for witness version 0 (BIP-0173),
 * bech32m for those after it (BIP-0350). The alphabets and checksums are `@scure/base`'s.
 *
 * Source: Bitcoin Core 28.1 `key_io.cpp`.
 */
import { portableSha256 } from "@satwire/crypto"
import { bech32, bech32m, createBase58check } from "@scure/base"
import * as Result from "effect/Result"
import type { ChainParams } from "./ChainParams.ts"
import { recognizeOutput } from "./OutputScript.ts"
import { OP_0, OP_1, OP_CHECKSIG, OP_DUP, OP_EQUAL, OP_EQUALVERIFY, OP_HASH160 } from "./Script.ts"

/** Why a text is no address of a network. */
export type AddressFault =
  /** Longer than any address. */
  | "tooLong"
  /** Neither base58 nor bech32, or its checksum does not hold. */
  | "checksum"
  /** A bech32 address of another network, or a base58 one with a prefix that this network does not have. */
  | "network"
  /** Bech32 where its version asks for bech32m, or the other way round. */
  | "encoding"
  /** A witness version above 16. */
  | "version"
  /** A length that its form does not have, or padding that is not zero. */
  | "length"

/** The longest bech32 address (BIP-0173 §"Bech32"); base58 ones are shorter. */
const MAX_ADDRESS_LENGTH = 90
const MAX_WITNESS_VERSION = 16

const base58check = createBase58check((data: Uint8Array) => {
  const digest = new Uint8Array(32)
  portableSha256.sha256(data, 0, data.length, digest, 0)
  return digest
})

/** The address of an output's script; `undefined` where its form has none. */
export const encodeAddress = (script: Uint8Array, params: ChainParams): string | undefined => {
  const output = recognizeOutput(script)
  switch (output._tag) {
    case "p2pkh":
      return base58(params.base58.pubkeyAddress, output.hash)
    case "p2sh":
      return base58(params.base58.scriptAddress, output.hash)
    case "p2wpkh":
    case "p2wsh":
      return bech32.encode(params.bech32Hrp, [0, ...bech32.toWords(output.hash)])
    case "p2tr":
    case "anchor":
    case "witness_unknown": {
      const version = (script[0] as number) - OP_1 + 1
      return bech32m.encode(params.bech32Hrp, [version, ...bech32m.toWords(script.subarray(2))])
    }
    case "p2pk":
    case "multisig":
    case "op_return":
    case "nonstandard":
      return undefined
  }
}

const base58 = (prefix: number, hash: Uint8Array): string => base58check.encode(Uint8Array.of(prefix, ...hash))

/** The script that an address of this network stands for. Any text is taken; nothing is thrown. */
export const decodeAddress = (address: string, params: ChainParams): Result.Result<Uint8Array, AddressFault> => {
  if (address.length > MAX_ADDRESS_LENGTH) return Result.fail("tooLong")
  const old = base58checkOf(address)
  if (old !== undefined) return fromBase58(old, params)
  const version0 = bech32.decodeUnsafe(address)
  const decoded = version0 ?? bech32m.decodeUnsafe(address)
  if (decoded === undefined) return Result.fail("checksum")
  if (decoded.prefix !== params.bech32Hrp) return Result.fail("network")
  const [version = 0, ...words] = decoded.words
  if (decoded.words.length === 0) return Result.fail("length")
  if ((version === 0) !== (version0 !== undefined)) return Result.fail("encoding")
  if (version > MAX_WITNESS_VERSION) return Result.fail("version")
  const program = bech32.fromWordsUnsafe(words)
  if (program === undefined || program.length < 2 || program.length > 40) return Result.fail("length")
  if (version === 0 && program.length !== 20 && program.length !== 32) return Result.fail("length")
  return Result.succeed(Uint8Array.of(version === 0 ? OP_0 : OP_1 + version - 1, program.length, ...program))
}

const base58checkOf = (address: string): Uint8Array | undefined => {
  try {
    return base58check.decode(address)
  } catch {
    // Anything else than base58 with its checksum: the library has no other way to say so.
    return undefined
  }
}

const fromBase58 = (data: Uint8Array, params: ChainParams): Result.Result<Uint8Array, AddressFault> => {
  const { pubkeyAddress, scriptAddress } = params.base58
  if (data[0] !== pubkeyAddress && data[0] !== scriptAddress) return Result.fail("network")
  if (data.length !== 21) return Result.fail("length")
  const hash = data.subarray(1)
  return Result.succeed(
    data[0] === pubkeyAddress
      ? Uint8Array.of(OP_DUP, OP_HASH160, 20, ...hash, OP_EQUALVERIFY, OP_CHECKSIG)
      : Uint8Array.of(OP_HASH160, 20, ...hash, OP_EQUAL)
  )
}
