import { readFileSync } from "node:fs"
import {
  type Action,
  DEFAULT_PEER_CONNECT_TIMEOUT_MS,
  type Direction,
  HANDSHAKE,
  type ModeTag,
  actionFor,
  handshakeDiagram
} from "@satwire/peer"
import {
  type Command,
  type Message,
  PROTOCOL_VERSION,
  SENDADDRV2,
  SENDHEADERS,
  VERACK,
  WTXIDRELAY,
  WTXID_RELAY_VERSION,
  commands
} from "@satwire/wire"
import * as fc from "fast-check"
import { arbitraryMessages } from "@satwire/testkit"
import { describe, expect, it } from "vitest"
import { PeerBench, START_UNIX } from "./PeerBench.ts"
import { framed, versionOf } from "./frames.ts"

const directions: ReadonlyArray<Direction> = ["inbound", "outbound"]

describe("the order of a handshake", () => {
  it("inbound: says nothing before the other side's version, then everything at once", () => {
    const bench = new PeerBench({ direction: "inbound" })
    bench.elapse(1000)
    expect(bench.sentCommands()).toEqual([])
    bench.receive(framed(versionOf()))
    expect(bench.sentCommands()).toEqual(["version", "wtxidrelay", "sendaddrv2", "verack"])
    bench.receive(framed(VERACK))
    expect(bench.sentCommands()).toEqual(["ping"])
  })

  it("outbound: says its version first and the rest on theirs", () => {
    const bench = new PeerBench({ direction: "outbound" })
    expect(bench.sentCommands()).toEqual(["version"])
    bench.receive(framed(versionOf()))
    expect(bench.sentCommands()).toEqual(["wtxidrelay", "sendaddrv2", "verack"])
    bench.receive(framed(VERACK))
    expect(bench.sentCommands()).toEqual(["ping"])
  })

  it.each(directions)("%s: a verack in the same chunk as the version is one turn and one write", (direction) => {
    const bench = new PeerBench({ direction })
    bench.writes()
    bench.receive(framed(versionOf(), WTXIDRELAY, SENDADDRV2, VERACK))
    expect(bench.writes()).toHaveLength(1)
    expect(bench.outputs().map(({ _tag }) => _tag)).toEqual(["Ready"])
  })

  it("leaves the features out towards a peer that is too old for them", () => {
    const bench = new PeerBench()
    bench.receive(framed(versionOf({ protocolVersion: WTXID_RELAY_VERSION - 1 })))
    expect(bench.sentCommands()).toEqual(["version", "verack"])
  })

  it("leaves them out where we are the older one", () => {
    const bench = new PeerBench({ protocolVersion: WTXID_RELAY_VERSION - 1 })
    bench.receive(framed(versionOf(), WTXIDRELAY, VERACK))
    expect(bench.sentCommands()).toEqual(["version", "verack", "ping"])
    expect(bench.peer.snapshot().info).toMatchObject({ commonVersion: WTXID_RELAY_VERSION - 1, wtxidRelay: false })
  })

  it("sends what a manager has to say on Ready after the ping, as Core's round of sending does", () => {
    const bench = new PeerBench({
      onOutput: (output, self) => {
        if (output._tag === "Ready") self.peer.handle({ _tag: "Send", message: SENDHEADERS }, self.now, { push() {} })
      }
    })
    bench.receive(framed(versionOf(), VERACK))
    expect(bench.sentCommands().slice(-2)).toEqual(["ping", "sendheaders"])
  })

  it("sends nothing but the handshake before it is done: anything else is a bug of ours", () => {
    const bench = new PeerBench({ direction: "outbound" })
    expect(() => bench.send(SENDHEADERS)).toThrow("before the handshake is done")
  })
})

describe("what a handshake says and learns", () => {
  it("says what we are", () => {
    const bench = new PeerBench({ direction: "outbound" })
    expect(bench.sent()).toEqual([
      expect.objectContaining({
        _tag: "version",
        protocolVersion: PROTOCOL_VERSION,
        services: 1n,
        time: BigInt(START_UNIX),
        userAgent: "/ours:1.0/",
        startHeight: 100,
        relay: false
      })
    ])
  })

  it("draws another nonce for each connection, never 0", () => {
    const nonces = [1, 2, 3].map((seed) => {
      const [message] = new PeerBench({ direction: "outbound", seed }).sent()
      return message?._tag === "version" ? message.nonce : 0n
    })
    expect(new Set([0n, ...nonces]).size).toBe(4)
  })

  it("learns what they are, and how far their clock is from ours when they say so", () => {
    const bench = new PeerBench()
    bench.receive(framed(versionOf({ time: BigInt(START_UNIX + 90), services: 9n, startHeight: 5, relay: false })))
    // The verack may take its time.
    bench.elapse(30_000)
    bench.receive(framed(WTXIDRELAY, SENDADDRV2, VERACK))
    const info = {
      kind: "inbound",
      direction: "inbound",
      transport: "v1",
      sessionId: undefined,
      protocolVersion: PROTOCOL_VERSION,
      commonVersion: PROTOCOL_VERSION,
      services: 9n,
      userAgent: "/other:1.0/",
      startHeight: 5,
      relay: false,
      wtxidRelay: true,
      addrV2: true,
      reconciliation: undefined,
      features: undefined,
      timeOffsetSeconds: 90
    }
    expect(bench.outputs()).toEqual([{ _tag: "Ready", info }])
    expect(bench.peer.snapshot()).toMatchObject({ state: "ready", info })
  })

  it.each([
    [-(2n ** 63n), -START_UNIX],
    [0n, -START_UNIX],
    [2n ** 63n - 1n, 2 ** 63 - START_UNIX]
  ])("takes a time of %s for what Core takes it for", (time, offset) => {
    const bench = new PeerBench()
    bench.receive(framed(versionOf({ time }), VERACK))
    expect(bench.peer.snapshot().info?.timeOffsetSeconds).toBe(offset)
  })

  it("speaks the older of both versions", () => {
    const bench = new PeerBench()
    bench.receive(framed(versionOf({ protocolVersion: 2 ** 31 - 1 }), VERACK))
    expect(bench.peer.snapshot().info).toMatchObject({
      protocolVersion: 2 ** 31 - 1,
      commonVersion: PROTOCOL_VERSION
    })
  })

  it("believes wtxidrelay only of a peer whose version has it, sendaddrv2 of any", () => {
    const bench = new PeerBench()
    bench.receive(framed(versionOf({ protocolVersion: 70015 }), WTXIDRELAY, SENDADDRV2, VERACK))
    expect(bench.peer.snapshot().info).toMatchObject({ wtxidRelay: false, addrV2: true })
  })

  it("keeps what Core takes in before verack for whom it concerns: the last of each kind", () => {
    const bench = new PeerBench()
    const sendcmpct = { _tag: "sendcmpct", highBandwidth: false, version: 2n } as const
    const again = { ...sendcmpct, highBandwidth: true }
    bench.receive(framed(versionOf(), sendcmpct, SENDHEADERS, SENDHEADERS, again))
    expect(bench.outputs()).toEqual([])
    bench.receive(framed(VERACK))
    expect(bench.outputs().slice(1)).toEqual([
      { _tag: "Received", message: SENDHEADERS },
      { _tag: "Received", message: again }
    ])
  })
})

describe("the table", () => {
  const modes = Object.keys(HANDSHAKE) as ReadonlyArray<ModeTag>
  const bring = (mode: ModeTag, direction: Direction): PeerBench => {
    const bench = new PeerBench({ direction })
    if (mode !== "AwaitingVersion") bench.receive(framed(versionOf()))
    if (mode === "Ready") bench.receive(framed(VERACK))
    bench.sent()
    bench.outputs()
    return bench
  }
  const sample = (command: Command): Message =>
    fc.sample<Message>(arbitraryMessages[command], { numRuns: 1, seed: 5 })[0] as Message

  /** What a test sees of each action when the message is well-formed. */
  const seen: {
    readonly [A in Action]: { readonly sends?: ReadonlyArray<string>; readonly outputs: ReadonlyArray<string> }
  } = {
    acceptVersion: { outputs: [] },
    becomeReady: { sends: ["ping"], outputs: ["Ready"] },
    noteWtxidRelay: { outputs: [] },
    noteAddrV2: { outputs: [] },
    // We offer no reconciliation here, so what they offer is nothing to us.
    noteReconciliation: { outputs: [] },
    refuseLateReconciliation: { outputs: [] },
    noteFeature: { outputs: [] },
    keepForReady: { outputs: [] },
    refuseLate: { outputs: ["Disconnect"] },
    answerPing: { sends: ["pong"], outputs: [] },
    takePong: { outputs: [] },
    deliver: { outputs: ["Received"] },
    ignore: { outputs: [] }
  }

  const cases = directions.flatMap((direction) =>
    modes.flatMap((mode) => commands.map((command) => ({ direction, mode, command, action: actionFor(mode, command) })))
  )

  it.each(cases)("$direction $mode: $command does $action", ({ direction, mode, command, action }) => {
    const bench = bring(mode, direction)
    bench.receive(framed(command === "version" ? versionOf() : sample(command)))
    const features = ["wtxidrelay", "sendaddrv2", "verack"]
    const answers = direction === "inbound" ? ["version", ...features] : features
    const { sends = [], outputs } = seen[action]
    expect(bench.sentCommands()).toEqual(action === "acceptVersion" ? answers : sends)
    expect(bench.outputs().map(({ _tag }) => _tag)).toEqual(outputs)
  })

  it.each(directions)("%s: two versions are one", (direction) => {
    const bench = new PeerBench({ direction })
    bench.receive(framed(versionOf({ startHeight: 1 }), versionOf({ startHeight: 2 }), VERACK, versionOf(), VERACK))
    expect(bench.outputs().map(({ _tag }) => _tag)).toEqual(["Ready"])
    expect(bench.peer.snapshot().info?.startHeight).toBe(1)
    expect(bench.sentCommands().filter((command) => command === "verack")).toHaveLength(1)
  })

  it("is drawn in the README", () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")
    expect(readme).toContain(`\n\`\`\`mermaid\n${handshakeDiagram()}\n\`\`\`\n`)
  })
})

describe("a handshake that never comes", () => {
  const { length } = framed(versionOf())

  it.each([
    ["nothing at all", new Uint8Array(0), false],
    ["half a frame", framed(versionOf()).subarray(0, length - 1), true],
    ["a version and no verack", framed(versionOf()), true],
    ["other messages only", framed(SENDHEADERS, VERACK, WTXIDRELAY), true]
  ])("ends after 60 s with %s", (_, bytes, heard) => {
    for (const direction of directions) {
      const bench = new PeerBench({ direction })
      if (bytes.length > 0) bench.receive(bytes)
      bench.elapse(DEFAULT_PEER_CONNECT_TIMEOUT_MS - 1)
      expect(bench.outputs()).toEqual([])
      expect(bench.peer.snapshot().state).toBe("handshaking")
      bench.elapse(1)
      expect(bench.outputs()).toEqual([
        { _tag: "Disconnect", reason: { _tag: "HandshakeTimeout", heard }, cost: "disconnect" }
      ])
      expect(bench.peer.nextTimeout()).toBeUndefined()
    }
  })

  it("ends after 60 s in all, however busily bytes dribble in", () => {
    const bench = new PeerBench()
    const bytes = framed(versionOf(), VERACK)
    for (let at = 0; at < 59; at++) {
      bench.receive(bytes.subarray(at, at + 1))
      bench.elapse(1000)
    }
    expect(bench.outputs()).toEqual([])
    bench.elapse(1000)
    expect(bench.outputs()).toMatchObject([{ _tag: "Disconnect", reason: { _tag: "HandshakeTimeout", heard: true } }])
  })

  it("counts no longer once it is done", () => {
    const bench = PeerBench.ready()
    bench.elapse(DEFAULT_PEER_CONNECT_TIMEOUT_MS)
    expect(bench.outputs()).toEqual([])
  })
})
