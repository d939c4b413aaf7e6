/** Headers as Bitcoin Core's methods show them. */
import { ExactNumber, type JsonObject, type ResultDoc, result } from "@satwire/json-rpc"
import type { HeaderDetails } from "@satwire/node-core"
import { type BlockHeader, type ChainParams, ZERO_HASH, readHeader, targetFromBits, toHex } from "@satwire/primitives"
import { Reader, equals } from "@satwire/bytes"

const hex32 = (word: number): string => (word >>> 0).toString(16).padStart(8, "0")
const hex256 = (number: bigint): string => number.toString(16).padStart(64, "0")

/** How many times harder than the easiest target of the first network (Core `GetDifficulty`). */
export const difficulty = (bits: number): number => {
  const mantissa = bits & 0x00ffffff
  return mantissa === 0 ? 0 : (0xffff / mantissa) * 256 ** (29 - (bits >>> 24))
}

const DIGITS = 16
/** With as many digits as Core writes. */
export const real = (value: number): ExactNumber => new ExactNumber(String(Number(value.toPrecision(DIGITS))))

export const targetHex = (bits: number): string => hex256(targetFromBits(bits) ?? 0n)

/** The name by which Core knows a network. */
export const chainName = ({ name }: ChainParams): string => {
  const names: Readonly<Record<string, string>> = { mainnet: "main", testnet3: "test" }
  return names[name] ?? name
}

export const headerOf = (header: HeaderDetails): BlockHeader | undefined =>
  header.raw === undefined ? undefined : readHeader(new Reader(header.raw))

/** How many blocks of the followed chain end with this one's; -1 beside the chain. */
export const confirmationsOf = (header: HeaderDetails, tip: HeaderDetails): number =>
  header.isFollowed ? tip.height - header.height + 1 : -1

/** What stands for `bits`, `target` and `difficulty` alike. */
export const workJson = (
  bits: number
): { readonly bits: string; readonly target: string; readonly difficulty: ExactNumber } => ({
  bits: hex32(bits),
  target: targetHex(bits),
  difficulty: real(difficulty(bits))
})

export const WORK_DOC: Readonly<Record<"bits" | "target" | "difficulty", ResultDoc>> = {
  bits: result.hex("The compact form of the target"),
  target: result.hex("The target"),
  difficulty: result.number("How many times harder than the easiest")
}

/**
 * @param transactions how many transactions its block has, 0 where that is not known
 */
export const headerJson = (header: HeaderDetails, tip: HeaderDetails, transactions: number): JsonObject => {
  const fields = headerOf(header)
  const version = fields?.version ?? 0
  const previous = fields?.previousBlock
  return {
    hash: toHex(header.hash),
    confirmations: confirmationsOf(header, tip),
    height: header.height,
    version,
    versionHex: hex32(version),
    merkleroot: toHex(fields?.merkleRoot ?? ZERO_HASH),
    time: header.time,
    mediantime: header.medianTime ?? header.time,
    nonce: fields?.nonce ?? 0,
    ...workJson(header.bits),
    chainwork: hex256(header.chainWork),
    nTx: transactions,
    previousblockhash: previous === undefined || equals(previous, ZERO_HASH) ? undefined : toHex(previous),
    nextblockhash: header.next === undefined ? undefined : toHex(header.next)
  }
}

export const HEADER_DOC: Readonly<Record<string, ResultDoc>> = {
  hash: result.hex("The block's hash"),
  confirmations: result.number("Blocks of the chain from this one on, or -1 beside the chain"),
  height: result.number("The block's height"),
  version: result.number("Its version"),
  versionHex: result.hex("The same in hexadecimal"),
  merkleroot: result.hex("The root of its transactions' tree"),
  time: result.time("When it was mined, as its miner says"),
  mediantime: result.time("The median of the times of it and the ten before it"),
  nonce: result.number("The nonce"),
  ...WORK_DOC,
  chainwork: result.hex("The work of the chain that ends with it"),
  nTx: result.number("How many transactions it has; 0 where the block is not here"),
  previousblockhash: result.optional(result.hex("The block before")),
  nextblockhash: result.optional(result.hex("The block after"))
}

/** Work as 64 digits. */
export const chainWorkHex = (work: bigint): string => hex256(work)
