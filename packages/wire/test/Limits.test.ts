import { Writer, encode } from "@satwire/bytes"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import {
  type Codec,
  type Command,
  type Cost,
  type Message,
  codecOf,
  decodePayload,
  messageTable
} from "../src/index.ts"

/** What stands before the count, how many bytes an entry takes at least, and what a peer pays for one entry too many. */
interface Counted {
  readonly command: Command
  readonly limit: number
  readonly before: number
  readonly entryBytes: number
  readonly after: number
  readonly cost: Cost
}

/** Bitcoin Core 28.1 `net_processing.cpp`, by message. */
const COUNTED: ReadonlyArray<Counted> = [
  { command: "inv", limit: 50_000, before: 0, entryBytes: 36, after: 0, cost: "discourage" },
  { command: "getdata", limit: 50_000, before: 0, entryBytes: 36, after: 0, cost: "discourage" },
  { command: "notfound", limit: 50_000, before: 0, entryBytes: 36, after: 0, cost: "ignore" },
  { command: "headers", limit: 2000, before: 0, entryBytes: 81, after: 0, cost: "discourage" },
  { command: "addr", limit: 1000, before: 0, entryBytes: 30, after: 0, cost: "discourage" },
  { command: "addrv2", limit: 1000, before: 0, entryBytes: 9, after: 0, cost: "discourage" },
  { command: "getheaders", limit: 101, before: 4, entryBytes: 32, after: 32, cost: "disconnect" },
  { command: "getblocks", limit: 101, before: 4, entryBytes: 32, after: 32, cost: "disconnect" },
  { command: "version", limit: 256, before: 80, entryBytes: 1, after: 5, cost: "ignore" }
]

/** `count` announced and `present` entries of zeros. */
const payload = ({ before, entryBytes, after }: Counted, count: number, present: number): Uint8Array => {
  const body = present * entryBytes + after
  const bytes = new Uint8Array(before + 9 + body)
  const w = new Writer(bytes, before)
  w.compactSize(count)
  return bytes.subarray(0, w.offset + body)
}

const failure = (command: Command, bytes: Uint8Array): string => {
  const result = decodePayload(command, bytes)
  return Result.isFailure(result) ? result.failure.kind : "decoded"
}

describe.each(COUNTED)("$command", (row) => {
  const codec = codecOf(row.command) as Codec<Message>

  it(`holds ${row.limit} entries`, () => {
    expect(failure(row.command, payload(row, row.limit, row.limit))).toBe("decoded")
  })

  it(`is over its limit with ${row.limit + 1}, which costs the peer: ${row.cost}`, () => {
    expect(failure(row.command, payload(row, row.limit + 1, row.limit + 1))).toBe("overLimit")
    expect(codec.overLimit).toBe(row.cost)
  })

  it("is refused before anything is allocated when a few bytes announce 2^25 entries", () => {
    expect(failure(row.command, payload(row, 2 ** 25, 0))).toBe("overLimit")
  })

  it("is malformed when it announces fewer entries than allowed and more than follow", () => {
    expect(failure(row.command, payload(row, row.limit, 1).subarray(0, row.before + 4))).toBe("malformed")
  })

  it("is malformed with a count that is not in its shortest form", () => {
    const bytes = new Uint8Array(row.before + 3 + row.entryBytes + row.after)
    bytes.set([0xfd, 1, 0], row.before)
    expect(failure(row.command, bytes)).toBe("malformed")
  })

  it("says how far into the payload the count stands", () => {
    const result = decodePayload(row.command, payload(row, row.limit + 1, 0))
    expect(Result.isFailure(result) && result.failure.at).toBe(row.before)
  })
})

describe("a payload that does not decode", () => {
  it("costs nothing where it is malformed: Core catches what reading throws", () => {
    expect(Object.values(messageTable).map((codec: Codec<Message>) => codec.malformed)).not.toContain("disconnect")
    expect(Object.values(messageTable).map((codec: Codec<Message>) => codec.malformed)).not.toContain("discourage")
  })
})

describe("blocks and transactions", () => {
  it.each<Command>(["block", "tx"])("%s: a count that the rest cannot hold allocates nothing", (command) => {
    const before = command === "block" ? 80 : 4
    const bytes = encode(before + 5, (w) => {
      w.raw(new Uint8Array(before))
      w.compactSize(2 ** 25)
    })
    expect(failure(command, bytes)).toBe("malformed")
  })

  it("a transaction whose witness stack announces 2^25 items in a few bytes allocates nothing", () => {
    const bytes = encode(4 + 2 + 1 + 41 + 1 + 5, (w) => {
      w.i32(2)
      w.u16(0x0100)
      w.u8(1)
      w.raw(new Uint8Array(41))
      w.u8(0)
      w.compactSize(2 ** 25)
    })
    expect(failure("tx", bytes)).toBe("malformed")
  })
})
