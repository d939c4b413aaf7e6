import { expect, it } from "vitest"
import { Origins, parseOrigin } from "../src/bridge/Origins.ts"

it("an origin is written as browsers write it, and nothing else is one", () => {
  expect(parseOrigin("https://Wallet.example")).toBe("https://wallet.example")
  expect(parseOrigin("https://wallet.example:443")).toBe("https://wallet.example")
  expect(parseOrigin("http://localhost:5173")).toBe("http://localhost:5173")
  expect(parseOrigin("chrome-extension://abcdef")).toBe("chrome-extension://abcdef")
  expect(parseOrigin("*")).toBe("*")
  expect(parseOrigin("none")).toBe("none")
  for (const text of [
    "",
    "wallet.example",
    "https://wallet.example/",
    "https://wallet.example/a",
    "null",
    "https://"
  ]) {
    expect([text, parseOrigin(text)]).toEqual([text, undefined])
  }
})

it("pages of a listed origin may, no others, and programs only where they are listed", () => {
  const listed = new Origins(["https://wallet.example"])
  expect(listed.allows("https://wallet.example")).toBe(true)
  for (const other of ["https://wallet.example.evil", "http://wallet.example", "https://wallet.example:8443", "null"]) {
    expect(listed.allows(other)).toBe(false)
  }
  expect(listed.allows(undefined)).toBe(false)
  const all = new Origins(["*"])
  expect([all.allows("https://any.example"), all.allows("null"), all.allows(undefined)]).toEqual([true, true, false])
  expect(new Origins(["none"]).allows(undefined)).toBe(true)
  expect(new Origins([]).allows("https://wallet.example")).toBe(false)
})
