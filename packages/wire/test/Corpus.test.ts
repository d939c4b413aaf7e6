import { fromHex } from "@satwire/bytes"
import { describe, expect, it } from "vitest"
import { commands } from "../src/index.ts"
import { checkPayload, readCorpus } from "./Corpus.ts"

describe.each(commands)("the corpus of %s", (command) => {
  it("holds every law of payloads, and ends as it did when it was collected", () => {
    const entries = readCorpus(command)
    expect(entries.map(({ outcome }) => outcome)).toContain("ok")
    for (const { outcome, hex } of entries) {
      const payload = fromHex(hex)
      if (payload === undefined) throw new Error(`no hexadecimal: ${hex}`)
      expect({ hex, outcome: checkPayload(command, payload).outcome }).toEqual({ hex, outcome })
    }
  })
})
