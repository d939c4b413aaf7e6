/**
 * Generators for property tests, by fast-check. What they make is well-formed on the wire, not valid by consensus: a property about
 * codecs must hold for both.
 */
import {
  type Block,
  type BlockHash,
  type BlockHeader,
  type Satoshis,
  type Transaction,
  type TxInput,
  type TxOutput,
  type Txid
} from "@satwire/primitives"
import * as fc from "fast-check"

/** A record as a decoder makes it: fast-check's own sometimes has no prototype, which strict equality tells from one that has. */
const plain = <A>(fields: { readonly [Field in keyof A]: fc.Arbitrary<A[Field]> }): fc.Arbitrary<A> =>
  fc.record(fields, { noNullPrototype: true })

/** Up to `maxLength` bytes. */
export const arbitraryBytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })

/** 32 bytes. */
export const arbitraryHash: fc.Arbitrary<Uint8Array> = fc.uint8Array({ minLength: 32, maxLength: 32 })

/** An unsigned 32-bit number; the ends of the range come often. */
export const arbitraryU32: fc.Arbitrary<number> = fc.oneof(fc.constantFrom(0, 1, 0xffffffff), fc.nat(0xffffffff))

/** A signed 32-bit number; the ends of the range come often. */
export const arbitraryI32: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, 1, -1, 0x7fffffff, -0x80000000),
  fc.integer({ min: -0x80000000, max: 0x7fffffff })
)

/** A signed 64-bit number, money or not. */
export const arbitraryAmount: fc.Arbitrary<Satoshis> = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 2_100_000_000_000_000n, 2n ** 63n - 1n, -(2n ** 63n)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
) as fc.Arbitrary<Satoshis>

/** A header of any fields: its hash meets no target but by chance. */
export const arbitraryHeader: fc.Arbitrary<BlockHeader> = plain({
  version: arbitraryI32,
  previousBlock: arbitraryHash as fc.Arbitrary<BlockHash>,
  merkleRoot: arbitraryHash,
  time: arbitraryU32,
  bits: arbitraryU32,
  nonce: arbitraryU32
})

/** Scripts on both sides of the length from which a CompactSize takes three bytes. */
const script: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 9, arbitrary: arbitraryBytes(40) },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ minLength: 250, maxLength: 260 })
  }
)

const input: fc.Arbitrary<TxInput> = plain({
  previousOutput: plain({ txid: arbitraryHash as fc.Arbitrary<Txid>, index: arbitraryU32 }),
  scriptSig: script,
  sequence: arbitraryU32,
  witness: fc.oneof(fc.constant([]), fc.array(script, { maxLength: 4 }))
})

const output: fc.Arbitrary<TxOutput> = plain({ amount: arbitraryAmount, scriptPubKey: script })

/**
 * A transaction of one to four inputs, with witnesses or without. None has no input but outputs: such a one has no unambiguous form on
 * the wire (BIP-0144 §"Serialization": its empty list of inputs is the marker of the extended form).
 */
export const arbitraryTransaction: fc.Arbitrary<Transaction> = plain({
  version: arbitraryI32,
  inputs: fc.array(input, { minLength: 1, maxLength: 4 }),
  outputs: fc.array(output, { maxLength: 4 }),
  lockTime: arbitraryU32
})

/** A block of up to five transactions. */
export const arbitraryBlock: fc.Arbitrary<Block> = plain({
  header: arbitraryHeader,
  transactions: fc.array(arbitraryTransaction, { maxLength: 5 })
})
