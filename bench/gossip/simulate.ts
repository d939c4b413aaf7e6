/**
 * How far and how fast gossip goes: nodes in one process over TCP, every link held up by a proxy that passes bytes on so many milliseconds later.
 * It tells, of small messages and of payloads that are announced: how long until everybody has one, over how many hops, how often a node sent
 * one to the same peer, and how many of the bytes on the links were useful. `--nodes N`, `--links N`, `--delay MS`, `--messages N`, `--blocks N`.
 * Ends with 1 where a bound of the issue is broken; times count only with `--times`.
 */
import * as Net from "node:net"
import process from "node:process"
import { type GossipShape, announcedTopic, bytesCodec, makeGossipNode } from "@satwire/gossip"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}

const NODES = option("nodes", 50)
const LINKS = option("links", 8)
const DELAY_MS = option("delay", 100)
const MESSAGES = option("messages", 5)
const BLOCKS = option("blocks", 2)
const BLOCK_BYTES = 1_000_000
const MAX_HOPS = 6
const MAX_MS = 2000
const LEAST_USEFUL = 0.9

/** All bytes that passed any link. */
let carried = 0

/** Listens for one node; what passes comes later. */
const proxy = (port: number): Effect.Effect<number, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(
        () =>
          new Promise<Net.Server>((resolve) => {
            const server = Net.createServer((near) => {
              const far = Net.connect(port, "127.0.0.1")
              for (const [from, to] of [
                [near, far],
                [far, near]
              ] as const) {
                from.setNoDelay(true)
                from.on("data", (bytes) => {
                  carried += bytes.length
                  setTimeout(() => to.write(bytes), DELAY_MS)
                })
                from.on("error", () => to.destroy())
                from.on("close", () => setTimeout(() => to.destroy(), DELAY_MS))
              }
            })
            server.listen(0, "127.0.0.1", () => resolve(server))
          })
      ),
      (server) => Effect.sync(() => server.close())
    ),
    (server) => (server.address() as Net.AddressInfo).port
  )

interface Member {
  readonly gossip: GossipShape
  readonly messages: { readonly publish: (bytes: Uint8Array) => Effect.Effect<unknown, unknown> }
  readonly blocks: { readonly publish: (bytes: Uint8Array) => Effect.Effect<unknown, unknown> }
  readonly address: string
}

/** Who had what of whom, by the first four bytes. */
const heard = new Map<number, Map<string, string>>()
/** Of each message, how often it came over each link. */
const sent = new Map<string, number>()

const numberOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)

const note = (me: string, bytes: Uint8Array, from: string): void => {
  const all = heard.get(numberOf(bytes)) ?? new Map<string, string>()
  heard.set(numberOf(bytes), all.set(me, from))
}

const member = Effect.gen(function* () {
  const gossip = yield* makeGossipNode(
    { listen: ["/ip4/127.0.0.1/tcp/0"], security: ["noise"], limits: { maxPerHostASecond: 10_000, maxPending: 1000 } },
    // In the real world not everybody is told at once by who publishes.
    { mesh: { floodPublish: false } }
  )
  const { peerId } = gossip.node
  const messages = yield* gossip.topic("messages", {
    codec: bytesCodec,
    onMessage: (from, data) => {
      const link = `${numberOf(data)} ${from} ${peerId}`
      sent.set(link, (sent.get(link) ?? 0) + 1)
      return true
    }
  })
  const blocks = yield* announcedTopic(gossip, "blocks")
  for (const topic of [messages, blocks]) {
    yield* Effect.forkScoped(
      Stream.runForEach(topic.messages, ({ message, from }) => Effect.sync(() => note(peerId, message, from)))
    )
  }
  const port = Number(/tcp\/(\d+)/.exec(gossip.node.addresses()[0] ?? "")?.[1])
  const one: Member = {
    gossip,
    messages,
    blocks,
    address: `/ip4/127.0.0.1/tcp/${yield* proxy(port)}/p2p/${peerId}`
  }
  return one
})

const hopsOf = (origin: string, from: ReadonlyMap<string, string>): number => {
  let most = 0
  for (const start of from.keys()) {
    let hops = 0
    for (let at: string | undefined = start; at !== undefined && at !== origin && hops <= NODES; at = from.get(at))
      hops++
    most = Math.max(most, hops)
  }
  return most
}

let serial = 0

/** Publishes one from some node, and waits until everybody has it. */
const spread = (members: ReadonlyArray<Member>, kind: "messages" | "blocks", size: number) =>
  Effect.gen(function* () {
    const bytes = new Uint8Array(size).fill(1)
    const id = ++serial
    new DataView(bytes.buffer).setUint32(0, id)
    const origin = members[(id * 7) % members.length] as Member
    const [startedAt, before] = [performance.now(), carried]
    yield* origin[kind].publish(bytes)
    const count = (): number => heard.get(id)?.size ?? 0
    while (count() < members.length - 1 && performance.now() - startedAt < 60_000) yield* Effect.sleep(5)
    const ms = performance.now() - startedAt
    const hops = hopsOf(origin.gossip.node.peerId, heard.get(id) ?? new Map<string, string>())
    return { ms, hops, reached: count(), useful: ((members.length - 1) * size) / (carried - before) }
  })

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const broken: Array<string> = []

const program = Effect.gen(function* () {
  const members: Array<Member> = []
  for (let n = 0; n < NODES; n++) {
    members.push(yield* member)
  }
  // A ring, and chords that are the same in every run.
  const links: Array<Effect.Effect<unknown, unknown>> = []
  for (let n = 0; n < NODES; n++) {
    for (let k = 0; k < LINKS / 2; k++) {
      const other = (n + 1 + ((k * k * 7 + k * n * 3) % (NODES - 1))) % NODES
      if (other !== n) links.push((members[n] as Member).gossip.node.connect((members[other] as Member).address))
    }
  }
  yield* Effect.all(
    links.map((link) => Effect.retry(link, { times: 5 })),
    { concurrency: 4, discard: true }
  )
  yield* Effect.sleep(3000 + 10 * DELAY_MS)
  const small = []
  for (let n = 0; n < MESSAGES; n++) small.push(yield* spread(members, "messages", 200))
  const large = []
  for (let n = 0; n < BLOCKS; n++) large.push(yield* spread(members, "blocks", BLOCK_BYTES))
  const twice = [...sent.values()].filter((times) => times > 1).length
  for (const [name, all] of [
    ["200 bytes", small],
    ["1 MB", large]
  ] as const) {
    for (const { ms, hops, reached, useful } of all) {
      say(
        `${name}: ${reached} of ${NODES - 1} in ${Math.round(ms)} ms, ${hops} hops, ${(useful * 100).toFixed(1)} % useful`
      )
      if (reached < NODES - 1) broken.push(`${name}: not everybody was reached`)
      if (hops > MAX_HOPS) broken.push(`${name}: ${hops} hops`)
      if (name === "1 MB" && useful < LEAST_USEFUL) broken.push(`${name}: ${(useful * 100).toFixed(1)} % useful`)
      if (process.argv.includes("--times") && name === "200 bytes" && ms > MAX_MS)
        broken.push(`${name}: ${Math.round(ms)} ms`)
    }
  }
  say(`sent twice over one link in one direction: ${twice} of ${sent.size}`)
  if (twice > 0) broken.push("a message went twice to one peer")
})

await Effect.runPromise(Effect.scoped(Effect.raceFirst(program, Effect.sleep(250_000))))
for (const what of broken) say(`BROKEN ${what}`)
process.exit(broken.length > 0 ? 1 : 0)
