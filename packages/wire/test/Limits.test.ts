import { Writer, compactSizeLength, concat, encode } from "@satwire/bytes"
import { BlockHash } from "@satwire/primitives"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import {
  type Codec,
  type Command,
  type Cost,
  type Message,
  codecOf,
  codecs,
  decodePayload,
  encodePayload
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

/** Bitcoin Core 28.1 `net_processing.cpp`, by message; for those that it has not, the BIPs. */
const COUNTED: ReadonlyArray<Counted> = [
  { command: "inv", limit: 50_000, before: 0, entryBytes: 36, after: 0, cost: "discourage" },
  { command: "getdata", limit: 50_000, before: 0, entryBytes: 36, after: 0, cost: "discourage" },
  { command: "notfound", limit: 50_000, before: 0, entryBytes: 36, after: 0, cost: "ignore" },
  { command: "headers", limit: 2000, before: 0, entryBytes: 81, after: 0, cost: "discourage" },
  { command: "addr", limit: 1000, before: 0, entryBytes: 30, after: 0, cost: "discourage" },
  { command: "addrv2", limit: 1000, before: 0, entryBytes: 9, after: 0, cost: "discourage" },
  { command: "getheaders", limit: 101, before: 4, entryBytes: 32, after: 32, cost: "disconnect" },
  { command: "getblocks", limit: 101, before: 4, entryBytes: 32, after: 32, cost: "disconnect" },
  { command: "version", limit: 256, before: 80, entryBytes: 1, after: 5, cost: "ignore" },
  { command: "cfheaders", limit: 2000, before: 65, entryBytes: 32, after: 0, cost: "disconnect" },
  { command: "filterload", limit: 36_000, before: 0, entryBytes: 1, after: 9, cost: "discourage" },
  { command: "filteradd", limit: 520, before: 0, entryBytes: 1, after: 0, cost: "discourage" },
  { command: "merkleblock", limit: 16_666, before: 84, entryBytes: 32, after: 1, cost: "ignore" },
  { command: "sketch", limit: 32_768, before: 0, entryBytes: 1, after: 0, cost: "disconnect" },
  { command: "reconcildiff", limit: 16_384, before: 1, entryBytes: 4, after: 0, cost: "disconnect" },
  { command: "getpkgtxns", limit: 100, before: 0, entryBytes: 32, after: 0, cost: "disconnect" },
  { command: "ancpkginfo", limit: 100, before: 0, entryBytes: 32, after: 0, cost: "disconnect" },
  { command: "pkgtxns", limit: 100, before: 0, entryBytes: 10, after: 0, cost: "disconnect" },
  { command: "getblocktxn", limit: 65_536, before: 32, entryBytes: 1, after: 0, cost: "ignore" },
  { command: "blocktxn", limit: 65_536, before: 32, entryBytes: 10, after: 0, cost: "ignore" },
  { command: "reject", limit: 12, before: 0, entryBytes: 1, after: 2, cost: "ignore" }
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
  it("costs nothing where it is malformed, because Core catches what reading throws, but for feature", () => {
    const costly = codecs.filter(({ malformed }) => malformed !== "ignore")
    expect(costly.map(({ command, malformed }) => [command, malformed])).toEqual([["feature", "disconnect"]])
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

describe("a compact block", () => {
  const prefix = 88
  const block = (ids: number, ...prefilled: ReadonlyArray<number>): Uint8Array =>
    encode(
      prefix + compactSizeLength(ids) + 6 * ids + compactSizeLength(prefilled.length) + 13 * prefilled.length,
      (w) => {
        w.raw(new Uint8Array(prefix))
        w.compactSize(ids)
        w.raw(new Uint8Array(6 * ids))
        w.compactSize(prefilled.length)
        for (const gap of prefilled) {
          w.u8(0xfd)
          w.u16(gap)
          w.raw(new Uint8Array(10))
        }
      }
    )
  /** Indexes in their shortest form, each before a transaction of nothing. */
  const tail = (...gaps: ReadonlyArray<number>): Uint8Array =>
    encode(
      gaps.reduce((sum, gap) => sum + compactSizeLength(gap) + 10, compactSizeLength(gaps.length)),
      (w) => {
        w.compactSize(gaps.length)
        for (const gap of gaps) {
          w.compactSize(gap)
          w.raw(new Uint8Array(10))
        }
      }
    )
  const compact = (ids: number, ...gaps: ReadonlyArray<number>): string => {
    const whole = block(ids)
    return failure("cmpctblock", concat([whole.subarray(0, whole.length - 1), tail(...gaps)]))
  }

  it("holds 65,535 transactions, whose indexes have 16 bits", () => {
    expect(compact(65_535)).toBe("decoded")
    expect(compact(65_534, 65_534)).toBe("decoded")
    expect(compact(65_535, 0)).toBe("malformed")
    expect(compact(65_536)).toBe("malformed")
  })

  it("is over its limit with 100,001 short ids, before anything is allocated", () => {
    const bytes = encode(prefix + 5, (w) => {
      w.raw(new Uint8Array(prefix))
      w.compactSize(100_001)
    })
    expect(failure("cmpctblock", bytes)).toBe("overLimit")
    expect(codecOf("cmpctblock")?.overLimit).toBe("discourage")
  })

  it("counts the prefilled ones towards the 100,000", () => {
    const whole = block(1)
    const count = encode(5, (w) => w.compactSize(100_000))
    expect(failure("cmpctblock", concat([whole.subarray(0, whole.length - 1), count]))).toBe("overLimit")
  })

  it("is over its limit with an index outside the block, which costs its sender as in Core", () => {
    expect(compact(2, 2)).toBe("decoded")
    expect(compact(2, 3)).toBe("overLimit")
    expect(compact(2, 0, 0, 2)).toBe("decoded")
    expect(compact(2, 0, 0, 3)).toBe("overLimit")
  })

  it("is malformed with an index that leaves 16 bits and might wrap around", () => {
    expect(compact(2, 0, 65_535)).toBe("malformed")
    expect(compact(2, 65_536)).toBe("malformed")
    expect(compact(2, 0x01ffffff)).toBe("malformed")
  })

  it("is malformed with an index that is not in its shortest form", () => {
    expect(failure("cmpctblock", block(2, 1))).toBe("malformed")
  })
})

describe("a getblocktxn", () => {
  const request = (...gaps: ReadonlyArray<number>): string =>
    failure(
      "getblocktxn",
      encode(
        gaps.reduce((sum, gap) => sum + compactSizeLength(gap), 32 + compactSizeLength(gaps.length)),
        (w) => {
          w.raw(new Uint8Array(32))
          w.compactSize(gaps.length)
          for (const gap of gaps) w.compactSize(gap)
        }
      )
    )

  it("is malformed with indexes that leave 16 bits, singly or in sum", () => {
    expect(request(65_535)).toBe("decoded")
    expect(request(65_536)).toBe("malformed")
    expect(request(65_534, 0)).toBe("decoded")
    expect(request(65_535, 0)).toBe("malformed")
    expect(request(0x01ffffff, 0x01ffffff)).toBe("malformed")
  })

  it("is not written where its indexes do not rise, because that is our bug", () => {
    const blockHash = BlockHash(new Uint8Array(32))
    for (const indexes of [[1, 1], [2, 1], [65_536], [-1]]) {
      expect(() => encodePayload({ _tag: "getblocktxn", blockHash, indexes })).toThrow(RangeError)
    }
  })
})

describe("a bloom filter", () => {
  it("has at most 50 hash functions, and more cost as much as too many bytes", () => {
    const filter = (hashFunctions: number): string =>
      failure(
        "filterload",
        encode(10, (w) => {
          w.compactSize(0)
          w.u32(hashFunctions)
          w.raw(new Uint8Array(5))
        })
      )
    expect(filter(50)).toBe("decoded")
    expect(filter(51)).toBe("overLimit")
    expect(filter(0xffffffff)).toBe("overLimit")
  })
})

describe("a feature", () => {
  const feature = (idBytes: number, dataBytes: number, after = 0): string =>
    failure(
      "feature",
      encode(compactSizeLength(idBytes) + idBytes + compactSizeLength(dataBytes) + dataBytes + after, (w) => {
        w.varBytes(new Uint8Array(idBytes).fill(65))
        w.varBytes(new Uint8Array(dataBytes))
        w.raw(new Uint8Array(after))
      })
    )

  it("has a name of 4 to 80 bytes and data of at most 512, and anything else ends the connection", () => {
    expect([feature(4, 0), feature(80, 512)]).toEqual(["decoded", "decoded"])
    expect([feature(3, 0), feature(0, 0)]).toEqual(["malformed", "malformed"])
    expect([feature(81, 0), feature(4, 513)]).toEqual(["overLimit", "overLimit"])
    expect(codecOf("feature")).toMatchObject({ malformed: "disconnect", overLimit: "disconnect" })
  })

  it("must end where it ends, and must have its data, also where that is empty", () => {
    expect(feature(4, 0, 1)).toBe("malformed")
    expect(failure("feature", Uint8Array.of(4, 65, 65, 65, 65))).toBe("malformed")
  })
})

describe("a boolean that its BIP makes 0 or 1 exactly", () => {
  it("costs the peer as in Core where sendcmpct has another", () => {
    const sendcmpct = (announce: number): string =>
      failure("sendcmpct", Uint8Array.of(announce, 2, 0, 0, 0, 0, 0, 0, 0))
    expect([0, 1, 2, 255].map(sendcmpct)).toEqual(["decoded", "decoded", "overLimit", "overLimit"])
    expect(codecOf("sendcmpct")?.overLimit).toBe("discourage")
  })

  it("costs nothing where sendcmpct ends early, whatever its first byte", () => {
    expect(failure("sendcmpct", Uint8Array.of(2, 2, 0))).toBe("malformed")
  })

  it("makes a reconcildiff malformed", () => {
    expect([0, 1, 2].map((success) => failure("reconcildiff", Uint8Array.of(success, 0)))).toEqual([
      "decoded",
      "decoded",
      "malformed"
    ])
  })
})

describe("a sketch", () => {
  it("is made of whole elements", () => {
    expect(failure("sketch", Uint8Array.of(4, 1, 2, 3, 4))).toBe("decoded")
    expect(failure("sketch", Uint8Array.of(3, 1, 2, 3))).toBe("malformed")
  })
})
