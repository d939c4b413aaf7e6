/**
 * How other libraries read the same transactions, blocks and scripts, as facts that can be compared. bcoin is the one of `interop/`. This
 * file lies where the others are installed; nothing here is typed by its owner, so the shapes that are used are said here.
 */
import { createRequire } from "node:module"
import process from "node:process"
import { fileURLToPath } from "node:url"

/** What a transaction says, bytes in hexadecimal, hashes in wire order. */
export interface TransactionFacts {
  readonly version: number
  readonly inputs: ReadonlyArray<{
    readonly txid: string
    readonly index: number
    readonly script: string
    readonly sequence: number
    readonly witness: ReadonlyArray<string>
  }>
  readonly outputs: ReadonlyArray<{ readonly amount: bigint; readonly script: string }>
  readonly lockTime: number
}

export interface ForeignTransaction {
  readonly facts: TransactionFacts
  /** What a library writes of what it read. */
  readonly written: string
  /** As far as the library computes them. */
  readonly txid?: string
  readonly wtxid?: string
  readonly weight?: number
}

export interface TransactionPeer {
  readonly name: string
  /** Whether it knows witnesses (BIP-0144). */
  readonly witness: boolean
  read(raw: Uint8Array): ForeignTransaction
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")
/** An explorer's hash in wire order. */
const reversed = (text: string): string => Buffer.from(text, "hex").reverse().toString("hex")

const BITCOINJS: string = "bitcoinjs-lib"
const SCURE: string = "@scure/btc-signer"
const LIBAUTH: string = "@bitauth/libauth"

interface BitcoinJsTransaction {
  readonly version: number
  readonly ins: ReadonlyArray<{
    readonly hash: Uint8Array
    readonly index: number
    readonly script: Uint8Array
    readonly sequence: number
    readonly witness: ReadonlyArray<Uint8Array>
  }>
  readonly outs: ReadonlyArray<{ readonly value: bigint; readonly script: Uint8Array }>
  readonly locktime: number
  getHash(forWitness?: boolean): Uint8Array
  weight(): number
  toBuffer(): Uint8Array
  isCoinbase(): boolean
}

interface BitcoinJs {
  readonly Transaction: { fromBuffer(raw: Uint8Array): BitcoinJsTransaction }
  readonly Block: {
    fromBuffer(raw: Uint8Array): {
      readonly transactions: ReadonlyArray<BitcoinJsTransaction>
      getHash(): Uint8Array
      weight(): number
      toBuffer(): Uint8Array
    }
    calculateMerkleRoot(transactions: ReadonlyArray<BitcoinJsTransaction>, forWitness?: boolean): Uint8Array
  }
  readonly address: { fromOutputScript(script: Uint8Array): string }
}

const bitcoinJsFacts = (tx: BitcoinJsTransaction): ForeignTransaction => ({
  facts: {
    version: tx.version | 0,
    inputs: tx.ins.map(({ hash, index, script, sequence, witness }) => ({
      txid: hex(hash),
      index,
      script: hex(script),
      sequence,
      witness: witness.map(hex)
    })),
    outputs: tx.outs.map(({ value, script }) => ({ amount: value, script: hex(script) })),
    lockTime: tx.locktime
  },
  written: hex(tx.toBuffer()),
  txid: hex(tx.getHash()),
  // It takes a coinbase's for zero, as a witness root does.
  ...(tx.isCoinbase() ? {} : { wtxid: hex(tx.getHash(true)) }),
  weight: tx.weight()
})

const bitcoinJs = async (): Promise<BitcoinJs> => (await import(BITCOINJS)) as BitcoinJs

export const bitcoinJsTransactions = async (): Promise<TransactionPeer> => {
  const { Transaction } = await bitcoinJs()
  return { name: "bitcoinjs-lib", witness: true, read: (raw) => bitcoinJsFacts(Transaction.fromBuffer(raw)) }
}

interface RawTx {
  readonly version: number
  readonly inputs: ReadonlyArray<{
    readonly txid: Uint8Array
    readonly index: number
    readonly finalScriptSig: Uint8Array
    readonly sequence: number
  }>
  readonly outputs: ReadonlyArray<{ readonly amount: bigint; readonly script: Uint8Array }>
  readonly witnesses?: ReadonlyArray<ReadonlyArray<Uint8Array>>
  readonly lockTime: number
}

interface Scure {
  readonly RawTx: { decode(raw: Uint8Array): RawTx; encode(tx: RawTx): Uint8Array }
  readonly OutScript: { decode(script: Uint8Array): { readonly type: string } }
  readonly Address: () => { encode(output: { readonly type: string }): string }
}

export const scureTransactions = async (): Promise<TransactionPeer> => {
  const { RawTx } = (await import(SCURE)) as Scure
  return {
    name: "@scure/btc-signer",
    witness: true,
    read(raw) {
      const tx = RawTx.decode(raw)
      return {
        facts: {
          version: tx.version,
          inputs: tx.inputs.map(({ txid, index, finalScriptSig, sequence }, i) => ({
            txid: reversed(hex(txid)),
            index,
            script: hex(finalScriptSig),
            sequence,
            witness: (tx.witnesses?.[i] ?? []).map(hex)
          })),
          outputs: tx.outputs.map(({ amount, script }) => ({ amount, script: hex(script) })),
          lockTime: tx.lockTime
        },
        written: hex(RawTx.encode(tx))
      }
    }
  }
}

interface LibauthTransaction {
  readonly version: number
  readonly inputs: ReadonlyArray<{
    readonly outpointTransactionHash: Uint8Array
    readonly outpointIndex: number
    readonly unlockingBytecode: Uint8Array
    readonly sequenceNumber: number
  }>
  readonly outputs: ReadonlyArray<{ readonly valueSatoshis: bigint; readonly lockingBytecode: Uint8Array }>
  readonly locktime: number
}

interface Libauth {
  readonly decodeTransactionCommon: (raw: Uint8Array) => LibauthTransaction | string
  readonly encodeTransactionCommon: (tx: LibauthTransaction) => Uint8Array
  readonly hashTransactionP2pOrder: (raw: Uint8Array) => Uint8Array
}

export const libauthTransactions = async (): Promise<TransactionPeer> => {
  const { decodeTransactionCommon, encodeTransactionCommon, hashTransactionP2pOrder } = (await import(
    LIBAUTH
  )) as Libauth
  return {
    name: "@bitauth/libauth",
    witness: false,
    read(raw) {
      const tx = decodeTransactionCommon(raw)
      if (typeof tx === "string") throw new Error(tx)
      return {
        facts: {
          version: tx.version | 0,
          inputs: tx.inputs.map((input) => ({
            txid: reversed(hex(input.outpointTransactionHash)),
            index: input.outpointIndex,
            script: hex(input.unlockingBytecode),
            sequence: input.sequenceNumber,
            witness: []
          })),
          outputs: tx.outputs.map(({ valueSatoshis, lockingBytecode }) => ({
            amount: valueSatoshis,
            script: hex(lockingBytecode)
          })),
          lockTime: tx.locktime
        },
        written: hex(encodeTransactionCommon(tx)),
        txid: hex(hashTransactionP2pOrder(raw))
      }
    }
  }
}

interface BcoinScript {
  toRaw(): Uint8Array
}
interface BcoinTx {
  readonly version: number
  readonly inputs: ReadonlyArray<{
    readonly prevout: { readonly hash: string; readonly index: number }
    readonly script: BcoinScript
    readonly sequence: number
    readonly witness: { readonly items: ReadonlyArray<Uint8Array> }
  }>
  readonly outputs: ReadonlyArray<{ readonly value: number; readonly script: BcoinScript }>
  readonly locktime: number
  hash(encoding: "hex"): string
  witnessHash(encoding: "hex"): string
  getWeight(): number
  toRaw(): Uint8Array
}
interface BcoinPacket {
  toRaw(): Uint8Array
}

/** Reads payloads by command and writes them again. */
export interface MessagePeer {
  readonly name: string
  rewrite(command: string, payload: Uint8Array): Uint8Array
}

const bcoin = <A>(path: string): A => {
  process.env["NODE_BACKEND"] = "js"
  return createRequire(fileURLToPath(new URL("../../interop/package.json", import.meta.url)))(`bcoin/lib/${path}`) as A
}

export const bcoinTransactions = (): TransactionPeer => {
  const TX = bcoin<{ fromRaw(raw: Buffer): BcoinTx }>("primitives/tx")
  return {
    name: "bcoin",
    witness: true,
    read(raw) {
      const tx = TX.fromRaw(Buffer.from(raw))
      return {
        facts: {
          version: tx.version | 0,
          inputs: tx.inputs.map(({ prevout, script, sequence, witness }) => ({
            txid: prevout.hash,
            index: prevout.index,
            script: hex(script.toRaw()),
            sequence,
            witness: witness.items.map(hex)
          })),
          outputs: tx.outputs.map(({ value, script }) => ({ amount: BigInt(value), script: hex(script.toRaw()) })),
          lockTime: tx.locktime
        },
        written: hex(tx.toRaw()),
        txid: tx.hash("hex"),
        wtxid: tx.witnessHash("hex"),
        weight: tx.getWeight()
      }
    }
  }
}

export const bcoinMessages = (): MessagePeer => {
  const packets = bcoin<{ fromRaw(command: string, payload: Buffer): BcoinPacket }>("net/packets")
  return { name: "bcoin", rewrite: (command, payload) => packets.fromRaw(command, Buffer.from(payload)).toRaw() }
}

export interface BlockFacts {
  readonly hash: string
  readonly merkleRoot: string
  /** What the coinbase commits to (BIP-0141); empty where no transaction has a witness. */
  readonly witnessCommitment: string
  readonly weight: number
  readonly transactions: ReadonlyArray<ForeignTransaction>
  readonly written: string
}

/** bitcoinjs-lib's reading of a whole block. */
export const bitcoinJsBlocks = async (): Promise<(raw: Uint8Array) => BlockFacts> => {
  const { Block } = await bitcoinJs()
  return (raw) => {
    const block = Block.fromBuffer(raw)
    return {
      hash: hex(block.getHash()),
      merkleRoot: hex(Block.calculateMerkleRoot(block.transactions)),
      witnessCommitment: block.transactions.some(({ ins }) => ins.some(({ witness }) => witness.length > 0))
        ? hex(Block.calculateMerkleRoot(block.transactions, true))
        : "",
      weight: block.weight(),
      transactions: block.transactions.map(bitcoinJsFacts),
      written: hex(block.toBuffer())
    }
  }
}

/** What a script is and what its address is on mainnet: `undefined` where the library does not say. */
export interface ScriptFacts {
  readonly form: string | undefined
  readonly address: string | undefined
}

export const scureScripts = async (): Promise<(script: Uint8Array) => ScriptFacts> => {
  const { Address, OutScript } = (await import(SCURE)) as Scure
  const address = Address()
  return (script) => {
    let form: string | undefined
    try {
      const output = OutScript.decode(script)
      form = output.type
      return { form, address: address.encode(output) }
    } catch {
      // It knows no such form, or no address of it.
      return { form, address: undefined }
    }
  }
}

/** bitcoinjs-lib's address of a script on mainnet. Taproot needs a curve that is not installed: it says nothing of it. */
export const bitcoinJsAddress = async (): Promise<(script: Uint8Array) => string | undefined> => {
  const { address } = await bitcoinJs()
  return (script) => {
    if (script[0] === 0x51) return undefined
    try {
      return address.fromOutputScript(script)
    } catch {
      return undefined
    }
  }
}
