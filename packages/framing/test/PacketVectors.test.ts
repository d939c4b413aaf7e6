import { fromHex, toHex } from "@satwire/bytes"
import { bip324Secrets, bip324SharedSecret, portableAead, portableCurve } from "@satwire/crypto"
import { nativeAead, platformAead } from "@satwire/crypto/node"
import { mainnet } from "@satwire/primitives"
import { describeWithData } from "@satwire/testkit"
import { describe, expect, it } from "vitest"
import { EXPANSION, IGNORE_BIT, PacketOpener, PacketSealer } from "../src/PacketCipher.ts"

const NOTHING = new Uint8Array(0)
const bytes = (hex: string | undefined): Uint8Array => fromHex(hex ?? "?") ?? NOTHING

const repeated = (part: Uint8Array, times: number): Uint8Array => {
  const whole = new Uint8Array(part.length * times)
  for (let i = 0; i < times; i++) whole.set(part, i * part.length)
  return whole
}

interface Sealing {
  readonly before: number
  readonly contents: Uint8Array
  readonly associated: Uint8Array
  readonly isDecoy: boolean
}

/** Seals so many empty packets and then this one. */
const sealed = (sealer: PacketSealer, { before, contents, associated, isDecoy }: Sealing): Uint8Array => {
  const empty = new Uint8Array(EXPANSION)
  for (let i = 0; i < before; i++) sealer.seal(empty, 0, 0, false, NOTHING)
  const packet = new Uint8Array(EXPANSION + contents.length)
  packet.set(contents, 4)
  expect(sealer.seal(packet, 0, contents.length, isDecoy, associated)).toBe(packet.length)
  return packet
}

describeWithData(describe, "the packet vectors of BIP-0324", (data) => {
  const [head, ...lines] = data.text("vectors/bip324/packet_encoding_test_vectors.csv").trim().split(/\r?\n/u)
  const columns = (head as string).split(",")
  const rows = lines.map((line): Readonly<Record<string, string>> => {
    const values = line.split(",")
    return Object.fromEntries(columns.map((column, i) => [column, values[i] ?? ""]))
  })

  it.each(rows)("row $in_idx is sealed as the BIP says, by every backend", (row) => {
    const initiating = row["in_initiating"] === "1"
    const ours = { privateKey: bytes(row["in_priv_ours"]), publicKey: bytes(row["in_ellswift_ours"]) }
    const secret = bip324SharedSecret(portableCurve, ours, bytes(row["in_ellswift_theirs"]), initiating)
    const secrets = bip324Secrets(secret, mainnet.magic, initiating)
    for (const aead of [portableAead, nativeAead, platformAead]) {
      const packet = sealed(new PacketSealer(aead, secrets.sendLengthKey, secrets.sendPacketKey), {
        before: Number(row["in_idx"]),
        contents: repeated(bytes(row["in_contents"]), Number(row["in_multiply"])),
        associated: bytes(row["in_aad"]),
        isDecoy: row["in_ignore"] === "1"
      })
      const whole = row["out_ciphertext"] as string
      const ending = whole === "" ? (row["out_ciphertext_endswith"] as string) : whole
      expect(toHex(packet.subarray(-ending.length / 2))).toBe(ending)
      expect(whole === "" || packet.length === whole.length / 2).toBe(true)
    }
  })
})

describe("a packet", () => {
  it("is the BIP's for its first vector, without its table", () => {
    const secret = bytes("c6992a117f5edbea70c3f511d32d26b9798be4b81a62eaee1a5acaa8459a3592")
    const secrets = bip324Secrets(secret, mainnet.magic, true)
    const packet = sealed(new PacketSealer(portableAead, secrets.sendLengthKey, secrets.sendPacketKey), {
      before: 1,
      contents: Uint8Array.of(0x8e),
      associated: NOTHING,
      isDecoy: false
    })
    expect(toHex(packet)).toBe("7530d2a18720162ac09c25329a60d75adf36eda3c3")
  })

  it("is opened by the other side with its header, over many keys", () => {
    const secrets = bip324Secrets(new Uint8Array(32).fill(9), mainnet.magic, true)
    const sealer = new PacketSealer(platformAead, secrets.sendLengthKey, secrets.sendPacketKey)
    const opener = new PacketOpener(portableAead, secrets.sendLengthKey, secrets.sendPacketKey)
    for (let i = 0; i < 700; i++) {
      const contents = Uint8Array.from({ length: i % 300 }, (_, at) => at ^ i)
      const isDecoy = i % 5 === 0
      const packet = sealed(sealer, { before: 0, contents, associated: NOTHING, isDecoy })
      const [low, middle, high] = packet as unknown as readonly [number, number, number]
      expect(opener.contentsSize(low | (middle << 8) | (high << 16))).toBe(contents.length)
      const text = new Uint8Array(1 + contents.length)
      expect(opener.open(NOTHING, packet, 3, packet.length, text, 0)).toBe(true)
      expect(text[0]).toBe(isDecoy ? IGNORE_BIT : 0)
      expect(text.subarray(1)).toEqual(contents)
    }
  })
})
