/**
 * The codec table and what hangs on it: every message has its file, its row, a generator and, through the test that walks the
 * table, its properties.
 */
import { basename } from "node:path"
import { arbitraryMessages } from "@satwire/testkit"
import { type Message, codecs, messageTable } from "@satwire/wire"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { sources, theHouse } from "./House.ts"

const house = theHouse()
const commands = Object.keys(messageTable).sort()

describe("the codec table", () => {
  test("has a row for every file of messages/, and a file for every row", () => {
    const files = sources(house, "packages/wire/src/messages/").map((file) => basename(file, ".ts"))
    expect(commands).toEqual(files)
  })

  test.each(Object.entries(messageTable))(
    "%s is filed under its own command, with its source and its limit",
    (name, codec) => {
      expect(codec.command).toBe(name)
      expect(codec.command).toMatch(/^[a-z0-9]{1,12}$/)
      expect(codec.spec).toMatch(/^(?:BIP-\d{4}(?: \((?:draft|historic)\))?|Bitcoin Core \d+\.\d+)$/)
      expect(codec.maxSize).toBeLessThanOrEqual(4_000_000)
    }
  )

  test("gives no short id twice", () => {
    const ids = codecs.flatMap(({ shortId }) => (shortId === undefined ? [] : [shortId]))
    expect(new Set(ids).size).toBe(ids.length)
  })

  test("has a generator for every message, which the properties of wire walk", () => {
    expect(Object.keys(arbitraryMessages).sort()).toEqual(commands)
    const walks = sources(house, "packages/wire/test/").filter((file) => {
      const text = house.text(file)
      return /describe\.each\(commands\)/.test(text) && /arbitraryMessages\[command\]/.test(text)
    })
    expect(walks).not.toEqual([])
  })

  test("has collected payloads for every message, which a test of wire replays", () => {
    const files = house.paths.filter((path) => path.startsWith("packages/wire/test/corpus/"))
    expect(files.map((path) => basename(path, ".txt")).sort()).toEqual(commands)
    for (const file of files) expect(house.text(file), file).toMatch(/^ok\b/mu)
  })

  test.each(codecs)("$command's generator makes that message", ({ command }) => {
    const arbitrary: fc.Arbitrary<Message> = arbitraryMessages[command]
    expect(fc.sample(arbitrary, { numRuns: 3, seed: 1 }).map(({ _tag }) => _tag)).toEqual([command, command, command])
  })
})
