import { expect, it } from "vitest"
import { Bucket } from "../src/bridge/Bucket.ts"

it("a bucket gives a burst at once, then so much a second, and lets debts be paid first", () => {
  const bucket = new Bucket(100, 50, 1000)
  expect(bucket.isFull(1000)).toBe(true)
  bucket.take(80, 1000)
  expect(bucket.tokens(1000)).toBe(-30)
  expect(bucket.tokens(1300)).toBe(0)
  expect(bucket.isFull(1799)).toBe(false)
  expect(bucket.tokens(10_000)).toBe(50)
})
