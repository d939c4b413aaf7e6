/** Our reading of transactions, blocks, messages and scripts beside that of other libraries, on real and on generated ones. */
import { toHex } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import {
  BlockHash,
  BlockView,
  type Satoshis,
  type Transaction,
  TransactionView,
  encodeAddress,
  mainnet,
  recognizeOutput,
  transactionWeight,
  witnessCommitmentHash
} from "@satwire/primitives"
import {
  arbitraryHash,
  arbitraryHeader,
  arbitraryMessages,
  arbitraryTransaction,
  blockFile,
  describeWithData
} from "@satwire/testkit"
import { type Command, type Message, decodePayload, encodePayload } from "@satwire/wire"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type ForeignTransaction,
  type TransactionFacts,
  type TransactionPeer,
  bcoinMessages,
  bcoinTransactions,
  bitcoinJsAddress,
  bitcoinJsBlocks,
  bitcoinJsTransactions,
  libauthTransactions,
  scureScripts,
  scureTransactions
} from "../../bench/peers/foreignCodecs.ts"

const peers: ReadonlyArray<TransactionPeer> = [
  await bitcoinJsTransactions(),
  await scureTransactions(),
  await libauthTransactions(),
  bcoinTransactions()
]

const factsOf = (tx: Transaction): TransactionFacts => ({
  version: tx.version,
  inputs: tx.inputs.map(({ previousOutput, scriptSig, sequence, witness }) => ({
    txid: toHex(previousOutput.txid),
    index: previousOutput.index,
    script: toHex(scriptSig),
    sequence,
    witness: witness.map(toHex)
  })),
  outputs: tx.outputs.map(({ amount, scriptPubKey }) => ({ amount, script: toHex(scriptPubKey) })),
  lockTime: tx.lockTime
})

/** Everything that the foreign reading says is what ours says. */
const agree = (view: TransactionView, theirs: ForeignTransaction): void => {
  const tx = view.materialise()
  expect(theirs.facts).toEqual(factsOf(tx))
  expect(theirs.written).toBe(toHex(view.bytes))
  if (theirs.txid !== undefined) expect(theirs.txid).toBe(toHex(view.txid(portableSha256)))
  if (theirs.wtxid !== undefined) expect(theirs.wtxid).toBe(toHex(view.wtxid(portableSha256)))
  if (theirs.weight !== undefined) expect([theirs.weight, theirs.weight]).toEqual([view.weight, transactionWeight(tx)])
}

const blockOf = (raw: Uint8Array): BlockView => {
  const result = BlockView.decode(raw)
  if (Result.isFailure(result)) throw new Error(String(result.failure))
  return result.success.value
}

/** What a script of Bitcoin Cash begins with when it carries a token: libauth reads it so everywhere. */
const TOKEN_PREFIX = 0xef

/** Of money that exists and without tokens: other libraries refuse what is none, and ours must not. */
const money = arbitraryTransaction.map((tx) => ({
  ...tx,
  outputs: tx.outputs
    .filter(({ scriptPubKey }) => scriptPubKey[0] !== TOKEN_PREFIX)
    .map(({ amount, scriptPubKey }) => ({
      amount: (BigInt.asUintN(64, amount) % 2_100_000_000_000_001n) as Satoshis,
      scriptPubKey
    }))
}))

const withoutWitness = (tx: Transaction): Transaction => ({
  ...tx,
  inputs: tx.inputs.map((input) => ({ ...input, witness: [] }))
})

describe.each(peers)("generated transactions beside $name", (peer) => {
  it("are read alike", () => {
    fc.assert(
      fc.property(money, (tx) => {
        const view = TransactionView.of(peer.witness ? tx : withoutWitness(tx))
        agree(view, peer.read(view.bytes))
      })
    )
  })
})

describeWithData(describe, "the transactions of real blocks", (data) => {
  const folders = ["blocks/mainnet", "blocks/testnet3", "blocks/mainnet/run_831328-831333"]
  const names = folders.flatMap((folder) =>
    data.list(folder).flatMap((name) => (name.endsWith(".bin") ? [`${folder}/${name}`] : []))
  )

  it.each(names)("%s", (name) => {
    const block = blockOf(data.bytes(name))
    // Every transaction by one library, and each seventh by all.
    for (let i = 0; i < block.transactionCount; i++) {
      const view = block.transaction(i)
      for (const peer of i % 7 === 0 ? peers : peers.slice(0, 1)) {
        if (peer.witness || !view.hasWitness) agree(view, peer.read(view.bytes))
      }
    }
  })
})

const readBlock = await bitcoinJsBlocks()

describeWithData(describe, "real blocks beside bitcoinjs-lib", (data) => {
  it.each(["block_367891_12ea0ca95792.bin", "block_481829_917cba69f69b.bin", "block_702861_c835b2adcaed.bin"])(
    "%s has the same hash, root, witness commitment, weight and bytes",
    (name) => {
      const raw = data.bytes(`blocks/mainnet/${name}`)
      const block = blockOf(raw)
      const theirs = readBlock(raw)
      expect(theirs.hash).toBe(toHex(block.hash(portableSha256)))
      expect(theirs.merkleRoot).toBe(toHex(block.merkleRoot(portableSha256).root))
      if (theirs.witnessCommitment !== "") {
        const [reserved] = block.transaction(0).materialise().inputs[0]?.witness ?? []
        const { root } = block.witnessMerkleRoot(portableSha256)
        const committed = witnessCommitmentHash(portableSha256, root, reserved as Uint8Array)
        expect(theirs.witnessCommitment).toBe(toHex(committed))
      }
      expect(theirs.weight).toBe(block.weight)
      expect(theirs.written).toBe(toHex(raw))
      expect(theirs.transactions).toHaveLength(block.transactionCount)
    }
  )

  it("600 blocks of mainnet's beginning have the same hashes and roots", () => {
    for (const raw of blockFile(data.bytes("blocks/mainnet/blocks_000000-000599.blk"), mainnet.magic)) {
      const block = blockOf(raw)
      const theirs = readBlock(raw)
      expect([theirs.hash, theirs.merkleRoot]).toEqual([
        toHex(block.hash(portableSha256)),
        toHex(block.merkleRoot(portableSha256).root)
      ])
    }
  })
})

/** Ours for each of theirs. */
const FORMS: Readonly<Record<string, string>> = {
  pk: "p2pk",
  pkh: "p2pkh",
  sh: "p2sh",
  wpkh: "p2wpkh",
  wsh: "p2wsh",
  tr: "p2tr",
  ms: "multisig",
  p2a: "anchor"
}

const scure = await scureScripts()
const bitcoinJs = await bitcoinJsAddress()

describeWithData(describe, "the scripts and addresses of real outputs", (data) => {
  it.each(["block_300025_821c4e0acc40.bin", "block_514485_50f70113ab19.bin", "block_830000_11d55599ed27.bin"])(
    "%s: are what @scure/btc-signer and bitcoinjs-lib take them for",
    (name) => {
      let compared = 0
      let outputs = 0
      for (const tx of blockOf(data.bytes(`blocks/mainnet/${name}`)).materialise().transactions) {
        for (const { scriptPubKey } of tx.outputs) {
          outputs += 1
          const { form, address } = scure(scriptPubKey)
          const known = FORMS[form ?? ""]
          if (known !== undefined) {
            compared += 1
            expect(recognizeOutput(scriptPubKey)._tag).toBe(known)
            if (address !== undefined) expect(encodeAddress(scriptPubKey, mainnet)).toBe(address)
          }
          const theirs = bitcoinJs(scriptPubKey)
          if (theirs !== undefined) expect(encodeAddress(scriptPubKey, mainnet)).toBe(theirs)
        }
      }
      expect(compared).toBeGreaterThan(0.9 * outputs)
    }
  )
})

describe("generated messages beside bcoin", () => {
  const bcoin = bcoinMessages()
  /** What bcoin 1.0.2 knows, without what it reads in its own way: times of 64 bits, user agents that are no ASCII, features. */
  const known: ReadonlyArray<Command> = [
    "verack",
    "ping",
    "pong",
    "getaddr",
    "inv",
    "getdata",
    "notfound",
    "getblocks",
    "getheaders",
    "headers",
    "sendheaders",
    "mempool",
    "filteradd",
    "filterclear",
    "filterload",
    "merkleblock",
    "getblocktxn",
    "blocktxn",
    "cmpctblock",
    "block",
    "tx"
  ]
  const tx = money.map((one) => TransactionView.of(withoutWitness(one)))
  const transactions = fc.array(tx, { maxLength: 3 })
  /** Its packets write transactions without witnesses unless they are told otherwise, and take no flags that nobody has defined. */
  const narrower: { readonly [C in Command]?: fc.Arbitrary<Message> } = {
    tx: tx.map((tx) => ({ _tag: "tx", tx })),
    filterload: arbitraryMessages.filterload.map((message) => ({ ...message, flags: message.flags % 3 })),
    blocktxn: fc
      .tuple(arbitraryHash, transactions)
      .map(([hash, transactions]) => ({ _tag: "blocktxn", blockHash: BlockHash(hash), transactions })),
    cmpctblock: fc.tuple(arbitraryMessages.cmpctblock, fc.infiniteStream(tx)).map(([message, stream]) => ({
      ...message,
      prefilled: message.prefilled.map(({ index }) => ({ index, tx: stream.next().value as TransactionView }))
    })),
    block: fc.tuple(arbitraryHeader, transactions).map(([header, transactions]) => ({
      _tag: "block",
      block: BlockView.of({ header, transactions: transactions.map((tx) => tx.materialise()) })
    }))
  }
  const arbitraryOf = (command: Command): fc.Arbitrary<Message> => narrower[command] ?? arbitraryMessages[command]

  it.each(known)("%s is read by bcoin, and written by it to the same bytes", (command) => {
    fc.assert(
      fc.property(arbitraryOf(command), (message) => {
        const payload = encodePayload(message)
        expect(toHex(bcoin.rewrite(command, payload))).toBe(toHex(payload))
      })
    )
  })
})

describeWithData(describe, "captured messages beside bcoin", (data) => {
  const bcoin = bcoinMessages()
  const file = data.json("vectors/p2p/bitcore_messages.json") as Readonly<
    Record<string, Readonly<Record<string, string>>>
  >
  const captured = Object.entries(file).flatMap(([command, { message = "" }]) =>
    message === "" ? [] : [[command, message]]
  )

  it.each(captured)("%s is written again to the same bytes by both", (command = "", frame = "") => {
    const payload = new Uint8Array(Buffer.from(frame, "hex")).subarray(24)
    expect(toHex(bcoin.rewrite(command, payload))).toBe(toHex(payload))
    // `alert` is dead: to us it is a command like any that nobody knows.
    if (command === "alert") return
    const decoded = decodePayload(command as Command, payload)
    expect(Result.isSuccess(decoded) && toHex(encodePayload(decoded.success.value))).toBe(toHex(payload))
  })
})
