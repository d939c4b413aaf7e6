import { ripemd160 } from "@noble/hashes/legacy.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { concat, toHex } from "@satwire/bytes"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import {
  BlockView,
  type Transaction,
  type TxInput,
  ZERO_HASH,
  recognizeOutput,
  regtest,
  transactionWeight,
  txid
} from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import {
  ANYONE_CAN_SPEND,
  ANYONE_CAN_SPEND_P2SH,
  ANYONE_CAN_SPEND_P2WSH,
  MAX_SPLIT,
  REMEMBERED_SPENDS,
  Spender,
  coinbase
} from "../src/index.ts"

const OP_TRUE = Uint8Array.of(0x51)
const keyOf = (id: Uint8Array, index: number): string => `${toHex(id)}:${index}`
const ids = new WeakMap<Transaction, Uint8Array>()
const idOf = (tx: Transaction): Uint8Array => {
  const id = ids.get(tx) ?? txid(portableSha256, tx)
  ids.set(tx, id)
  return id
}

/** Whether the input spends an output of this script, for scripts that anybody may spend. */
const unlocks = ({ scriptSig, witness }: TxInput, script: Uint8Array): boolean => {
  const form = recognizeOutput(script)
  if (form._tag === "p2sh") {
    const redeem = scriptSig.subarray(1)
    const isPushed = scriptSig[0] === redeem.length && toHex(redeem) === toHex(OP_TRUE) && witness.length === 0
    return isPushed && toHex(ripemd160(sha256(redeem))) === toHex(form.hash)
  }
  if (form._tag === "p2wsh") {
    const [item = new Uint8Array(0), ...rest] = witness
    return (
      scriptSig.length + rest.length === 0 && toHex(item) === toHex(OP_TRUE) && toHex(sha256(item)) === toHex(form.hash)
    )
  }
  return toHex(script) === toHex(OP_TRUE) && scriptSig.length === 0 && witness.length === 0
}

/** A chain of blocks that nobody had to work for, and what is unspent in it, by replaying all of it. */
class Ledger {
  readonly spender: Spender
  readonly blocks: Array<ReadonlyArray<Transaction>> = []
  /** What was made and no block has. */
  waiting: Array<Transaction> = []
  #salt = 0

  constructor(seed = 1) {
    this.spender = new Spender({ sha256: portableSha256, random: ChaChaRandom.fromNumber(seed) })
  }

  get height(): number {
    return this.blocks.length
  }

  mine(transactions: ReadonlyArray<Transaction> = [], payTo = ANYONE_CAN_SPEND_P2WSH): Transaction {
    const height = this.height + 1
    const options = { params: regtest, height, extraNonce: this.#salt++, fees: 0n, commitment: undefined }
    const first = coinbase({ ...options, scriptPubKey: payTo })
    const block = [first, ...transactions]
    this.blocks.push(block)
    this.waiting = this.waiting.filter((tx) => !transactions.includes(tx))
    this.spender.connected(viewOf(block), height)
    return first
  }

  mineMany(count: number, payTo?: Uint8Array): ReadonlyArray<Transaction> {
    return Array.from({ length: count }, () => this.mine([], payTo))
  }

  leave(): ReadonlyArray<Transaction> {
    const block = this.blocks.pop() as ReadonlyArray<Transaction>
    this.spender.disconnected(viewOf(block), this.height + 1)
    this.waiting.unshift(...block.slice(1))
    return block
  }

  spend(options?: Parameters<Spender["spend"]>[0]): Transaction | undefined {
    const tx = this.spender.spend(options)
    if (tx !== undefined) this.waiting.push(tx)
    return tx
  }

  /** The unspent outputs of the chain, then of what waits, which must be sound in its order. */
  unspent(): Map<string, { readonly amount: number; readonly height: number; readonly isCoinbase: boolean }> {
    const unspent = new Map<string, { amount: number; height: number; isCoinbase: boolean; script: Uint8Array }>()
    const apply = (tx: Transaction, height: number, isCoinbase: boolean): void => {
      for (const input of tx.inputs) {
        if (isCoinbase) continue
        const key = keyOf(input.previousOutput.txid, input.previousOutput.index)
        const coin = unspent.get(key)
        if (coin === undefined) throw new Error(`${key} is not there`)
        if (!unlocks(input, coin.script)) throw new Error(`${key} is not unlocked`)
        if (coin.isCoinbase && height - coin.height < 100) throw new Error(`${key} is young`)
        unspent.delete(key)
      }
      tx.outputs.forEach(({ amount, scriptPubKey }, index) => {
        unspent.set(keyOf(idOf(tx), index), { amount: Number(amount), height, isCoinbase, script: scriptPubKey })
      })
    }
    this.blocks.forEach((block, i) => block.forEach((tx, k) => apply(tx, i + 1, k === 0)))
    const ofChain = new Map(unspent)
    for (const tx of this.waiting) apply(tx, this.height + 1, false)
    return new Map([...ofChain].map(([key, { amount, height, isCoinbase }]) => [key, { amount, height, isCoinbase }]))
  }
}

const viewOf = (transactions: ReadonlyArray<Transaction>): BlockView =>
  BlockView.of({
    header: { version: 2, previousBlock: ZERO_HASH, merkleRoot: new Uint8Array(32), time: 0, bits: 0, nonce: 0 },
    transactions
  })

const sum = (tx: Transaction): number => tx.outputs.reduce((all, { amount }) => all + Number(amount), 0)
const COINBASE = 5_000_000_000

describe("an output that anybody may spend", () => {
  it("is OP_TRUE, or the hash of it as a script or as a witness", () => {
    expect(ANYONE_CAN_SPEND).toEqual(OP_TRUE)
    expect(ANYONE_CAN_SPEND_P2SH).toEqual(
      concat([Uint8Array.of(0xa9, 20), ripemd160(sha256(OP_TRUE)), Uint8Array.of(0x87)])
    )
    expect(ANYONE_CAN_SPEND_P2WSH).toEqual(concat([Uint8Array.of(0, 32), sha256(OP_TRUE)]))
  })
})

describe("a spender", () => {
  it("spends a coinbase from the hundredth block on, and none twice", () => {
    const ledger = new Ledger()
    const first = ledger.mine()
    ledger.mineMany(98)
    expect(ledger.spend()).toBeUndefined()
    ledger.mine()
    const spent = ledger.spend({ fromUnconfirmed: false })
    expect(spent?.inputs[0]?.previousOutput).toEqual({ txid: idOf(first), index: 0 })
    expect(ledger.spend({ fromUnconfirmed: false })).toBeUndefined()
    ledger.unspent()
  })

  it.each([
    ["OP_TRUE", ANYONE_CAN_SPEND, false],
    ["its hash", ANYONE_CAN_SPEND_P2SH, false],
    ["its hash as a witness", ANYONE_CAN_SPEND_P2WSH, true]
  ])("unlocks %s, and pays the fee rate that was asked for", (_, payTo, hasWitness) => {
    const ledger = new Ledger()
    ledger.mineMany(100, payTo)
    const tx = ledger.spend({ outputs: 3, feeRateSatPerKvb: 12_345, payTo: Uint8Array.of(0x6a) }) as Transaction
    const fee = Math.ceil((12_345 * Math.ceil(transactionWeight(tx) / 4)) / 1000)
    expect([COINBASE - sum(tx), tx.outputs.length]).toEqual([fee, 3])
    expect(tx.inputs[0]?.witness.length === 1).toBe(hasWitness)
    ledger.unspent()
  })

  it("spends what it made itself at once, at most 25 transactions that hang together", () => {
    const ledger = new Ledger()
    ledger.mineMany(100)
    const made = ledger.spender.spendMany(60)
    expect(made.length).toBe(25)
    ledger.waiting.push(...made)
    ledger.unspent()
    ledger.mine(made)
    expect(ledger.spender.spendMany(3).length).toBe(3)
  })

  it("splits an output into many, of which each begins anew once a block has them", () => {
    const ledger = new Ledger()
    ledger.mineMany(100)
    ledger.mine([ledger.spend({ outputs: 500 }) as Transaction])
    const made = ledger.spender.spendMany(500, { fromUnconfirmed: false })
    expect(made.length).toBe(500)
    expect(new Set(made.map((tx) => toHex(idOf(tx)))).size).toBe(500)
    expect(() => ledger.spend({ outputs: MAX_SPLIT + 1 })).toThrow(RangeError)
    expect(() => ledger.spend({ outputs: 0 })).toThrow(RangeError)
  })

  it("makes the same of the same seed", () => {
    const [a, b, c] = [1, 1, 2].map((seed) => {
      const ledger = new Ledger(seed)
      ledger.mineMany(120)
      return ledger.spender.spendMany(20).map((tx) => toHex(idOf(tx)))
    })
    expect(a).toEqual(b)
    expect(a).not.toEqual(c)
  })

  it("makes nothing of what would be dust", () => {
    const ledger = new Ledger()
    ledger.mineMany(100)
    expect(ledger.spend({ feeRateSatPerKvb: 1e12 })).toBeUndefined()
    expect(ledger.spend({ outputs: 2000, feeRateSatPerKvb: 1000 })).toBeDefined()
  })

  it("spends again what it spent in a transaction that nobody took", () => {
    const ledger = new Ledger()
    ledger.mineMany(100)
    const [first, second] = ledger.spender.spendMany(2) as [Transaction, Transaction]
    expect(second.inputs[0]?.previousOutput.txid).toEqual(idOf(first))
    ledger.spender.forget(first)
    expect(ledger.spender.spendable).toBe(1)
    const again = ledger.spend({ feeRateSatPerKvb: 7 }) as Transaction
    // What was forgotten already says nothing about what took its place.
    ledger.spender.forget(first)
    expect(again.inputs).toEqual(first.inputs)
    expect(ledger.spender.spendable).toBe(2)
  })

  it("lets go what it made where a block spends the same otherwise", () => {
    const ledger = new Ledger()
    ledger.mineMany(100)
    const [first] = ledger.spender.spendMany(4) as [Transaction]
    const other = { ...first, outputs: [{ amount: first.outputs[0]?.amount ?? (0n as never), scriptPubKey: OP_TRUE }] }
    ledger.mine([other])
    const next = ledger.spender.spendMany(1, { outputs: 1 })[0] as Transaction
    const from = [idOf(other), idOf(ledger.blocks[1]?.[0] as Transaction)].map(toHex)
    expect(from).toContain(toHex(next.inputs[0]?.previousOutput.txid ?? new Uint8Array(0)))
  })

  it("says of what no block has made yet that the chain has it not, so that a pool asks for its parent", () => {
    const ledger = new Ledger()
    ledger.mineMany(100)
    const tx = ledger.spend() as Transaction
    expect(ledger.spender.coin(idOf(tx), 0)).toBe("missing")
    ledger.mine([tx])
    expect(ledger.spender.coin(idOf(tx), 0)).toMatchObject({ height: 101 })
    ledger.leave()
    expect(ledger.spender.coin(idOf(tx), 0)).toBe("missing")
  })

  it("remembers for 288 blocks that the chain has spent a coin", () => {
    const ledger = new Ledger()
    const first = ledger.mine()
    ledger.mineMany(99)
    ledger.mine([ledger.spend() as Transaction])
    expect(ledger.spender.coin(idOf(first), 0)).toBe("missing")
    ledger.mineMany(REMEMBERED_SPENDS - 1)
    expect(ledger.spender.coin(idOf(first), 0)).toBe("missing")
    ledger.mine()
    expect(ledger.spender.coin(idOf(first), 0)).toBeUndefined()
    expect(ledger.spender.coin(idOf(first), 1)).toBeUndefined()
  })
})

describe("through blocks that come and leave", () => {
  it("all that waits is sound, and the coins are those of the chain", () => {
    for (let seed = 1; seed <= 4; seed++) {
      const random = ChaChaRandom.fromNumber(seed)
      const ledger = new Ledger(seed)
      const scripts = [ANYONE_CAN_SPEND, ANYONE_CAN_SPEND_P2SH, ANYONE_CAN_SPEND_P2WSH]
      const script = (): Uint8Array => scripts[random.below(3)] as Uint8Array
      ledger.mineMany(105, script())
      const named = new Map<string, readonly [Uint8Array, number]>()
      for (let step = 0; step < 30; step++) {
        const chance = random.below(10)
        for (let i = random.below(6); i > 0; i--) ledger.spend({ outputs: 1 + random.below(4), payTo: script() })
        if (chance < 5) ledger.mine(ledger.waiting.slice(0, random.below(ledger.waiting.length + 1)), script())
        else if (chance < 7) {
          for (let i = random.below(3); i >= 0; i--) {
            // What depends on a coinbase that left is gone.
            const gone = new Set([toHex(idOf(ledger.leave()[0] as Transaction))])
            ledger.waiting = ledger.waiting.filter((tx) => {
              const isGone = tx.inputs.some(({ previousOutput }) => gone.has(toHex(previousOutput.txid)))
              if (isGone) gone.add(toHex(idOf(tx)))
              return !isGone
            })
          }
        }
        // What spends a coinbase that is young again waits for another day.
        const unspent = soundPart(ledger)
        for (const tx of [...ledger.blocks.flat(), ...ledger.waiting]) {
          tx.outputs.forEach((_, index) => named.set(keyOf(idOf(tx), index), [idOf(tx), index]))
        }
        for (const [key, [id, index]] of named) {
          const coin = ledger.spender.coin(id, index)
          if (coin !== "missing") expect(coin).toEqual(unspent.get(key))
          else expect(unspent.has(key)).toBe(false)
        }
      }
    }
  })
})

/** The coins of the chain. Of what waits, what comes too early for its coinbase is not looked at. */
const soundPart = (ledger: Ledger): ReturnType<Ledger["unspent"]> => {
  for (;;) {
    try {
      return ledger.unspent()
    } catch (error) {
      if (!String(error).includes("is young")) throw error
      const young = String(error).split(" ")[1]?.split(":")[0]
      const late = ledger.waiting.filter((tx) => tx.inputs.some((each) => toHex(each.previousOutput.txid) === young))
      for (const tx of late) ledger.spender.forget(tx)
      const gone = new Set(late.map((tx) => toHex(idOf(tx))))
      ledger.waiting = ledger.waiting.filter((tx) => {
        const isGone = late.includes(tx) || tx.inputs.some(({ previousOutput }) => gone.has(toHex(previousOutput.txid)))
        if (isGone) gone.add(toHex(idOf(tx)))
        return !isGone
      })
    }
  }
}
