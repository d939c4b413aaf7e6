import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { parseReply } from "../src/SamReply.ts"

const read = (line: string) => {
  const reply = parseReply(line)
  return reply && [reply.what, Object.fromEntries(reply.pairs)]
}

describe("a line of a SAM bridge", () => {
  test("is two words and pairs, quoted or not", () => {
    expect(read("HELLO REPLY RESULT=OK VERSION=3.1")).toEqual(["HELLO REPLY", { RESULT: "OK", VERSION: "3.1" }])
    expect(read('A B MESSAGE="has \\"quotes\\" and \\\\ in it" X=')).toEqual([
      "A B",
      { MESSAGE: 'has "quotes" and \\ in it', X: "" }
    ])
    expect(read("NAMING REPLY  RESULT=OK   VALUE=aGk~-w==")).toEqual([
      "NAMING REPLY",
      { RESULT: "OK", VALUE: "aGk~-w==" }
    ])
    expect(read("A B")).toEqual(["A B", {}])
    expect(read("A B SILENT RESULT=X")).toEqual(["A B", { SILENT: "", RESULT: "X" }])
  })

  test.each([
    "",
    "HELLO",
    " A B",
    "a b",
    "HELLO  REPLY",
    "HTTP/1.1 400 Bad Request",
    "A B =x",
    "A B ü=x",
    "A B X=a\u0000\n;"
  ])("is none where it says %j", (line) => expect(parseReply(line)).toBeUndefined())

  test("gives back what was put in", () => {
    const value = fc.string({ unit: fc.constantFrom("a", "Z", "=", "-", "~", " ", "\\", '"') })
    const name = fc.stringMatching(/^[A-Z0-9_]+$/)
    fc.assert(
      fc.property(fc.dictionary(name, value), (pairs) => {
        const quoted = Object.entries(pairs).map(([key, text]) => `${key}="${text.replaceAll(/["\\]/g, "\\$&")}"`)
        expect(read(["A B", ...quoted].join(" "))).toEqual(["A B", pairs])
      })
    )
  })

  test("takes time in proportion, whatever it says", () => {
    // Sixteen times as long as the bound on a line; a search that goes back would not come to an end.
    for (const piece of ['A="', "\\", "=", '"', "A=", 'A="\\"', " "]) parseReply(`A B ${piece.repeat(65_536)}`)
    fc.assert(fc.property(fc.string({ unit: "binary" }), (line) => void parseReply(line)))
  })
})
