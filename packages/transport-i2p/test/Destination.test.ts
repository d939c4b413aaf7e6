/** Keys and names, beside the tests' own reading of I2P's documents. */
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { destinationOf, endpointOf } from "../src/index.ts"
import { keys, nameOf } from "./SamRouter.ts"

const i2pBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString("base64").replaceAll("+", "-").replaceAll("/", "~")

describe("a destination", () => {
  test("has the name that is its hash, on Bitcoin's port there", () => {
    for (let i = 0; i < 20; i++) {
      const { destination, privateKey } = keys()
      expect(endpointOf(destination)).toEqual({ host: nameOf(destination), port: 0 })
      expect(destinationOf(privateKey)).toBe(destination)
    }
  })

  test("of 387 bytes of nothing has the name that SHA-256 and RFC 4648 give it", () => {
    // head -c 387 /dev/zero | sha256sum | xxd -r -p | base32 | tr A-Z a-z
    const host = "gem7z2yovuoqqbg3sd5qzb5dhaiit6osezfdo3cbuonanzjsuzaq.b32.i2p"
    expect(endpointOf(i2pBase64(new Uint8Array(387)))).toEqual({ host, port: 0 })
  })

  test("is none where it is too short, or not in I2P's base64", () => {
    const { destination } = keys()
    for (const text of ["", "=", "A", "abcd", `${destination} `, `${destination}\n`, destination.replace(/.$/, "+")]) {
      expect(endpointOf(text), JSON.stringify(text)).toBeUndefined()
    }
    expect(endpointOf(i2pBase64(new Uint8Array(386)))).toBeUndefined()
  })

  test("is told from nothing else without an exception", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 700 }), (text) => {
        endpointOf(text)
        destinationOf(text)
      })
    )
  })
})

describe("a private key", () => {
  const withCertificate = (length: number, behind: number): string => {
    const bytes = new Uint8Array(387 + behind)
    bytes[385] = length >> 8
    bytes[386] = length & 0xff
    return i2pBase64(bytes)
  }
  // Bitcoin Core's cases (i2p_tests.cpp, damaged_private_key).
  test.each([
    ["of nothing", ""],
    ["of 386 bytes", i2pBase64(new Uint8Array(386))],
    ["whose certificate has a byte that is not there", withCertificate(1, 0)],
    ["whose certificate has a byte more than is there", withCertificate(5, 4)],
    ["that is a destination alone", withCertificate(4, 4)]
  ])("%s is none", (_, text) => {
    expect(destinationOf(text)).toBeUndefined()
  })
})
