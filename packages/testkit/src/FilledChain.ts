/**
 * A regtest chain of blocks of any size: every block has its own coinbase and the same transactions behind it, so that a chain of gigabytes is
 * made as it is read and takes the memory of one block. All rules hold but those that need coins.
 */
import { Writer, compactSizeLength, concat } from "@satwire/bytes"
import { ANYONE_CAN_SPEND, ProofSearch, coinbase } from "@satwire/mining"
import { type Sha256, portableSha256 } from "@satwire/crypto"
import {
  BlockView,
  HEADER_MERKLE_ROOT,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  HEADER_TIME,
  Satoshis,
  type Transaction,
  type Txid,
  encodeHeader,
  headerHash,
  merkleRoot,
  regtest,
  transactionSize,
  txid,
  witnessCommitmentHash,
  witnessMerkleRoot,
  writeTransaction
} from "@satwire/primitives"

export interface FilledChainOptions {
  /** How many blocks stand on top of genesis. */
  readonly count: number
  /** About how many bytes each has; near-empty where not given. */
  readonly blockBytes?: number
  /** How many transactions that is, besides the coinbase. */
  readonly transactions?: number
  /** When the first of them was mined, ten minutes each from there. */
  readonly firstTime?: number
}

export class FilledChain {
  readonly count: number
  /** Raw headers on top of genesis. */
  readonly headers: Uint8Array
  /** Bytes of any block but for the coinbase's first few, which differ by a byte or two. */
  readonly #filler: Uint8Array
  readonly #fillerCount: number
  readonly #commitment: Uint8Array | undefined

  constructor(options: FilledChainOptions, sha256: Sha256 = portableSha256) {
    const { blockBytes = 0, count, firstTime = regtest.genesis.time + 600, transactions = 1 } = options
    this.count = count
    const filler = blockBytes === 0 ? [] : fillers(blockBytes, transactions)
    this.#fillerCount = filler.length
    this.#filler = concat(filler.map(encodeTransaction))
    this.#commitment =
      filler.length === 0
        ? undefined
        : witnessCommitmentHash(
            sha256,
            witnessMerkleRoot(sha256, [filler[0] as Transaction, ...filler]).root,
            new Uint8Array(32)
          )
    const txids = filler.map((tx) => txid(sha256, tx))
    this.headers = new Uint8Array(count * HEADER_SIZE)
    const raw = encodeHeader({
      version: 0x20000000,
      previousBlock: regtest.genesisHash,
      merkleRoot: new Uint8Array(32),
      time: firstTime,
      bits: regtest.genesis.bits,
      nonce: 0
    })
    const view = new DataView(raw.buffer)
    for (let height = 1; height <= count; height++) {
      raw.set(merkleRoot(sha256, [txid(sha256, this.#coinbase(height)), ...txids]).root, HEADER_MERKLE_ROOT)
      view.setUint32(HEADER_TIME, firstTime + 600 * (height - 1), true)
      const search = new ProofSearch(sha256, raw)
      search.step(1_000_000)
      this.headers.set(search.header, (height - 1) * HEADER_SIZE)
      raw.set(headerHash(sha256, search.header), HEADER_PREVIOUS)
    }
  }

  /** The bytes of the block at a height from 1 on, made anew. */
  bytes(height: number): Uint8Array {
    const first = encodeTransaction(this.#coinbase(height))
    const count = 1 + this.#fillerCount
    const w = new Writer(new Uint8Array(HEADER_SIZE + compactSizeLength(count) + first.length + this.#filler.length))
    w.raw(this.headers.subarray((height - 1) * HEADER_SIZE, height * HEADER_SIZE))
    w.compactSize(count)
    w.raw(first)
    w.raw(this.#filler)
    return w.bytes
  }

  block(height: number): BlockView {
    const decoded = BlockView.decode(this.bytes(height))
    if (decoded._tag === "Failure") throw decoded.failure
    return decoded.success.value
  }

  #coinbase(height: number): Transaction {
    return coinbase({
      params: regtest,
      height,
      extraNonce: 0,
      scriptPubKey: ANYONE_CAN_SPEND,
      fees: 0n,
      commitment: this.#commitment
    })
  }
}

/** Transactions whose bytes are mostly witness, as what fills big blocks is. */
const fillers = (blockBytes: number, count: number): ReadonlyArray<Transaction> =>
  Array.from({ length: count }, (_, i) => {
    const each = Math.floor(blockBytes / count)
    const spent = new Uint8Array(32).fill(1 + (i % 255))
    new DataView(spent.buffer).setUint32(0, i, true)
    const items = Math.max(1, Math.ceil((each - 120) / 500))
    const item = new Uint8Array(Math.max(1, Math.floor((each - 120) / items) - 3)).fill(0xab)
    return {
      version: 2,
      inputs: [
        {
          previousOutput: { txid: spent as Txid, index: 0 },
          scriptSig: new Uint8Array(0),
          sequence: 0xffffffff,
          witness: Array.from({ length: items }, () => item)
        }
      ],
      outputs: [{ amount: Satoshis(1000n), scriptPubKey: new Uint8Array(34).fill(0x51) }],
      lockTime: 0
    }
  })

const encodeTransaction = (tx: Transaction): Uint8Array => {
  const w = new Writer(new Uint8Array(transactionSize(tx)))
  writeTransaction(w, tx)
  return w.bytes
}
