import { expect, test } from "vitest"

/** Set by `npm run test:deno`: a suite that fell back to Node would prove nothing about Deno. */
const wanted = process.env["SATWIRE_RUNTIME"]

test.skipIf(wanted === undefined)("the suites run on the runtime that was asked for, in their workers too", () => {
  expect("Deno" in globalThis ? "deno" : "node").toBe(wanted)
})
