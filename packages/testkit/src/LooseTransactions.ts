/** Transactions that are well-formed and nothing more: what they spend is what the test says. */
import { portableSha256 } from "@satwire/crypto"
import { type Satoshis, TransactionView, type Txid, type Wtxid } from "@satwire/primitives"

export interface LooseShape {
  /** Outputs of other transactions, or numbers that stand for outputs of transactions that nobody has. */
  readonly spends: ReadonlyArray<readonly [Uint8Array, number] | number>
  readonly outputs?: number
  /** Bytes of witness of the first input; none where it is 0. */
  readonly witnessBytes?: number
  /** Tells two of one shape apart. */
  readonly nonce?: number
}

const strangeTxid = (n: number): Uint8Array => {
  const txid = new Uint8Array(32).fill(0xee)
  new DataView(txid.buffer).setUint32(0, n)
  return txid
}

/** A transaction of this shape, with both its hashes. */
export const looseTransaction = ({
  nonce = 0,
  outputs = 1,
  spends,
  witnessBytes = 0
}: LooseShape): { readonly tx: TransactionView; readonly txid: Txid; readonly wtxid: Wtxid } => {
  const tx = TransactionView.of({
    version: 2,
    lockTime: nonce,
    inputs: spends.map((spent, i) => {
      const [txid, index] = typeof spent === "number" ? [strangeTxid(spent), 0] : spent
      return {
        previousOutput: { txid: txid as Txid, index },
        scriptSig: new Uint8Array(0),
        sequence: 0xffffffff,
        witness: i === 0 && witnessBytes > 0 ? [new Uint8Array(witnessBytes)] : []
      }
    }),
    outputs: Array.from({ length: outputs }, () => ({ amount: 1000n as Satoshis, scriptPubKey: new Uint8Array(22) }))
  })
  return { tx, txid: tx.txid(portableSha256), wtxid: tx.wtxid(portableSha256) }
}
