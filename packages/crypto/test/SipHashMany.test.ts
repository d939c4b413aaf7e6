import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  ID_BYTES,
  makeScalarSipHashMany,
  makeSimdSipHashMany,
  portableSipHashMany,
  sipHash24,
  sipHashMany,
  sipKey
} from "../src/index.ts"

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })

describe.each([
  ["four lanes of wasm", makeSimdSipHashMany()],
  ["one lane of wasm", makeScalarSipHashMany()],
  ["plain JavaScript", portableSipHashMany],
  ["the one that is chosen", sipHashMany]
])("SipHash of many ids by %s", (_, many) => {
  it("gives what one call for each id gives", () => {
    const ids = fc.array(bytes(ID_BYTES), { maxLength: 20 })
    fc.assert(
      fc.property(bytes(16), ids, fc.nat(3), (keyBytes, list, start) => {
        const key = sipKey(keyBytes)
        const flat = new Uint8Array(start + ID_BYTES * list.length)
        list.forEach((id, i) => flat.set(id, start + ID_BYTES * i))
        const out = new Uint32Array(2 * list.length)
        many?.(key, flat, start, list.length, out)
        const one = new Uint32Array(2)
        list.forEach((id, i) => {
          sipHash24(key, id, 0, ID_BYTES, one)
          expect([out[2 * i], out[2 * i + 1]]).toEqual([one[0], one[1]])
        })
      })
    )
  })

  it("goes on over more ids than fit at once", () => {
    const count = 30_000
    const flat = new Uint8Array(ID_BYTES * count).map((_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24)
    const key = sipKey(new Uint8Array(16).fill(9))
    const out = new Uint32Array(2 * count)
    many?.(key, flat, 0, count, out)
    const one = new Uint32Array(2)
    for (const i of [0, 13_000, 13_106, 13_107, 13_108, 26_214, 29_999]) {
      sipHash24(key, flat, ID_BYTES * i, ID_BYTES * (i + 1), one)
      expect([out[2 * i], out[2 * i + 1]]).toEqual([one[0], one[1]])
    }
  })
})
