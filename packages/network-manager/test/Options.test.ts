/** What becomes of options, without a network. */
import { describe, expect, it } from "vitest"
import { NetworkError, type NetworkOptions } from "../src/index.ts"
import { type Settings, settingsOf } from "../src/NetworkOptions.ts"
import { discoveryOf } from "../src/Running.ts"

const settings = (options: NetworkOptions): Settings => {
  const judged = settingsOf(options)
  if (judged instanceof NetworkError) throw judged
  return judged
}

describe("the hash table", () => {
  it("has private addresses in development, and where it is told to", () => {
    const hasPrivate = (options: NetworkOptions) => discoveryOf(settings(options)).dht?.privateAddresses
    expect(hasPrivate({ dht: "server" })).toBe(true)
    expect(hasPrivate({ dht: "server", preset: "production" })).toBe(false)
    expect(hasPrivate({ dht: { mode: "client", privateAddresses: true }, preset: "production" })).toBe(true)
  })
})

describe("limits of the node", () => {
  it("let many of one host in at once in development, and are what they are told to be", () => {
    expect(settings({}).limits).toEqual({ maxPending: 128, maxPerHostASecond: 32 })
    expect(settings({ node: { limits: { maxPending: 1 } } }).limits).toEqual({ maxPending: 1, maxPerHostASecond: 32 })
    expect(settings({ preset: "production" }).limits).toEqual({})
  })
})
