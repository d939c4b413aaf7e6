import { describe, expect, test } from "vitest"
import { theHouse } from "./House.ts"
import { bundle, bundleOf, load, mentions, neutralDoors } from "./Neutral.ts"

const all = neutralDoors(theHouse())

describe("below the seam", () => {
  test.each(all)("$specifier loads where there is nothing but the language", async (door) => {
    const { code, left } = await bundleOf([door])
    expect(left).toEqual([])
    expect(load(code)).toEqual(["door0"])
  })
  test("all packages load together and speak no platform's name, dependencies among them", async () => {
    const { code, left } = await bundleOf(all)
    expect(left).toEqual([])
    expect(mentions(code)).toEqual([])
    expect(load(code)).toHaveLength(all.length)
  })
})

describe("the proof sees", () => {
  test("an import of the platform", async () => {
    await expect(bundle('export { readFileSync } from "node:fs"')).rejects.toThrow(/node:fs/)
  })
  test("the platform behind a dependency's door", async () => {
    await expect(bundle('export * from "@satwire/crypto/node"')).rejects.toThrow(/node:crypto/)
  })
  test("a name of the platform on a line that is never run", async () => {
    const { code } = await bundle("export const it = (x: { fetch: number }) => x.fetch + setTimeout(() => fetch)")
    expect(mentions(code)).toEqual(["fetch", "setTimeout"])
  })
  test.each([
    ["a timer", "export const it = setTimeout(() => 1)", /setTimeout/],
    ["the process", "export const it = process.env", /process/],
    ["a fetch", "export const it = fetch", /fetch/],
    ["the console", "console.log(1); export const it = 1", /console/],
    ["the clock", "export const it = Date.now()", /clock/],
    ["a date of now", "export const it = new Date()", /clock/],
    ["chance", "export const it = Math.random()", /chance/]
  ])("%s at loading", async (_, source, missed) => {
    const { code } = await bundle(source)
    expect(() => load(code)).toThrow(missed)
  })
})
