import { chacha20, chacha20poly1305 } from "@noble/ciphers/chacha.js"
import { toHex } from "@satwire/bytes"
import { describeWithData } from "@satwire/testkit"
import { describe, expect, it } from "vitest"
import {
  type Bip324Secrets,
  ChaChaRandom,
  FsChaCha20,
  FsChaCha20Poly1305,
  bip324Secrets,
  bip324SharedSecret,
  ellSwiftDecode,
  ellSwiftSharedX,
  portableAead,
  portableCurve
} from "../src/index.ts"
import { bytes, rowsOf } from "./Bip324Vectors.ts"

const MAINNET = 0xd9b4bef9
const random = ChaChaRandom.fromNumber(3)

/** The BIP's `FSChaCha20`, as it is written there. */
const naiveLengths = (initial: Uint8Array) => {
  let key = initial
  let [block, chunk] = [0, 0]
  let stream: Array<number> = []
  const take = (count: number): ReadonlyArray<number> => {
    while (stream.length < count) {
      const nonce = new Uint8Array(12)
      new DataView(nonce.buffer).setBigUint64(4, BigInt(Math.floor(chunk / 224)), true)
      stream.push(...chacha20(key, nonce, new Uint8Array(64), undefined, block++))
    }
    const taken = stream.slice(0, count)
    stream = stream.slice(count)
    return taken
  }
  return (length: number): number => {
    const mask = take(3)
    if ((chunk + 1) % 224 === 0) {
      key = Uint8Array.from(take(32))
      block = 0
    }
    chunk += 1
    return length ^ mask.reduce((sum, byte, i) => sum | (byte << (8 * i)), 0)
  }
}

/** The BIP's `FSChaCha20Poly1305`. */
const naivePackets = (initial: Uint8Array) => {
  let key = initial
  let counter = 0
  return (associated: Uint8Array, text: Uint8Array): Uint8Array => {
    const nonce = new Uint8Array(12)
    const view = new DataView(nonce.buffer)
    view.setUint32(0, counter % 224, true)
    view.setBigUint64(4, BigInt(Math.floor(counter / 224)), true)
    const sealed = chacha20poly1305(key, nonce, associated).encrypt(text)
    if ((counter + 1) % 224 === 0) {
      view.setUint32(0, 0xffffffff, true)
      key = chacha20poly1305(key, nonce).encrypt(new Uint8Array(32)).slice(0, 32)
    }
    counter += 1
    return sealed
  }
}

describe("FSChaCha20", () => {
  it("gives the stream that the BIP's own words give, over many keys, and decrypts what it encrypted", () => {
    const key = random.bytes(32)
    const [ours, theirs, naive] = [new FsChaCha20(key), new FsChaCha20(key), naiveLengths(key)]
    for (let i = 0; i < 224 * 5 + 3; i++) {
      const length = random.below(1 << 24)
      const encrypted = ours.crypt(length)
      expect(encrypted).toBe(naive(length))
      expect(theirs.crypt(encrypted)).toBe(length)
    }
  })
})

describe("FSChaCha20Poly1305", () => {
  it("seals what the BIP's own words seal, over many keys, and opens it", () => {
    const key = random.bytes(32)
    const sealer = new FsChaCha20Poly1305(portableAead, key)
    const opener = new FsChaCha20Poly1305(portableAead, key)
    const naive = naivePackets(key)
    for (let i = 0; i < 224 * 4 + 3; i++) {
      const text = random.bytes(i % 90)
      const associated = random.bytes(i % 7 === 0 ? 30 : 0)
      const sealed = new Uint8Array(text.length + 16)
      sealer.seal(associated, text, 0, text.length, sealed, 0)
      expect(toHex(sealed)).toBe(toHex(naive(associated, text)))
      const opened = new Uint8Array(text.length)
      expect(opener.open(associated, sealed, 0, sealed.length, opened, 0)).toBe(true)
      expect(opened).toEqual(text)
    }
  })

  it("does not open the same packet twice", () => {
    const key = random.bytes(32)
    const sealed = new Uint8Array(20)
    new FsChaCha20Poly1305(portableAead, key).seal(new Uint8Array(0), Uint8Array.of(1, 2, 3, 4), 0, 4, sealed, 0)
    const opener = new FsChaCha20Poly1305(portableAead, key)
    const open = (): boolean => opener.open(new Uint8Array(0), sealed, 0, 20, new Uint8Array(4), 0)
    expect([open(), open()]).toEqual([true, false])
  })
})

/** What a vector says of the secrets, in the names of {@link Bip324Secrets}. */
const secretsOf = (
  row: Readonly<Record<string, string>>
): Readonly<Record<keyof Bip324Secrets, string | undefined>> => {
  const [ours, theirs] = row["in_initiating"] === "1" ? ["initiator", "responder"] : ["responder", "initiator"]
  return {
    sessionId: row["out_session_id"],
    sendLengthKey: row[`mid_${ours}_l`],
    sendPacketKey: row[`mid_${ours}_p`],
    receiveLengthKey: row[`mid_${theirs}_l`],
    receivePacketKey: row[`mid_${theirs}_p`],
    sendTerminator: row["mid_send_garbage_terminator"],
    receiveTerminator: row["mid_recv_garbage_terminator"]
  }
}

describeWithData(describe, "the vectors of BIP-0324", (data) => {
  it.each(rowsOf(data, "packet_encoding_test_vectors"))(
    "row $in_idx: both x, the shared secret and all keys",
    (row) => {
      const initiating = row["in_initiating"] === "1"
      const ours = { privateKey: bytes(row["in_priv_ours"]), publicKey: bytes(row["in_ellswift_ours"]) }
      const theirs = bytes(row["in_ellswift_theirs"])
      expect(toHex(ellSwiftDecode(ours.publicKey))).toBe(row["mid_x_ours"])
      expect(toHex(ellSwiftDecode(theirs))).toBe(row["mid_x_theirs"])
      expect(toHex(ellSwiftSharedX(portableCurve, ours.privateKey, theirs))).toBe(row["mid_x_shared"])
      const secret = bip324SharedSecret(portableCurve, ours, theirs, initiating)
      expect(toHex(secret)).toBe(row["mid_shared_secret"])
      const secrets = bip324Secrets(secret, MAINNET, initiating)
      const told = Object.fromEntries(
        Object.entries(secrets).map(([name, value]) => [name, toHex(value as Uint8Array)])
      )
      expect(told).toEqual(secretsOf(row))
    }
  )
})

describe("the secrets of a connection", () => {
  it("are crossed: what one side sends with the other receives with", () => {
    const secret = random.bytes(32)
    const a = bip324Secrets(secret, MAINNET, true)
    const b = bip324Secrets(secret, MAINNET, false)
    expect(a.sessionId).toEqual(b.sessionId)
    expect(a.sendLengthKey).toEqual(b.receiveLengthKey)
    expect(a.sendPacketKey).toEqual(b.receivePacketKey)
    expect(a.sendTerminator).toEqual(b.receiveTerminator)
    expect(b.sendLengthKey).toEqual(a.receiveLengthKey)
    expect(b.sendPacketKey).toEqual(a.receivePacketKey)
    expect(b.sendTerminator).toEqual(a.receiveTerminator)
  })

  it("are others on another network", () => {
    const secret = random.bytes(32)
    const [here, there] = [MAINNET, MAINNET + 1].map((magic) => bip324Secrets(secret, magic, true))
    for (const [name, value] of Object.entries(here as Bip324Secrets)) {
      expect(toHex((there as Bip324Secrets)[name as keyof Bip324Secrets])).not.toBe(toHex(value as Uint8Array))
    }
  })

  it("are the BIP's for its first packet vector", () => {
    const secret = bytes("c6992a117f5edbea70c3f511d32d26b9798be4b81a62eaee1a5acaa8459a3592")
    expect(toHex(bip324Secrets(secret, MAINNET, true).sessionId)).toBe(
      "ce72dffb015da62b0d0f5474cab8bc72605225b0cee3f62312ec680ec5f41ba5"
    )
  })
})
