import { describe, expect, test } from "vitest"
import { theHouse } from "./House.ts"
import { print } from "./Law.ts"
import { breaches, laws } from "./Laws.ts"
import { longFiles } from "./Sizes.ts"

const house = theHouse()

describe("the law of the house", () => {
  test.each(laws.map((law) => [law.sentence, law] as const))("%s", (_, law) => {
    const found = breaches(house, law).map(print)
    if (found.length > 0) expect.fail(`\n${found.join("\n")}\n`)
  })

  test("long files are named as a hint", async ({ annotate }) => {
    for (const hint of longFiles(house)) await annotate(hint)
  })
})
