import { describe, expect, it } from "vitest"
import { type Attack, flood } from "./Flood.ts"

const ATTACK: Attack = { seed: 1, honest: 2000, tried: 500, addresses: 20_000, groups: 10, sources: 1, rounds: 10 }

describe("an attacker with 20,000 addresses in ten /16s against 2,000 honest ones", () => {
  it("who tells of them from one /16 has ten buckets of the new table, and is hardly ever drawn", () => {
    const { drawn, flat, held, honest } = flood(ATTACK)
    // One source and ten groups: ten buckets of 64, beside more than 1,400 honest addresses.
    expect(held.new).toBeLessThan(640 / 2040)
    expect(held.tried).toBe(0)
    expect(drawn.newOnly).toBeLessThan(0.02)
    expect(drawn.any).toBeLessThan(0.01)
    expect(honest).toBeGreaterThan(1900)
    expect(flat).toBeGreaterThan(0.9)
  })

  it("who tells of them from ten /16s has a hundred buckets, drives nobody out, and is drawn one time in fifteen", () => {
    const { drawn, flat, held, honest } = flood({ ...ATTACK, sources: 10 })
    // He holds most of the table, but in few of its buckets, and a bucket is drawn first.
    expect(held.new).toBeLessThan(6400 / 7840)
    expect(held.tried).toBe(0)
    expect(drawn.newOnly).toBeLessThan(0.14)
    expect(drawn.any).toBeLessThan(0.07)
    expect(honest).toBeGreaterThan(1900)
    expect(flat).toBeGreaterThan(0.9)
  })
})
