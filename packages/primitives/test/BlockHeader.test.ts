import { decode } from "@satwire/bytes"
import { portableSha256 } from "@satwire/crypto"
import { arbitraryHeader } from "@satwire/testkit"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  HEADER_BITS,
  HEADER_MERKLE_ROOT,
  HEADER_NONCE,
  HEADER_PREVIOUS,
  HEADER_SIZE,
  HEADER_TIME,
  encodeHeader,
  genesisHeader,
  headerHash,
  mainnet,
  readHeader,
  toHex
} from "../src/index.ts"

describe("a block header", () => {
  it("takes 80 bytes and is read back, whatever its fields", () => {
    fc.assert(
      fc.property(arbitraryHeader, (header) => {
        const raw = encodeHeader(header)
        expect(raw.length).toBe(HEADER_SIZE)
        expect(decode(raw, readHeader)).toEqual(Result.succeed({ value: header, bytesLeft: 0 }))
      })
    )
  })

  it("has its fields where the offsets say", () => {
    fc.assert(
      fc.property(arbitraryHeader, (header) => {
        const raw = encodeHeader(header)
        const view = new DataView(raw.buffer, raw.byteOffset)
        expect(view.getInt32(0, true)).toBe(header.version)
        expect(raw.slice(HEADER_PREVIOUS, HEADER_PREVIOUS + 32)).toEqual(header.previousBlock)
        expect(raw.slice(HEADER_MERKLE_ROOT, HEADER_MERKLE_ROOT + 32)).toEqual(header.merkleRoot)
        expect(view.getUint32(HEADER_TIME, true)).toBe(header.time)
        expect(view.getUint32(HEADER_BITS, true)).toBe(header.bits)
        expect(view.getUint32(HEADER_NONCE, true)).toBe(header.nonce)
      })
    )
  })

  it("is malformed when it is cut", () => {
    const raw = genesisHeader(mainnet)
    for (let length = 0; length < HEADER_SIZE; length++) {
      const result = decode(raw.subarray(0, length), readHeader)
      expect(Result.isFailure(result) && result.failure.kind).toBe("malformed")
    }
  })

  it("is named by its hash", () => {
    expect(toHex(headerHash(portableSha256, genesisHeader(mainnet)))).toBe(
      "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
    )
  })
})
