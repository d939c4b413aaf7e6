import {
  FAULTS,
  FORGIVEN,
  MAX_FEATURES_KEPT,
  type PeerInfo,
  describePeerDisconnect,
  whyNotPermitted
} from "@satwire/peer"
import { arbitraryMessages } from "@satwire/testkit"
import {
  type Command,
  type Feature,
  Inventory,
  MSG_TX,
  MSG_WTX,
  type Message,
  NODE_BLOOM,
  NODE_COMPACT_FILTERS,
  SENDADDRV2,
  SENDHEADERS,
  VERACK,
  WTXIDRELAY,
  commands
} from "@satwire/wire"
import { ZERO_HASH } from "@satwire/primitives"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type BenchOptions, PeerBench } from "./PeerBench.ts"
import { frame, framed, versionOf } from "./frames.ts"

const feature = (featureId: string, featureData: Uint8Array = new Uint8Array(0)): Feature => ({
  _tag: "feature",
  featureId,
  featureData
})
const ends = (bench: PeerBench): ReadonlyArray<string> =>
  bench.outputs().flatMap((output) => (output._tag === "Disconnect" ? [describePeerDisconnect(output.reason)] : []))

describe("features by name", () => {
  it("are said between the version and the verack, to those who know of them", () => {
    const says = { features: [feature("feature-one"), feature("feature-two")] }
    const bench = new PeerBench({ says })
    bench.receive(framed(versionOf()))
    expect(bench.sentCommands()).toEqual(["version", "wtxidrelay", "sendaddrv2", "feature", "feature", "verack"])
    const older = new PeerBench({ says })
    older.receive(framed(versionOf({ protocolVersion: 70016 })))
    expect(older.sentCommands()).not.toContain("feature")
  })

  it("are kept as they come, the first of a name, and so many of them", () => {
    const bench = new PeerBench()
    const names = Array.from({ length: MAX_FEATURES_KEPT + 5 }, (_, i) => feature(`name${i}`))
    bench.receive(framed(versionOf(), feature("name0", Uint8Array.of(1)), ...names, VERACK))
    const { features = [] } = bench.peer.snapshot().info ?? {}
    expect(features).toHaveLength(MAX_FEATURES_KEPT)
    expect(features[0]).toEqual(feature("name0", Uint8Array.of(1)))
    expect(features[1]?.featureId).toBe("name1")
  })

  it("end the connection below version 70017, after verack, and where they are malformed", () => {
    const old = new PeerBench()
    old.receive(framed(versionOf({ protocolVersion: 70016 }), feature("feature-one")))
    expect(ends(old)).toEqual(['"feature" came at version 70016, below FEATURE_VERSION (70017, BIP-0434)'])
    const late = PeerBench.ready()
    late.receive(framed(feature("feature-one")))
    expect(ends(late)[0]).toContain("after verack")
    for (const payload of [Uint8Array.of(3, 65, 66, 67, 0), Uint8Array.of(4, 65, 66, 67, 68, 0, 9)]) {
      const malformed = new PeerBench()
      malformed.receive(framed(versionOf()))
      malformed.receive(frame("feature", payload))
      expect(ends(malformed)).toHaveLength(1)
    }
  })

  it("are nothing before version", () => {
    const bench = new PeerBench()
    bench.receive(framed(feature("feature-one"), versionOf(), VERACK))
    expect(bench.peer.snapshot().info?.features).toBeUndefined()
  })
})

describe("reconciling sets of transactions", () => {
  const offer = { _tag: "sendtxrcncl", version: 1, salt: 7n } as const
  const offering: BenchOptions = { says: { reconciles: true, relay: true } }

  it("is agreed on where both sides offer it and announce by wtxid", () => {
    const bench = new PeerBench(offering)
    bench.receive(framed(versionOf(), WTXIDRELAY, { ...offer, version: 5 }, VERACK))
    const sent = bench.sent().find(({ _tag }) => _tag === "sendtxrcncl")
    const ourSalt = sent?._tag === "sendtxrcncl" ? sent.salt : 0n
    expect(bench.peer.snapshot().info?.reconciliation).toEqual({ version: 1, ourSalt, theirSalt: 7n })
  })

  it("is not, without wtxidrelay, or where we do not offer it", () => {
    const bench = new PeerBench(offering)
    bench.receive(framed(versionOf(), offer, VERACK))
    expect(bench.peer.snapshot().info?.reconciliation).toBeUndefined()
    const silent = new PeerBench({ says: { relay: true } })
    silent.receive(framed(versionOf(), WTXIDRELAY, offer, offer, VERACK, offer))
    expect(silent.peer.snapshot().info?.reconciliation).toBeUndefined()
    expect(ends(silent)).toEqual([])
  })

  it.each([
    ["twice", offering, [versionOf(), offer, offer], "it came twice"],
    ["of no version", offering, [versionOf(), { ...offer, version: 0 }], "there is no version 0 of it"],
    [
      "by one who wants no transactions",
      offering,
      [versionOf({ relay: false }), offer],
      "it wants no transactions itself"
    ],
    [
      "to one who wants none",
      { says: { reconciles: true, relay: false } },
      [versionOf(), offer],
      "we want no transactions"
    ],
    ["after verack", offering, [versionOf(), VERACK, offer], "after verack"]
  ] as const)("ends the connection %s", (_, options, messages, why) => {
    const bench = new PeerBench(options)
    bench.receive(framed(...messages))
    expect(ends(bench)[0]).toContain(why)
  })

  it("is not offered where addresses alone are wanted, nor for blocks alone", () => {
    for (const kind of ["addr-fetch", "block-relay-only"] as const) {
      const bench = new PeerBench({ ...offering, kind })
      bench.receive(framed(versionOf()))
      expect(bench.sentCommands()).not.toContain("sendtxrcncl")
    }
  })
})

describe("what was agreed on", () => {
  const infoWith = (fields: Partial<PeerInfo>, options: BenchOptions = {}): PeerInfo => {
    const info = PeerBench.ready(options).peer.snapshot().info
    if (info === undefined) throw new Error("not ready")
    return { ...info, ...fields }
  }
  const sample = (command: Command): Message =>
    fc.sample<Message>(arbitraryMessages[command], { numRuns: 1, seed: 5 })[0] as Message
  const permitted = (info: PeerInfo): ReadonlySet<Command> =>
    new Set(commands.filter((command) => whyNotPermitted(info, sample(command)) === undefined))

  it("decides what may be said: little to an old peer, all but drafts to a full one", () => {
    const old = permitted(infoWith({ commonVersion: 31800, services: 0n, wtxidRelay: false, addrV2: false }))
    expect([...old].sort()).toEqual(
      [
        ..."addr block cfcheckpt cfheaders cfilter getaddr getblocks getdata getheaders headers".split(" "),
        ..."inv mempool merkleblock notfound ping pong tx".split(" ")
      ].sort()
    )
    const full = permitted(infoWith({ services: NODE_BLOOM | NODE_COMPACT_FILTERS, wtxidRelay: true, addrV2: true }))
    const added = [...full].filter((command) => !old.has(command)).sort()
    expect(added.join(" ")).toBe(
      "addrv2 blocktxn cmpctblock feefilter filteradd filterclear filterload getblocktxn getcfcheckpt getcfheaders getcfilters sendcmpct sendheaders"
    )
  })

  it("opens the messages of BIP-0330 where it was reconciliation", () => {
    const reconciliation = { version: 1, ourSalt: 1n, theirSalt: 2n }
    for (const command of ["reqrecon", "sketch", "reqsketchext", "reconcildiff"] as const) {
      expect(whyNotPermitted(infoWith({}), sample(command))).toContain("BIP-0330")
      expect(whyNotPermitted(infoWith({ reconciliation }), sample(command))).toBeUndefined()
    }
  })

  it("lets a transaction be announced by the id that they asked for", () => {
    const inv = (type: number): Message => ({ _tag: "inv", inventory: Inventory.ofType(type, [ZERO_HASH]) })
    expect(whyNotPermitted(infoWith({ wtxidRelay: false }), inv(MSG_WTX))).toContain("BIP-0339")
    expect(whyNotPermitted(infoWith({ wtxidRelay: true }), inv(MSG_WTX))).toBeUndefined()
    expect(whyNotPermitted(infoWith({ wtxidRelay: false }), inv(MSG_TX))).toBeUndefined()
  })

  it("is kept to: what they would not understand is not sent, and whoever sends is told", () => {
    const bench = PeerBench.ready({ theirVersion: 70011 })
    bench.send(SENDHEADERS)
    bench.send(SENDADDRV2)
    expect(bench.sentCommands()).toEqual([])
    expect(bench.outputs()).toEqual([
      { _tag: "Unsent", command: "sendheaders", why: "it needs version 70012, and both speak 70011" },
      { _tag: "Unsent", command: "sendaddrv2", why: "it belongs to the handshake, which is done" }
    ])
  })
})

it("every fault says where Core judges alike, and none costs more than it says", () => {
  for (const { core } of [...Object.values(FAULTS), ...Object.values(FORGIVEN)]) expect(core).toMatch(/\.cpp|^none: /)
  for (const { cost } of Object.values(FORGIVEN)) expect(cost).toBe("ignore")
})
