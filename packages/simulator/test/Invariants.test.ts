/** That the invariants bite: a node that breaks one on purpose is caught, by the invariant that is meant for it. */
import { concat } from "@satwire/bytes"
import { Instant, type Now, type Outbox, type PeerId } from "@satwire/machine"
import type { NodeCoreInput, NodeCoreOutput } from "@satwire/node-core"
import { regtest } from "@satwire/primitives"
import {
  type Actor,
  Breach,
  ChainInvariants,
  HonestNode,
  MinedHeaders,
  Simulation,
  mineChain,
  peerInvariants,
  wireInvariants
} from "@satwire/simulator"
import { FRAMES_PER_TURN, PING_INTERVAL_MS } from "@satwire/peer"
import { describe, expect, it } from "vitest"

const MINUTE = 60_000

/** A saboteur's work: what it makes of the outputs of a turn. */
type Alter = (outputs: ReadonlyArray<NodeCoreOutput>, input: NodeCoreInput, now: Now) => ReadonlyArray<NodeCoreOutput>

interface Sabotage {
  readonly alter?: Alter
  readonly nextTimeout?: (core: Actor) => Instant | undefined
  /** Which inputs the node never hears of. */
  readonly deafTo?: (input: NodeCoreInput) => boolean
}

const saboteur =
  ({ alter = (outputs) => outputs, nextTimeout = (core) => core.nextTimeout(), deafTo = () => false }: Sabotage) =>
  (core: Actor): Actor => ({
    nextTimeout: () => nextTimeout(core),
    handle(input: NodeCoreInput, now: Now, out: Outbox<NodeCoreOutput>) {
      const outputs: Array<NodeCoreOutput> = []
      if (!deafTo(input)) core.handle(input, now, outputs)
      for (const output of alter(outputs, input, now)) out.push(output)
    }
  })

/** Three nodes in a ring that mine, are parted, fall silent and forget each other; the first is in a saboteur's hands. */
const story = (sabotage: Sabotage): string | undefined => {
  const simulation = new Simulation(7)
  const mined = new MinedHeaders()
  const honest = [0, 1, 2].map(
    (i) => new HonestNode(simulation, `node-${i}`, regtest, i === 0 ? { through: saboteur(sabotage) } : {})
  )
  const chains = new ChainInvariants(honest, mined)
  for (const check of [chains.afterTurn, peerInvariants(honest), wireInvariants(honest)]) simulation.always(check)
  const ring = honest.map(({ node }) => node)
  ring.forEach((node, i) => {
    simulation.connect(node, ring[(i + 1) % 3] as typeof node, { latencyMs: 20, jitterMs: 5, chunkBytes: 200 })
  })
  for (let minute = 1; minute < 12; minute++) simulation.after(minute * MINUTE, () => honest[minute % 3]?.mine())
  simulation.after(4.5 * MINUTE, () => simulation.partition((node) => (node.index === 0 ? 1 : 0)))
  simulation.after(7.5 * MINUTE, () => simulation.partition(() => 0))
  try {
    simulation.explain(() => {
      simulation.run(15 * MINUTE)
      chains.atEnd()
      simulation.partition((node) => node.index)
      simulation.run(60 * MINUTE)
    })
  } catch (thrown) {
    if (thrown instanceof Breach) return thrown.message
    throw thrown
  }
  return undefined
}

const only = (
  test: (output: NodeCoreOutput) => boolean,
  change: (output: NodeCoreOutput) => ReadonlyArray<NodeCoreOutput>
): Sabotage => ({
  alter: (outputs) => outputs.flatMap((output) => (test(output) ? change(output) : [output]))
})

const without = (tag: NodeCoreOutput["_tag"]): Sabotage =>
  only(
    ({ _tag }) => _tag === tag,
    () => []
  )

/** Changes the bytes of writes. */
const rewriting = (change: (bytes: Uint8Array) => Uint8Array | undefined): Sabotage =>
  only(
    ({ _tag }) => _tag === "Write",
    (output) => {
      if (output._tag !== "Write") return [output]
      const bytes = change(Uint8Array.from(output.bytes))
      return bytes === undefined ? [output] : [{ ...output, bytes }]
    }
  )

const commandOf = (bytes: Uint8Array, at = 0): string =>
  String.fromCharCode(...bytes.subarray(at + 4, at + 16)).replace(/\0+$/, "")

const repeated = (bytes: Uint8Array, times: number): Uint8Array => concat(Array.from({ length: times }, () => bytes))

/** A frame of nothing but a command. */
const emptyFrame = (magic: number, command: string): Uint8Array => {
  const bytes = new Uint8Array(24)
  new DataView(bytes.buffer).setUint32(0, magic, true)
  bytes.set(new TextEncoder().encode(command), 4)
  bytes.set([0x5d, 0xf6, 0xe0, 0xe2], 20)
  return bytes
}

const gone = new Set<PeerId>()

const cases: ReadonlyArray<readonly [string, string, Sabotage]> = [
  // Connections.
  ["closes and tells nobody", "and told nobody", without("PeerDisconnecting")],
  ["does not tell who came", "for a connection that it does not have", without("PeerConnected")],
  ["says that somebody left who is still there", "is said to be gone and was not closed", without("Close")],
  ["does not tell of a handshake", "before the handshake was done", without("PeerReady")],
  [
    "tells of one twice",
    "a handshake was done twice",
    only(
      ({ _tag }) => _tag === "PeerReady",
      (output) => [output, output]
    )
  ],
  [
    "writes twice in a turn",
    "two writes to one peer",
    only(
      ({ _tag }) => _tag === "Write",
      (output) => [output, output]
    )
  ],
  ["writes nothing", "a write of nothing", rewriting(() => new Uint8Array(0))],
  [
    "writes to a connection that is gone",
    "for a connection that it does not have",
    {
      alter: (outputs) => {
        const late = [...gone].map((peer): NodeCoreOutput => ({
          _tag: "Write",
          peer,
          bytes: emptyFrame(regtest.magic, "x")
        }))
        for (const output of outputs) if (output._tag === "PeerDisconnecting") gone.add(output.peer)
        return [...outputs, ...late]
      }
    }
  ],
  [
    "has a last word after closing",
    "for a connection that it just closed",
    only(
      ({ _tag }) => _tag === "Close",
      (output) => [output, { _tag: "Pause", peer: (output as { readonly peer: PeerId }).peer, paused: true }]
    )
  ],
  [
    "pauses twice",
    "a pause that changes nothing",
    only(
      ({ _tag }) => _tag === "PeerReady",
      (output) => [output, { _tag: "Pause", peer: (output as { readonly peer: PeerId }).peer, paused: false }]
    )
  ],
  [
    "blames an honest peer",
    "which broke no rule",
    only(
      ({ _tag }) => _tag === "PeerDisconnecting",
      (output) => (output._tag === "PeerDisconnecting" ? [{ ...output, cost: "discourage" }] : [])
    )
  ],
  [
    "cannot read what an honest peer writes",
    'it dropped a "inv" of node-',
    only(
      ({ _tag }) => _tag === "PeerReady",
      (output) => [
        output,
        { _tag: "MessageDropped", peer: (output as { readonly peer: PeerId }).peer, command: "inv", why: "" }
      ]
    )
  ],
  // Time.
  ["waits for nothing", "it has peers and waits for nothing", { nextTimeout: () => undefined }],
  [
    "sleeps for too long",
    "it wants to sleep for longer",
    { nextTimeout: (core) => Instant((core.nextTimeout() ?? 0) + 60 * MINUTE) }
  ],
  ["has no idea when", "is no time", { nextTimeout: () => Instant(Number.NaN) }],
  [
    "waits for something with nobody there",
    "it has nobody and waits",
    { nextTimeout: (core) => core.nextTimeout() ?? Instant(90 * MINUTE) }
  ],
  ["does not do what is due", "is still due after its turn", { deafTo: ({ _tag }) => _tag === "Timeout" }],
  [
    "keeps peers for ever",
    "of whom it heard nothing for 20 min",
    {
      deafTo: ({ _tag }) => _tag === "Timeout",
      nextTimeout: (core) => {
        const next = core.nextTimeout()
        // It looks awake: its deadline is always one minute after the last turn.
        return next === undefined ? undefined : Instant(sleepless.now + MINUTE)
      },
      alter: (outputs, _, now) => {
        sleepless.now = now.instant
        return outputs
      }
    }
  ],
  [
    "lets a backlog wait",
    "a backlog waits for nothing",
    only(
      ({ _tag }) => _tag === "PeerReady",
      (output) => [output, { _tag: "Pause", peer: (output as { readonly peer: PeerId }).peer, paused: true }]
    )
  ],
  // The wire.
  [
    "speaks before the one that dialled it",
    "it spoke before the peer that dialled it",
    {
      alter: (outputs, input) =>
        input._tag === "ConnectionOpened" && input.kind === "inbound"
          ? [...outputs, { _tag: "Write", peer: input.peer, bytes: emptyFrame(regtest.magic, "version") }]
          : outputs
    }
  ],
  ["cuts a frame", "ends within a frame", rewriting((bytes) => bytes.subarray(0, bytes.length - 1))],
  [
    "speaks to another network",
    "a frame of another network",
    rewriting((bytes) => {
      bytes[0] = 0
      return bytes
    })
  ],
  [
    "says verack twice",
    '"verack" twice',
    rewriting((bytes) => (commandOf(bytes) === "pong" ? emptyFrame(regtest.magic, "verack") : undefined))
  ],
  [
    "skips the features",
    '"ping" where the handshake wants',
    rewriting((bytes) => (commandOf(bytes) === "wtxidrelay" ? emptyFrame(regtest.magic, "ping") : undefined))
  ],
  [
    "pings without rest",
    "a ping too soon",
    rewriting((bytes) => (commandOf(bytes) === "ping" && bytes.length === 32 ? repeated(bytes, 2) : undefined))
  ],
  [
    "answers more than a turn may ask",
    "more frames than a turn may say",
    rewriting((bytes) => (commandOf(bytes) === "pong" ? repeated(bytes, 2 * FRAMES_PER_TURN) : undefined))
  ],
  [
    "says more than fits the send buffer",
    "more than a turn may say",
    rewriting((bytes) => (commandOf(bytes) === "pong" ? new Uint8Array(2_000_000) : undefined))
  ],
  // Chains.
  ["keeps new headers to itself", "headers and told of", without("HeadersAccepted")],
  ["keeps a new tip to itself", "no fact says so", without("TipChanged")],
  [
    "tells of other headers than it has",
    "are not its own",
    only(
      ({ _tag }) => _tag === "HeadersAccepted",
      (output) =>
        output._tag === "HeadersAccepted" ? [{ ...output, headers: output.headers.map((byte) => byte ^ 1) }] : []
    )
  ],
  [
    "miscounts a fork",
    "does not add up",
    only(
      ({ _tag }) => _tag === "TipChanged",
      (output) => (output._tag === "TipChanged" ? [{ ...output, added: output.added + 1 }] : [])
    )
  ],
  [
    "places a fork too high",
    "part below the fork",
    only(
      (output) => output._tag === "TipChanged" && output.removed > 0,
      (output) =>
        output._tag === "TipChanged"
          ? [{ ...output, forkHeight: output.forkHeight + 1, removed: output.removed - 1, added: output.added - 1 }]
          : []
    )
  ],
  ["takes in a header that nobody is known to have mined", "a header that nobody worked for", without("BlockMade")],
  [
    "does not hear of anything",
    "it follows a chain of work",
    { deafTo: ({ _tag }) => _tag === "BytesReceived" || _tag === "MakeBlock" }
  ]
]

const sleepless = { now: 0 }

describe("a node in a saboteur's hands is caught when it", () => {
  it.each(cases)("%s", (_, what, sabotage) => {
    gone.clear()
    sleepless.now = 0
    const breach = story(sabotage)
    expect(breach).toContain(what)
    expect(breach).toContain("replay: npm run simulate -- --seed 7")
    expect(breach).toContain("node-")
  })
})

describe("an honest node", () => {
  it("is not caught", () => {
    expect(story({})).toBeUndefined()
  })

  it("pings once in two minutes, which is what the invariant allows", () => {
    expect(PING_INTERVAL_MS).toBe(2 * MINUTE)
  })
})

describe("the book of mined headers", () => {
  it("knows what was written into it, and nothing else", () => {
    const chain = mineChain(regtest, 5, (height) => 1_700_000_000 + height, 1)
    const other = mineChain(regtest, 5, (height) => 1_700_000_000 + height, 2)
    const mined = new MinedHeaders()
    mined.add(chain)
    expect([mined.hasAll(chain), mined.hasAll(chain.subarray(80)), mined.hasAll(other)]).toEqual([true, true, false])
    for (let byte = 0; byte < 80; byte++) {
      const changed = chain.slice(0, 80)
      changed[byte] = (changed[byte] as number) ^ 1
      expect(mined.hasAll(changed)).toBe(false)
    }
  })
})
