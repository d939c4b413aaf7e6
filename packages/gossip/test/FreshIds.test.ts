import { describe, expect, test } from "vitest"
import { FreshIds } from "../src/FreshIds.ts"
import { keyOf } from "../src/SeenIds.ts"

describe("ids of the messages that came last", () => {
  test("are each given once, whatever came in between, and no more than eight are kept", () => {
    const ids = new FreshIds()
    const messages = Array.from({ length: 9 }, () => ({}))
    for (const [n, message] of messages.entries()) ids.add(message, Uint8Array.of(n))
    expect(messages.map((message) => ids.take(message)?.[0])).toEqual([undefined, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(messages.map((message) => ids.take(message))).toEqual(messages.map(() => undefined))
  })

  test("are keys of a character for each byte", () => {
    const bytes = Uint8Array.from({ length: 258 }, (_, n) => n)
    expect(keyOf(bytes.subarray(1, 257))).toBe(String.fromCharCode(...bytes.subarray(1, 257)))
  })
})
