import { concat, fromHex, toHex } from "@satwire/bytes"
import { portableSha256, portableSignatures, sha256d } from "@satwire/crypto"
import { type Block, BlockView, signet } from "@satwire/primitives"
import { describe, expect, it } from "vitest"
import { BlockContexts, type BlockFault, checkBlock, checkBlockBytes } from "../src/index.ts"
import { blockOf, coinbase, committing, context, inputOf, invalid, mutation, outputOf, spend } from "./GoodBlocks.ts"
import { ListView } from "./ListView.ts"
import { type Solution, type Unsolved, hash160, multisig, publicKeyOf, push, signed, unsolved } from "./SignetBlocks.ts"

const faultOf = (challenge: Uint8Array, block: Block): BlockFault | undefined =>
  checkBlock(portableSha256, BlockView.of(block), { ...context, signetChallenge: challenge }, portableSignatures)

const BAD = invalid("bad-signet-blksig")
const OP_TRUE = Uint8Array.of(0x51)
const NOTHING = new Uint8Array(0)
const keys = [1, 2, 3].map((n) => publicKeyOf(n))
const [key1, key2] = keys as [Uint8Array, Uint8Array, Uint8Array]
const oneOfTwo = multisig(1, [key1, key2])
const twoOfThree = multisig(2, keys)
const payToKey = concat([push(key1), Uint8Array.of(0xac)])
const payToHash = (key: Uint8Array): Uint8Array =>
  concat([Uint8Array.of(0x76, 0xa9), push(hash160(key)), Uint8Array.of(0x88, 0xac)])

/** A script that pushes these. */
const pushing = (...items: ReadonlyArray<Uint8Array>): Solution => ({ scriptSig: concat(items.map(push)) })
const solutionOf = (block: Unsolved, script: Uint8Array, n: number, hashType?: number): Solution =>
  pushing(NOTHING, signed(n, block.baseHash(script, hashType), hashType))

const witnessed = spend(5, { inputs: [inputOf(5, 0, { witness: [Uint8Array.of(1)] })] })

describe("a real signet block", () => {
  // Block 1 of the default signet, whose hash its successor and every explorer names.
  const raw = fromHex(
    "00000020f61eee3b63a380a477a063af32b2bbc97c9ff9f01f2c4225e973988108000000f575c83235984e7dc4afc1f30944c170462e84437ab6f2d5" +
      "2e16878a79e4678bd1914d5fae77031eccf407000101000000000101000000000000000000000000000000000000000000000000000000000000" +
      "0000ffffffff025151feffffff0200f2052a010000001600149243f727dd5343293eb83174324019ec16c2630f0000000000000000776a24aa21" +
      "a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf94c4fecc7daa2490047304402205e423a8754336ca99dbe16" +
      "509b877ef1bf98d008836c725005b3c787c41ebe46022047246e4467ad7cc7f1ad98662afcaf14c115e0095a227c7b05c5182591c23e7e010001" +
      "20000000000000000000000000000000000000000000000000000000000000000000000000"
  ) as Uint8Array<ArrayBuffer>
  const view = new ListView(2016)
  view.add({ time: signet.genesis.time })
  const first = new BlockContexts(signet, view).after(0, 1_598_919_121)

  it("meets the challenge of its network, and no other", () => {
    expect(toHex(sha256d(portableSha256, raw.subarray(0, 80)).reverse())).toBe(
      "00000086d6b2636cb2a392d45edc4ec544a10024d30141c9adf4bfd9de533b53"
    )
    expect(checkBlockBytes(portableSha256, raw, first, portableSignatures)).toBeUndefined()
    const both = fromHex(`52${signet.signetChallenge?.slice(2)}`) as Uint8Array
    expect(checkBlockBytes(portableSha256, raw, { ...first, signetChallenge: both }, portableSignatures)).toEqual(BAD)
  })
})

describe("a challenge of keys", () => {
  const block = unsolved(oneOfTwo, [spend(1), witnessed])

  it("is met by the signature of one of them", () => {
    for (const n of [1, 2]) expect(faultOf(oneOfTwo, block.solve(solutionOf(block, oneOfTwo, n)))).toBeUndefined()
    expect(faultOf(oneOfTwo, block.solve(solutionOf(block, oneOfTwo, 3)))).toEqual(BAD)
  })

  it("is met under every hash type, and one that was signed under another is not", () => {
    for (const hashType of [0, 1, 2, 3, 4, 0x81, 0x82, 0x83, 0xff]) {
      expect(faultOf(oneOfTwo, block.solve(solutionOf(block, oneOfTwo, 1, hashType)))).toBeUndefined()
    }
    const other = signed(1, block.baseHash(oneOfTwo, 1), 0x81)
    expect(faultOf(oneOfTwo, block.solve(pushing(NOTHING, other)))).toEqual(BAD)
  })

  it("is not met by a signature of another block, nor by none", () => {
    const another = unsolved(oneOfTwo, [spend(2), witnessed])
    expect(faultOf(oneOfTwo, block.solve(solutionOf(another, oneOfTwo, 1)))).toEqual(BAD)
    expect(faultOf(oneOfTwo, block.solve({}))).toEqual(BAD)
    expect(faultOf(oneOfTwo, block.solve(NOTHING))).toEqual(BAD)
    expect(faultOf(oneOfTwo, blockOf([coinbase(), spend(1)]))).toEqual(BAD)
  })

  it("is not met once version, parent, time or root change, but for any nonce and bits", () => {
    const good = block.solve(solutionOf(block, oneOfTwo, 1))
    const { header } = good
    const previousBlock = header.previousBlock.slice() as typeof header.previousBlock
    previousBlock[0] = 1
    for (const change of [{ version: 1 }, { previousBlock }, { time: header.time + 1 }]) {
      expect(faultOf(oneOfTwo, { ...good, header: { ...header, ...change } })).toEqual(BAD)
    }
    for (const change of [{ nonce: 7 }, { bits: 1 }]) {
      expect(faultOf(oneOfTwo, { ...good, header: { ...header, ...change } })).toBeUndefined()
    }
    const transactions = [...good.transactions.slice(0, -1), spend(7)]
    expect(faultOf(oneOfTwo, { ...good, transactions })).toEqual(mutation("bad-txnmrklroot"))
    expect(faultOf(oneOfTwo, blockOf(transactions))).toEqual(BAD)
  })

  it("of several needs as many signatures in the order of the keys", () => {
    const many = unsolved(twoOfThree)
    const by = (...signers: ReadonlyArray<number>): BlockFault | undefined =>
      faultOf(twoOfThree, many.solve(pushing(NOTHING, ...signers.map((n) => signed(n, many.baseHash(twoOfThree))))))
    for (const signers of [
      [1, 2],
      [1, 3],
      [2, 3]
    ]) {
      expect(by(...signers)).toBeUndefined()
    }
    for (const signers of [[1], [2, 1], [3, 1], [1, 1], [1, 4]]) expect(by(...signers)).toEqual(BAD)
    // Of three the first is the item that must be empty.
    expect(by(1, 2, 3)).toEqual(BAD)
  })

  it("wants an empty extra item and strict DER, and no witness", () => {
    const signature = signed(1, block.baseHash(oneOfTwo))
    const loose = concat([Uint8Array.of(0x30, (signature[1] as number) + 1, 2, 0x21, 0), signature.subarray(4)])
    for (const solution of [
      pushing(Uint8Array.of(0), signature),
      pushing(Uint8Array.of(1), signature),
      pushing(signature),
      pushing(NOTHING, signature.subarray(0, -1)),
      pushing(NOTHING, NOTHING),
      pushing(NOTHING, loose),
      { ...pushing(NOTHING, signature), witness: [NOTHING] },
      { scriptSig: concat([push(NOTHING), push(signature), Uint8Array.of(0x61)]) },
      { scriptSig: concat([push(NOTHING), push(signature), Uint8Array.of(5, 1)]) },
      { scriptSig: Uint8Array.of(...push(new Uint8Array(521)), ...push(NOTHING), ...push(signature)) }
    ]) {
      expect(faultOf(oneOfTwo, block.solve(solution))).toEqual(BAD)
    }
    const padded = pushing(Uint8Array.of(9), NOTHING, signature)
    expect(faultOf(oneOfTwo, block.solve(padded))).toBeUndefined()
    const numbers = { scriptSig: concat([Uint8Array.of(0x4f, 0x51, 0x60, 0x4c, 0), push(signature)]) }
    expect(faultOf(oneOfTwo, block.solve(numbers))).toBeUndefined()
  })
})

describe("where a solution stands", () => {
  const block = unsolved(oneOfTwo)
  const solution = concat([Uint8Array.of(0xec, 0xc7, 0xda, 0xa2, 0), Uint8Array.of(0)])
  const spendOf = (behind: Uint8Array): Block => unsolved(OP_TRUE).solve(behind)

  it("is the first push that begins with the header and holds more, whatever else is pushed", () => {
    const good = solutionOf(block, oneOfTwo, 1)
    const pushed = push(
      concat([
        Uint8Array.of(0xec, 0xc7, 0xda, 0xa2, good.scriptSig?.length ?? 0),
        good.scriptSig ?? NOTHING,
        Uint8Array.of(0)
      ])
    )
    expect(faultOf(oneOfTwo, block.solve(pushed))).toBeUndefined()
    // More in the commitment changes what is signed.
    expect(faultOf(oneOfTwo, block.solve(concat([pushed, push(solution)])))).toEqual(BAD)
    expect(faultOf(oneOfTwo, block.solve(concat([push(solution), pushed])))).toEqual(BAD)
  })

  it("is not in what follows, which is signed", () => {
    for (const more of [push(solution), concat([push(Uint8Array.of(1)), push(solution)])]) {
      const signedMore = unsolved(oneOfTwo, [], more)
      expect(faultOf(oneOfTwo, signedMore.solve(solutionOf(signedMore, oneOfTwo, 1)))).toBeUndefined()
      expect(faultOf(oneOfTwo, signedMore.solve(solutionOf(block, oneOfTwo, 1)))).toEqual(BAD)
    }
  })

  it("may push as much as a script may", () => {
    const items = (count: number, length: number): Solution =>
      pushing(...Array.from({ length: count }, () => new Uint8Array(length)))
    for (const good of [items(999, 0), items(19, 520)])
      expect(faultOf(OP_TRUE, unsolved(OP_TRUE).solve(good))).toBeUndefined()
    for (const bad of [items(1000, 0), items(20, 520), items(1, 521)]) {
      expect(faultOf(OP_TRUE, unsolved(OP_TRUE).solve(bad))).toEqual(BAD)
    }
  })

  it("may be nowhere, or empty, for OP_TRUE", () => {
    expect(faultOf(OP_TRUE, spendOf(NOTHING))).toBeUndefined()
    expect(faultOf(OP_TRUE, spendOf(push(solution)))).toBeUndefined()
    expect(faultOf(OP_TRUE, spendOf(push(Uint8Array.of(1, 2, 3))))).toBeUndefined()
    expect(faultOf(OP_TRUE, spendOf(push(solution.subarray(0, 4))))).toBeUndefined()
    expect(faultOf(OP_TRUE, unsolved(OP_TRUE).solve(pushing(Uint8Array.of(7))))).toBeUndefined()
  })

  it("is in a commitment to witnesses, which every signet block has", () => {
    expect(faultOf(OP_TRUE, blockOf([coinbase()]))).toEqual(BAD)
    expect(faultOf(OP_TRUE, blockOf(committing([coinbase()])))).toBeUndefined()
    expect(faultOf(OP_TRUE, { ...blockOf([]), transactions: [] })).toEqual(BAD)
  })

  it("holds a script, a witness and nothing more", () => {
    for (const rest of [[0], [1], [0, 1], [0, 0, 0], [2, 0, 0], [0xfd, 0, 0, 0], [0, 1, 5, 1]]) {
      const bytes = Uint8Array.of(0xec, 0xc7, 0xda, 0xa2, ...rest)
      expect(faultOf(OP_TRUE, spendOf(push(bytes)))).toEqual(BAD)
    }
  })

  it("may be in a push of an odd form, which is signed in the usual one", () => {
    const odd = concat([Uint8Array.of(0x4e, solution.length, 0, 0, 0), solution])
    expect(faultOf(OP_TRUE, spendOf(odd))).toBeUndefined()
    const good = solutionOf(block, oneOfTwo, 1).scriptSig ?? NOTHING
    const bytes = concat([solution.subarray(0, 4), Uint8Array.of(good.length), good, Uint8Array.of(0)])
    const long = concat([Uint8Array.of(0x4d, bytes.length, 0), bytes])
    expect(faultOf(oneOfTwo, block.solve(long))).toBeUndefined()
    // What is cut short behind it is not signed.
    expect(faultOf(oneOfTwo, block.solve(concat([long, Uint8Array.of(9, 1)])))).toBeUndefined()
    expect(faultOf(oneOfTwo, block.solve(concat([long, Uint8Array.of(0x51)])))).toEqual(BAD)
  })
})

describe("other forms of challenge", () => {
  it("pay to a key", () => {
    const block = unsolved(payToKey)
    const hash = block.baseHash(payToKey)
    expect(faultOf(payToKey, block.solve(pushing(signed(1, hash))))).toBeUndefined()
    expect(faultOf(payToKey, block.solve(pushing(signed(2, hash))))).toEqual(BAD)
    const plain = concat([push(publicKeyOf(1, false)), Uint8Array.of(0xac)])
    const ofPlain = unsolved(plain)
    expect(faultOf(plain, ofPlain.solve(pushing(signed(1, ofPlain.baseHash(plain)))))).toBeUndefined()
  })

  it("pay to the hash of a key", () => {
    const script = payToHash(key1)
    const block = unsolved(script)
    const hash = block.baseHash(script)
    expect(faultOf(script, block.solve(pushing(signed(1, hash), key1)))).toBeUndefined()
    expect(faultOf(script, block.solve(pushing(signed(2, hash), key2)))).toEqual(BAD)
    expect(faultOf(script, block.solve(pushing(signed(2, hash), key1)))).toEqual(BAD)
    expect(faultOf(script, block.solve(pushing(key1)))).toEqual(BAD)
  })

  it("pay to the hash of a key, by witness", () => {
    const script = concat([Uint8Array.of(0), push(hash160(key1))])
    const block = unsolved(script)
    for (const hashType of [1, 2, 3, 0x81, 0x82, 0x83]) {
      const signature = signed(1, block.witnessHash(payToHash(key1), hashType), hashType)
      expect(faultOf(script, block.solve({ witness: [signature, key1] }))).toBeUndefined()
    }
    const signature = signed(1, block.witnessHash(payToHash(key1)))
    for (const solution of [
      { witness: [signature, key2] },
      { witness: [signature] },
      { witness: [NOTHING, signature, key1] },
      { witness: [signature, key1], scriptSig: Uint8Array.of(0) },
      { witness: [signed(1, block.baseHash(payToHash(key1))), key1] },
      pushing(signature, key1),
      {}
    ]) {
      expect(faultOf(script, block.solve(solution))).toEqual(BAD)
    }
  })

  it.each([
    ["keys", twoOfThree, (hash: Uint8Array) => [NOTHING, signed(1, hash), signed(3, hash)]],
    ["a key", payToKey, (hash: Uint8Array) => [signed(1, hash)]],
    ["anything", OP_TRUE, () => []]
  ] as const)("pay to the hash of a script of %s, by witness", (_, inner, sign) => {
    const script = concat([Uint8Array.of(0), push(portableDigest(inner))])
    const block = unsolved(script)
    const items = sign(block.witnessHash(inner))
    expect(faultOf(script, block.solve({ witness: [...items, inner] }))).toBeUndefined()
    expect(faultOf(script, block.solve({ witness: [NOTHING, ...items, inner] }))).toEqual(BAD)
    expect(faultOf(script, block.solve({ witness: [...items, oneOfTwo] }))).toEqual(BAD)
    expect(faultOf(script, block.solve({ witness: items }))).toEqual(BAD)
  })

  it("are refused where they are not known, before there is any block", () => {
    const from = (challenge: string): BlockContexts =>
      new BlockContexts({ ...signet, name: "mine", signetChallenge: challenge }, new ListView(2016))
    for (const script of [oneOfTwo, twoOfThree, payToKey, payToHash(key1), OP_TRUE]) {
      expect(() => from(toHex(script))).not.toThrow()
    }
    expect(() => from(signet.signetChallenge ?? "")).not.toThrow()
    for (const challenge of ["", "52", `5120${"11".repeat(32)}`, `a914${"11".repeat(20)}87`, "5151", "6a"]) {
      expect(() => from(challenge)).toThrow("the challenge of mine has a form that is not verified here")
    }
    expect(() => from("5")).toThrow("not hexadecimal")
  })
})

const portableDigest = (bytes: Uint8Array): Uint8Array => {
  const digest = new Uint8Array(32)
  portableSha256.sha256(bytes, 0, bytes.length, digest, 0)
  return digest
}

describe("a solution", () => {
  it("is looked for in the last commitment, and a block that is a mutation is named so first", () => {
    const block = unsolved(oneOfTwo, [witnessed])
    const good = block.solve(solutionOf(block, oneOfTwo, 1))
    const [first, ...others] = good.transactions
    const stripped = { ...good, transactions: [{ ...(first ?? coinbase()), inputs: coinbase().inputs }, ...others] }
    expect(faultOf(oneOfTwo, stripped)).toEqual(mutation("bad-witness-nonce-size", 0))
    const later = outputOf(0n, [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed, ...new Uint8Array(32)])
    const outputs = [...(first?.outputs ?? []), later]
    expect(faultOf(oneOfTwo, blockOf([{ ...(first ?? coinbase()), outputs }, ...others]))).toEqual(BAD)
  })
})
