import { describe, expect, test } from "vitest"
import { limitsOf, pages, table } from "./Documents.ts"
import { has, sources, theHouse } from "./House.ts"
import { parse } from "./Source.ts"

const house = theHouse()

describe("pages written by the code", () => {
  test.each([...pages(house)])("%s is current", (path, text) => {
    const written = has(house, path) ? house.text(path) : ""
    expect(written === text, `${path} is out of date: npm run docs`).toBe(true)
  })

  test("every @limit in a source belongs to a constant of the page", () => {
    const stray = sources(house, "packages/").filter((file) => {
      if (!file.includes("/src/")) return false
      const marks = [...house.text(file).matchAll(/^\s*\*.*@limit\s/gm)].length
      return marks !== limitsOf(parse(file, house.text(file))).length
    })
    expect(stray).toEqual([])
  })
})

describe("a limit", () => {
  const limits = (text: string): ReadonlyArray<string> =>
    limitsOf(parse("x.ts", text)).map(({ name, value, what }) => `${name} ${value} ${what}`)

  test("is a constant with its value and its unit", () => {
    expect(limits("/** How many. @limit peers */\nexport const MAX = 125\n")).toEqual(["MAX 125 peers"])
  })
  test("may be computed from constants before it", () => {
    const text =
      "const A = 4 * 1_000\n/**\n * Says.\n *\n * @limit bytes\n */\nexport const B: number = A * 1000 + 12\n"
    expect(limits(text)).toEqual(["B 4,000,012 bytes"])
  })
  test("shows its source where it cannot be computed", () => {
    expect(limits("/** @limit entries */\nexport const MAX = other.max\n")).toEqual(["MAX `other.max` entries"])
  })
  test("is not what has another comment, or none", () => {
    expect(limits("/** @limit x */\nconst f = 1\n/** No. */\nexport const A = 1\nexport const B = 2\n")).toEqual([
      "f 1 x"
    ])
  })
})

test("a table is aligned as the formatter wants it", () => {
  expect(table(["a", "long"], [["wide cell", "x|y"]])).toBe(
    ["| a         | long |", "| --------- | ---- |", "| wide cell | x\\|y |"].join("\n")
  )
})
