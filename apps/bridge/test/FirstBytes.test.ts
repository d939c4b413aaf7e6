import { ChaChaRandom, portableAead, portableCurve } from "@satwire/crypto"
import { V2Framing } from "@satwire/framing"
import { mainnet, networks } from "@satwire/primitives"
import { frame } from "@satwire/testkit"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Beginning, FirstBytes } from "../src/bridge/FirstBytes.ts"

/** The verdict on a stream that comes in pieces of these lengths, with all bytes that were handed out. */
const judged = (stream: Uint8Array, lengths: ReadonlyArray<number>): Beginning => {
  const first = new FirstBytes()
  let at = 0
  for (const length of [...lengths, stream.length]) {
    const verdict = first.push(stream.subarray(at, at + length))
    at += length
    if (verdict._tag !== "Undecided") return verdict
  }
  return { _tag: "Undecided" }
}

const pieces = fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 20 })

describe("the first bytes of a page", () => {
  it("are known for v1 on every network, however they come", () => {
    const all = Object.values(networks)
    expect(all.length).toBe(5)
    fc.assert(
      fc.property(fc.constantFrom(...all), pieces, (params, lengths) => {
        const stream = frame("version", new Uint8Array(86), { magic: params.magic })
        expect(judged(stream, lengths)._tag).toBe("Unencrypted")
      })
    )
  })

  it("are passed on, all of them and in order, where they are anything else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 5, maxLength: 100 }), pieces, (stream, lengths) => {
        fc.pre(String.fromCharCode(...stream.subarray(4, 16)) !== "version\0\0\0\0\0")
        const verdict = judged(stream, lengths)
        if (verdict._tag === "Other") expect(verdict.bytes).toEqual(stream.subarray(0, verdict.bytes.length))
        else expect(stream.length).toBeLessThan(16)
      })
    )
  })

  it("are those of BIP-0324 where a page encrypts", () => {
    const options = { magic: mainnet.magic, aead: portableAead, curve: portableCurve }
    const framing = new V2Framing({ ...options, initiating: true, random: ChaChaRandom.fromNumber(1) })
    const stream = framing.takeOutput() ?? new Uint8Array(0)
    expect(judged(stream, [1, 1, 1])).toEqual({ _tag: "Other", bytes: stream })
  })

  it("are held as long as they may become v1, and handed out with the byte that decides", () => {
    const almost = new TextEncoder().encode("\u0001\u0002\u0003\u0004version\0\0\0\0\u0001more")
    for (let cut = 1; cut < 16; cut++) {
      expect(judged(almost, [cut])).toEqual({ _tag: "Other", bytes: almost })
    }
  })
})
