import { fromHex } from "@satwire/bytes"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decodeBody, encodeBody } from "../src/body.ts"
import { judgeBody } from "../src/index.ts"

const said = (message: unknown) => Result.flatMap(encodeBody(message), (body) => decodeBody(body))
const wrong = (hex: string, limits?: { maxDepth: number; maxValues: number }) => {
  const error = judgeBody(fromHex(hex) ?? new Uint8Array(), limits)
  return error === undefined ? "fine" : `${error.kind}: ${error.what}`
}

const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.string(), fc.integer(), fc.double({ noNaN: true }), fc.boolean(), fc.constant(null)),
    fc.uint8Array({ maxLength: 20 }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(
      fc.string().filter((key) => !["__proto__", "constructor", "prototype"].includes(key)),
      tie("value"),
      {
        maxKeys: 4,
        noNullPrototype: true
      }
    )
  )
})).value

describe("a body", () => {
  it("goes there and back", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(Result.getOrThrow(said(value))).toEqual(value)
      }),
      { numRuns: 200 }
    )
  })
  it("of any bytes is a value or an error, and never a throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (body) => {
        const read = decodeBody(body)
        expect(Result.isSuccess(read)).toBe(judgeBody(body) === undefined)
      }),
      { numRuns: 1000 }
    )
  })
  it("leaves out what is undefined", () => {
    expect(Result.getOrThrow(said({ a: 1, b: undefined }))).toEqual({ a: 1 })
  })
  it.each([
    ["a date", new Date(0)],
    ["a hole in a list", [undefined]],
    ["a function", () => 1],
    ["a key that objects have a meaning for", JSON.parse('{"__proto__":1}')],
    ["a number of more than 64 bits", 2n ** 64n]
  ])("cannot say %s", (_, message) => {
    expect(Result.isFailure(encodeBody(message))).toBe(true)
  })
  it("cannot say what holds itself", () => {
    const loop: Record<string, unknown> = {}
    loop["loop"] = loop
    expect(Result.isFailure(encodeBody(loop))).toBe(true)
  })
  it("is bounded before anything is made of it", () => {
    expect(wrong("ddffffffff")).toBe("overLimit: values of the body")
    expect(wrong("dc1000")).toBe("malformed: body that ends too early")
    expect(wrong("91".repeat(32) + "01")).toBe("fine")
    expect(wrong("91".repeat(33) + "01")).toBe("overLimit: depth of the body")
    expect(wrong("9401010101", { maxDepth: 1, maxValues: 4 })).toBe("overLimit: values of the body")
    expect(wrong("9301010101")).toBe("malformed: bytes behind the body")
  })
  it.each([
    ["an extension", "d40001", "malformed: extension in the body"],
    ["a timestamp", "d6ff00000000", "malformed: extension in the body"],
    ["the byte that is never used", "c1", "malformed: extension in the body"],
    ["a key that is a number", "810101", "malformed: key that is no string"],
    ["a prototype", "81a95f5f70726f746f5f5f80", "malformed: key that objects have a meaning for"],
    ["a prototype behind a long head", "81d9095f5f70726f746f5f5f80", "malformed: key that objects have a meaning for"],
    ["a constructor", "81ab636f6e7374727563746f7280", "malformed: key that objects have a meaning for"],
    ["nothing", "", "malformed: body that ends too early"]
  ])("is refused with %s", (_, hex, what) => {
    expect(wrong(hex)).toBe(what)
  })
})
