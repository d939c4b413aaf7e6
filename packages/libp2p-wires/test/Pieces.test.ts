/** Lists whose pieces are bounded, beside bytes in one piece. */
import { assert, describe, it, onTestFinished, vi } from "@effect/vitest"
import * as fc from "fast-check"
import { Uint8ArrayList } from "uint8arraylist"
import { MAX_SMALL_PIECES, boundPieces } from "../src/index.ts"
import { inLargerPieces } from "../src/Pieces.ts"

class Bounded extends Uint8ArrayList {}
boundPieces(Bounded)

/** Many small ones, some large ones, some empty. */
const arbitraryPieces = fc
  .array(fc.tuple(fc.constantFrom(0, 1, 1, 1, 3, 300, 5000, 20_000), fc.constantFrom(1, 2, 700)), { maxLength: 5 })
  .map((runs) => runs.flatMap(([size, count]) => Array.from({ length: size > 3 ? 1 : count }, () => size)))
const arbitrarySteps = fc.array(
  fc.oneof(
    fc.record({ append: arbitraryPieces }),
    fc.record({ consume: fc.oneof(fc.integer({ min: -2, max: 800 }), fc.constantFrom(Number.NaN, 1.5, 6000, 1e9)) })
  ),
  { maxLength: 12 }
)

const consumeOf = ({ prototype }: { readonly prototype: object }): unknown => Reflect.get(prototype, "consume")

let next = 0
const pieceOf = (size: number): Uint8Array => Uint8Array.from({ length: size }, () => next++ & 255)

describe("lists of pieces", () => {
  it("hold what bytes in one piece would, in so many pieces", () => {
    fc.assert(
      fc.property(arbitrarySteps, (steps) => {
        const list = new Bounded()
        let all = new Uint8Array(0)
        for (const step of steps) {
          if ("append" in step) {
            const pieces = step.append.map(pieceOf)
            list.append(...pieces)
            all = new Uint8Array(Buffer.concat([all, ...pieces]))
          } else {
            list.consume(step.consume)
            const bytes = Math.trunc(step.consume)
            if (bytes > 0) all = all.slice(bytes)
          }
          assert.strictEqual(list.length, all.length)
          assert.deepStrictEqual(Uint8Array.from(list.subarray()), all)
          assert.isAtMost([...list].length, Math.max(MAX_SMALL_PIECES, list.length / 256))
        }
      })
    )
  })

  it("are dropped from at the price of the bytes, whatever the pieces are", () => {
    const set = vi.spyOn(Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array, "set")
    onTestFinished(() => set.mockRestore())
    const list = new Bounded()
    const one = Uint8Array.of(7)
    const mostPieces = (): void => assert.isAtMost([...list].length, MAX_SMALL_PIECES + list.length / 256)
    for (let i = 0; i < 200_000; i++) list.append(one)
    mostPieces()
    list.consume(100_000)
    for (let i = 0; i < 50_000; i++) {
      list.consume(1)
      // Each that is dropped moves those that are left, of which there are never many.
      if (i % 1000 === 0) mostPieces()
    }
    assert.strictEqual(list.length, 50_000)
    const copied = set.mock.calls.reduce((sum, [from]) => sum + from.length, 0)
    assert.isBelow(copied, 5 * 200_000)
  })

  it("keep large pieces as they are", () => {
    const large = pieceOf(5000)
    const pieces = inLargerPieces([pieceOf(1), pieceOf(2), large, pieceOf(3), large])
    assert.deepStrictEqual(
      pieces.map(({ length }) => length),
      [3, 5000, 3, 5000]
    )
    assert.strictEqual(pieces[1], large)
  })

  it("are left alone where they are not what is known of them", () => {
    class Other {
      readonly bufs: ReadonlyArray<Uint8Array> = []
      consume(): void {}
    }
    const before = consumeOf(Other)
    assert.throws(() => boundPieces(Other), TypeError, "uint8arraylist")
    assert.strictEqual(consumeOf(Other), before)
    const mended = consumeOf(Bounded)
    boundPieces(Bounded)
    assert.strictEqual(consumeOf(Bounded), mended)
  })
})
