/**
 * What our layer costs: three nodes in a line in one process, messages from the first to the last, over js-libp2p by its own defaults, over bare
 * gossipsub on our node, and over `@satwire/gossip`, in turn. `--rounds N`, `--only tcp|quic`, `--work "200 bytes"`, `--lines plain,bare,ours`.
 *
 * All are told by the wall clock and by the CPU time of the whole process; on a machine with other work only the latter compares.
 */
import process from "node:process"
import { quic } from "@chainsafe/libp2p-quic"
import { type GossipSub, gossipsub } from "@libp2p/gossipsub"
import { identify } from "@libp2p/identify"
import { noise } from "@libp2p/noise"
import { tcp } from "@libp2p/tcp"
import { yamux } from "@libp2p/yamux"
import { bytesCodec, makeGossipNode } from "@satwire/gossip"
import { type Libp2pNodeOptions, type Libp2pNodeShape, makeLibp2pNode } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { createLibp2p } from "libp2p"

type Carriage = "tcp" | "quic"

const TOPIC = "bench"
const MiB = 1024 * 1024
const MAX_FRAME = 3 * MiB
const LISTEN = { tcp: "/ip4/127.0.0.1/tcp/0", quic: "/ip4/127.0.0.1/udp/0/quic-v1" }
const WORK = [
  { name: "200 bytes", bytes: 200, count: 3000, inFlight: 256 },
  { name: "1 MiB", bytes: MiB, count: 24, inFlight: 4 }
]

const option = (name: string, otherwise: string): string => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise)
}

const nodeOptions = (kind: Carriage): Libp2pNodeOptions => ({
  listen: [LISTEN[kind]],
  transports: [kind],
  security: ["noise"],
  limits: { maxPerHostASecond: 1000 }
})

/** Sends at the first node; the last one calls `heard` for each. */
interface Line {
  readonly send: (data: Uint8Array) => Promise<unknown>
  heard: () => void
}

const meshed = (isMeshed: () => boolean): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (!isMeshed()) yield* Effect.sleep(20)
  })

const connected = (nodes: ReadonlyArray<Libp2pNodeShape>): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    for (const [i, node] of nodes.entries()) {
      const next = nodes[i + 1]
      if (next !== undefined) yield* node.connect(next.addresses()[0] ?? "")
    }
  })

const bareGossip = () =>
  gossipsub({ globalSignaturePolicy: "StrictNoSign", fallbackToFloodsub: false, maxInboundDataLength: MAX_FRAME })

const lineOf = (services: ReadonlyArray<unknown>): Effect.Effect<Line> =>
  Effect.gen(function* () {
    const gossips = services as ReadonlyArray<GossipSub & { getMeshPeers: (topic: string) => Array<string> }>
    for (const gossip of gossips) gossip.subscribe(TOPIC)
    yield* meshed(() => gossips.reduce((sum, gossip) => sum + gossip.getMeshPeers(TOPIC).length, 0) === 4)
    const line: Line = { send: async (data) => gossips[0]?.publish(TOPIC, data), heard: () => undefined }
    gossips[2]?.addEventListener("message", () => line.heard())
    return line
  })

const plainLine = (kind: Carriage): Effect.Effect<Line, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const make = Effect.acquireRelease(
      Effect.promise(() =>
        createLibp2p({
          addresses: { listen: [LISTEN[kind]] },
          transports: [kind === "tcp" ? tcp() : quic()],
          connectionEncrypters: [noise()],
          streamMuxers: [yamux()],
          services: { identify: identify(), gossip: bareGossip() }
        })
      ),
      (node) => Effect.promise(async () => node.stop())
    )
    const nodes = [yield* make, yield* make, yield* make]
    for (const [i, node] of nodes.entries()) {
      const next = nodes[i + 1]
      if (next !== undefined) yield* Effect.promise(() => node.dial(next.getMultiaddrs()))
    }
    return yield* lineOf(nodes.map(({ services }) => services.gossip))
  })

const bareLine = (kind: Carriage): Effect.Effect<Line, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const make = Effect.suspend(() => makeLibp2pNode({ ...nodeOptions(kind), services: { gossip: bareGossip() } }))
    const nodes = [yield* make, yield* make, yield* make]
    yield* connected(nodes)
    return yield* lineOf(nodes.map(({ engine }) => engine.services["gossip"]))
  })

const BOUNDLESS = { perSecond: Number.MAX_SAFE_INTEGER, burst: Number.MAX_SAFE_INTEGER }

const ourLine = (kind: Carriage): Effect.Effect<Line, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const make = Effect.gen(function* () {
      const gossip = yield* makeGossipNode(nodeOptions(kind), {
        // Counted as ever, and never reached.
        limits: { messages: BOUNDLESS, bytes: BOUNDLESS },
        maxMessageBytes: 2 * MiB
      })
      const topic = yield* gossip.topic(TOPIC, {
        codec: bytesCodec,
        validate: ({ length }) => (length > 0 ? "accept" : "reject"),
        maxBytes: 2 * MiB
      })
      return { node: gossip.node, topic }
    })
    const all = [yield* make, yield* make, yield* make]
    yield* connected(all.map(({ node }) => node))
    yield* meshed(() => all.reduce((sum, { topic }) => sum + topic.mesh().length, 0) === 4)
    const run = Effect.runPromiseWith(yield* Effect.context())
    const [first, , last] = all
    if (first === undefined || last === undefined) return yield* Effect.die("a line has two ends")
    const line: Line = { send: async (data) => run(first.topic.publish(data)), heard: () => undefined }
    yield* Effect.forkScoped(
      Stream.runForEachArray(last.topic.messages, (some) => Effect.sync(() => some.forEach(() => line.heard())))
    )
    return line
  })

let serial = 0

/** Seconds by the wall clock, and of CPU. */
const measure = async (
  line: Line,
  { bytes, count, inFlight }: (typeof WORK)[number]
): Promise<{ readonly wall: number; readonly cpu: number }> => {
  let heard = 0
  let wake = (): void => undefined
  line.heard = () => {
    heard++
    wake()
  }
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()]
  for (let sent = 0; sent < count; sent++) {
    const data = new Uint8Array(bytes)
    new DataView(data.buffer).setUint32(0, ++serial)
    await line.send(data)
    while (sent + 1 - heard >= inFlight || (sent + 1 === count && heard < count)) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  const { user, system } = process.cpuUsage(cpu)
  return { wall: (performance.now() - startedAt) / 1000, cpu: (user + system) / 1e6 }
}

const median = (all: ReadonlyArray<number>): number => all.toSorted((a, b) => a - b)[all.length >> 1] ?? NaN

const rounds = Number(option("rounds", "5"))
const kinds = (["tcp", "quic"] as const).filter((kind) => option("only", kind) === kind)

const LINES = { plain: plainLine, bare: bareLine, ours: ourLine }
const names = (["plain", "bare", "ours"] as const).filter((name) => option("lines", "plain,bare,ours").includes(name))
const works = WORK.filter(({ name }) => option("work", name) === name)

interface Seen {
  readonly name: (typeof names)[number]
  readonly line: Line
  wall: Array<number>
  cpu: Array<number>
}

/** Each line in turn, round by round, and each first as often as last: what one leaves behind the next one clears away. The first round warms up. */
const compare = async (all: ReadonlyArray<Seen>, work: (typeof WORK)[number]): Promise<void> => {
  for (const one of all) [one.wall, one.cpu] = [[], []]
  for (let round = -1; round < rounds; round++) {
    for (const place of all.keys()) {
      const one = all[(round + 1 + place) % all.length] as Seen
      const { wall, cpu } = await measure(one.line, work)
      if (round < 0) continue
      one.wall.push(wall)
      one.cpu.push(cpu)
    }
  }
}

const tell = (kind: Carriage, all: ReadonlyArray<Seen>, work: (typeof WORK)[number]): void => {
  const told = (seconds: number): string =>
    work.bytes < MiB
      ? `${Math.round(work.count / seconds)}/s`
      : `${((work.count * work.bytes) / seconds / 1e6).toFixed(1)} MB/s`
  for (const { name, wall, cpu } of all) {
    process.stdout.write(
      `${kind} ${work.name} ${name}: ${told(median(wall))} by the wall clock, ${told(median(cpu))} of CPU, best ${told(Math.min(...wall))}\n`
    )
  }
  const ours = all.find(({ name }) => name === "ours")
  for (const other of all) {
    if (ours === undefined || other === ours) continue
    const more = (of: "wall" | "cpu"): string => `${((median(ours[of]) / median(other[of]) - 1) * 100).toFixed(1)} %`
    process.stdout.write(
      `${kind} ${work.name}: ours costs ${more("cpu")} more CPU than ${other.name}, ${more("wall")} more time\n`
    )
  }
}

const program = Effect.gen(function* () {
  for (const kind of kinds) {
    const all: Array<Seen> = []
    for (const name of names) all.push({ name, line: yield* LINES[name](kind), wall: [], cpu: [] })
    for (const work of works) {
      yield* Effect.promise(() => compare(all, work))
      tell(kind, all, work)
    }
  }
})

await Effect.runPromise(Effect.scoped(program))
process.exit()
