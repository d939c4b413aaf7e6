import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { MAX_NAME_LENGTH, parseRoom, parseText, plainName, plainText } from "../src/chat/Text.ts"
import { parseCommand } from "../src/terminal/Command.ts"

describe("what peers write", () => {
  it.each([
    ["escapes of terminals", "\u001b[2J\u001b]52;c;aGk=\u0007hi", "\ufffd[2J\ufffd]52;c;aGk=\ufffdhi"],
    ["controls of eight bits", "a\u009b31mb", "a\ufffd31mb"],
    ["line breaks of every kind", "a\r\nb\u2028c\u0085d", "a b c d"],
    ["the turned direction", "\u202eabc\u2066", "\ufffdabc\ufffd"],
    ["what has no width", "A\u200bnn\ufeff\u{e0041}", "A\ufffdnn\ufffd\ufffd"],
    ["half characters", "a\ud800b", "a\ufffdb"],
    ["piles of marks", `a${"\u0301".repeat(50)}b`, `a${"\u0301".repeat(4)}b`]
  ])("is shown without %s", (_, written, shown) => {
    expect(plainText(written)).toBe(shown)
  })

  it("keeps all that people write", () => {
    for (const text of ["Grüße, 世界! שלום", "👩‍👩‍👧 :)", "é и ñ"]) expect(plainText(text)).toBe(text)
  })

  it("never has a control character, and is plain the second time as the first", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const plain = plainText(text)
        expect(plain).not.toMatch(/\p{Cc}/u)
        expect(plainText(plain)).toBe(plain)
        const name = plainName(text)
        expect(Array.from(name ?? "").length).toBeLessThanOrEqual(MAX_NAME_LENGTH)
        expect(name ?? "").not.toMatch(/[#@\p{Cc}\u202e]/u)
      }),
      { seed: 1, numRuns: 25 }
    )
  })

  it("has bounds that its author is told of", () => {
    expect(parseText("x".repeat(4096))).toEqual(Result.succeed("x".repeat(4096)))
    expect(parseText("ü".repeat(2049))).toEqual(Result.fail("the text has 4098 bytes, and may have 4096"))
    expect(parseText(" \n ")).toEqual(Result.fail("there is nothing to say"))
    expect(parseRoom(" #Lobby ")).toEqual(Result.succeed("lobby"))
    expect(Result.isFailure(parseRoom("two words"))).toBe(true)
    expect(plainName("  ")).toBeUndefined()
  })
})

describe("a line", () => {
  it("is a command where it begins with a slash, and is said otherwise", () => {
    expect(parseCommand("/JOIN  den ")).toEqual({ _tag: "Join", what: "den" })
    expect(parseCommand("/name Ann Lee")).toEqual({ _tag: "Name", what: "Ann Lee" })
    expect(parseCommand("//shrug")).toEqual({ _tag: "Say", text: "/shrug" })
    expect(parseCommand(" hello /quit ")).toEqual({ _tag: "Say", text: "hello /quit" })
    expect(parseCommand("/quit")).toEqual({ _tag: "Quit" })
    expect(parseCommand("/dance")).toEqual({ _tag: "Unknown", what: "dance" })
    expect(parseCommand("  ")).toEqual({ _tag: "Nothing" })
  })
})
