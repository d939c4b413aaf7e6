import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { ProxyTalk } from "../src/ProxyTalk.ts"

/** What must come of a proxy's bytes where no credentials are offered, written down from RFC 1928 alone. */
const model = (bytes: Uint8Array): string => {
  const [version, method, reply, code, reserved, type, length = 0] = bytes
  if (version === undefined || method === undefined) return "waits"
  if (version !== 5) return "refused"
  // Where it wants credentials all the same, it gets empty ones, and what follows is its answer to those.
  if (method === 2) return "wants credentials"
  if (method !== 0) return "refused"
  if (bytes.length < 7) return "waits"
  if (reply !== 5 || code !== 0) return "refused"
  const addressBytes = type === 1 ? 4 : type === 4 ? 16 : type === 3 ? 1 + length : undefined
  if (addressBytes === undefined) return "refused"
  const whole = 2 + 4 + addressBytes + 2
  if (bytes.length < whole) return "waits"
  return reserved === 0 ? `agreed, ${bytes.length - whole} unread` : "refused"
}

/** What comes of them when they arrive in these pieces. */
const talk = (pieces: ReadonlyArray<Uint8Array>): string => {
  const outcomes: Array<string> = []
  const proxy = new ProxyTalk({
    endpoint: { host: "satwire.onion", port: 8333 },
    credentials: undefined,
    proxy: "127.0.0.1:9050",
    timeoutMs: 1000,
    send: () => undefined,
    onAgreed: (unread) => outcomes.push(`agreed, ${unread.length} unread`),
    onRefused: () => outcomes.push("refused")
  })
  proxy.begin()
  let rest = 0
  for (const piece of pieces) {
    const before = outcomes.length
    proxy.received(piece)
    // What comes after the end of the talk is for the connection.
    if (before > 0) rest += piece.length
  }
  proxy.giveUp()
  expect(outcomes.length).toBeLessThanOrEqual(1)
  return (outcomes[0] ?? "waits").replace(/\d+/, (unread) => String(Number(unread) + rest))
}

const cutAt = (bytes: Uint8Array, cuts: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end))
}

/** Mostly what a proxy would say, and then anything. */
const answers = fc
  .tuple(
    fc.constantFrom([5, 0], [5, 0], [5, 0], [5, 255], [4, 0]),
    fc.constantFrom([5, 0, 0, 1], [5, 0, 0, 3], [5, 0, 0, 4], [5, 0, 0, 7], [5, 0, 1, 1], [5, 4, 0, 1], [0]),
    fc.uint8Array({ maxLength: 600 })
  )
  .map(([greeting, reply, rest]) => Uint8Array.from([...greeting, ...reply, ...rest]))

describe("the talk with a proxy", () => {
  test("comes to what RFC 1928 says, whatever the proxy sends and in whatever pieces", () => {
    fc.assert(
      fc.property(
        fc.oneof(answers, fc.uint8Array({ maxLength: 300 })),
        fc.array(fc.nat(), { maxLength: 8 }),
        (bytes, cuts) => {
          const expected = model(bytes)
          fc.pre(expected !== "wants credentials")
          expect(talk(cutAt(bytes, cuts))).toBe(expected)
        }
      ),
      { numRuns: 2000 }
    )
  })
})
