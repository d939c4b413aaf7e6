import { type Sha256, portableSha256 } from "@satwire/crypto"
import {
  HEADER_BITS,
  HEADER_NONCE,
  encodeHeader,
  genesisHeader,
  headerHash,
  mainnet,
  meetsTarget,
  regtest,
  targetFromBits,
  targetWords
} from "@satwire/primitives"
import { arbitraryHeader } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ProofSearch } from "../src/index.ts"

/** The portable backend, counting what is asked of it. */
const counting = (): { readonly backend: Sha256; hashed: () => number } => {
  let hashes = 0
  const backend: Sha256 = {
    ...portableSha256,
    sha256d: (input, start, end, out, at) => {
      hashes += 1
      portableSha256.sha256d(input, start, end, out, at)
    }
  }
  return { backend, hashed: () => hashes }
}

const meets = (raw: Uint8Array): boolean => {
  const target = targetFromBits(new DataView(raw.buffer, raw.byteOffset).getUint32(HEADER_BITS, true)) ?? 0n
  return meetsTarget(headerHash(portableSha256, raw), 0, targetWords(target))
}

describe("a search for a proof of work", () => {
  it("ends in a header that meets its bits and differs from the given one in the nonce alone", () => {
    fc.assert(
      fc.property(arbitraryHeader, (header) => {
        const given = encodeHeader({ ...header, bits: 0x207fffff })
        const search = new ProofSearch(portableSha256, given)
        expect(search.step(1000)).toBe("found")
        expect(meets(search.header)).toBe(true)
        expect(search.header.slice(0, HEADER_NONCE)).toEqual(given.slice(0, HEADER_NONCE))
        expect(search.nonce).toBe(new DataView(search.header.buffer).getUint32(HEADER_NONCE, true))
      })
    )
  })

  it("finds mainnet's genesis, and the very nonce that Satoshi found", () => {
    const search = new ProofSearch(portableSha256, genesisHeader(mainnet), mainnet.genesis.nonce - 10)
    expect(search.step(10)).toBe("searching")
    expect(search.step(10)).toBe("found")
    expect(search.header).toEqual(genesisHeader(mainnet))
  })

  it("tries no more nonces in a step than it was allowed, and goes on where it stopped", () => {
    const { backend, hashed } = counting()
    const search = new ProofSearch(backend, genesisHeader(mainnet))
    for (let step = 1; step <= 5; step++) {
      expect(search.step(7)).toBe("searching")
      expect(hashed()).toBe(7 * step)
      expect(search.nonce).toBe(7 * step - 1)
    }
  })

  it("says when no nonce is left, and tries none twice", () => {
    const { backend, hashed } = counting()
    const search = new ProofSearch(backend, genesisHeader(mainnet), 0xffff_fffb)
    expect(search.step(4)).toBe("searching")
    expect(search.step(4)).toBe("exhausted")
    expect(search.step(4)).toBe("exhausted")
    expect(hashed()).toBe(5)
    expect(search.nonce).toBe(0xffff_ffff)
  })

  it("goes on to the next that meets the target after one was found", () => {
    const search = new ProofSearch(portableSha256, genesisHeader(regtest))
    const found = new Set<number>()
    for (let i = 0; i < 10; i++) {
      expect(search.step(1000)).toBe("found")
      expect(meets(search.header)).toBe(true)
      found.add(search.nonce)
    }
    expect(found.size).toBe(10)
    expect(found.has(regtest.genesis.nonce)).toBe(true)
  })

  it("leaves the given header alone", () => {
    const given = genesisHeader(regtest)
    new ProofSearch(portableSha256, given).step(1000)
    expect(given).toEqual(genesisHeader(regtest))
  })

  it("is refused for what is no header, and for bits that no hash can meet", () => {
    expect(() => new ProofSearch(portableSha256, new Uint8Array(81))).toThrow(RangeError)
    expect(() => new ProofSearch(portableSha256, new Uint8Array(80))).toThrow("no hash can meet")
  })
})
