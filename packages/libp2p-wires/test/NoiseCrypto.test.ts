/** A cipher with kept keys says what Noise's own says. */
import { assert, describe, it } from "@effect/vitest"
import { defaultCrypto } from "@libp2p/noise/crypto"
import { Uint8ArrayList } from "uint8arraylist"
import { keptKeyCrypto } from "../src/index.ts"

const pattern = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 8) * 31 + seed * 101) & 255)

describe("a cipher with kept keys", () => {
  const [key, nonce] = [pattern(32, 1), pattern(12, 2)]
  const inPieces = (bytes: Uint8Array): Uint8ArrayList => new Uint8ArrayList(bytes.subarray(0, 12), bytes.subarray(12))

  for (const associated of [new Uint8Array(0), pattern(32, 3)]) {
    it(`seals and opens as Noise's own does, with ${associated.length} bytes beside the text`, () => {
      for (const length of [0, 1, 639, 640, 1199, 1200, 65_519]) {
        const text = pattern(length, 4)
        const sealed = defaultCrypto.chaCha20Poly1305Encrypt(text, nonce, associated, key).subarray()
        for (const given of [text, inPieces(text)]) {
          const ours = keptKeyCrypto.chaCha20Poly1305Encrypt(given, nonce, associated, key)
          assert.deepStrictEqual(Uint8Array.from(ours.subarray()), Uint8Array.from(sealed))
        }
        for (const given of [sealed, inPieces(sealed)]) {
          const ours = keptKeyCrypto.chaCha20Poly1305Decrypt(given, nonce, associated, key)
          assert.deepStrictEqual(Uint8Array.from(ours.subarray()), text)
        }
        const forged = Uint8Array.from(sealed)
        forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
        assert.throws(() => keptKeyCrypto.chaCha20Poly1305Decrypt(forged, nonce, associated, key))
      }
    })
  }
})
