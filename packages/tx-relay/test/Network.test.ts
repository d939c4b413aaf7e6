/** Twenty machines on one clock, and links that take their time: what one takes all get, and each asks once. */
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { Instant, PeerId, type Random, UnixSeconds } from "@satwire/machine"
import { looseTransaction } from "@satwire/testkit"
import type { NamedTransaction } from "@satwire/tx-request"
import { MSG_WTX, NODE_WITNESS } from "@satwire/wire"
import { describe, expect, it } from "vitest"
import { TxRelay, type TxRelayInput, type TxRelayMessage, type TxRelayOutput } from "../src/index.ts"
import { TestPool } from "./TestPool.ts"

const NODES = 20
const TRANSACTIONS = 200

interface Node {
  readonly relay: TxRelay
  readonly pool: TestPool
  /** How often each transaction was asked for by its wtxid, whomever. */
  readonly asked: Map<string, number>
  readonly links: Set<number>
  readonly owed: Set<number>
}

interface Delivery {
  readonly at: number
  readonly from: number
  readonly to: number
  readonly message: TxRelayMessage
}

class Network {
  readonly nodes: ReadonlyArray<Node>
  readonly random: Random
  readonly trace: Array<string> = []
  /** In the order of their times. */
  #deliveries: Array<Delivery> = []
  readonly #lastOf: Map<string, number> = new Map()
  #ms = 0

  constructor(seed: number) {
    const random = ChaChaRandom.fromNumber(seed)
    this.random = random
    this.nodes = Array.from({ length: NODES }, () => {
      const pool = new TestPool()
      const relay = new TxRelay({
        random: random.fork(),
        sha256: portableSha256,
        pool,
        relays: true,
        fetches: true,
        isBlocksOnly: false,
        isCatchingUp: () => false
      })
      return { relay, pool, asked: new Map(), links: new Set(), owed: new Set() }
    })
    // A ring, so that all can be reached, and chords.
    for (let node = 0; node < NODES; node++) {
      this.#link(node, (node + 1) % NODES)
      this.#link(node, random.below(NODES))
      this.#link(node, random.below(NODES))
    }
  }

  #link(from: number, to: number): void {
    if (from === to || this.#node(from).links.has(to)) return
    for (const [node, peer, isOutbound] of [
      [from, to, true],
      [to, from, false]
    ] as const) {
      this.#node(node).links.add(peer)
      this.input(node, {
        _tag: "PeerReady",
        peer: PeerId(peer),
        isOutbound,
        networkKey: "ipv4",
        services: NODE_WITNESS,
        relaysTransactions: true,
        // Some are old.
        wtxidRelay: from % 5 !== 0 && to % 5 !== 0,
        isBlockOnly: false,
        isPreferred: isOutbound,
        isTrusted: false,
        mayRelay: false,
        forceRelay: false,
        mayAskForPool: false
      })
    }
  }

  #node(n: number): Node {
    return this.nodes[n] as Node
  }

  input(n: number, input: TxRelayInput): void {
    const { asked, owed, pool, relay } = this.#node(n)
    const now = { instant: Instant(this.#ms), unix: UnixSeconds(1_800_000_000) }
    const inputs = [input]
    const push = (output: TxRelayOutput): void => {
      if (output._tag === "Submit") inputs.push({ _tag: "Submitted", wtxid: output.wtxid, result: pool.submit(output) })
      if (output._tag === "ReplyOwed" && output.owed) owed.add(output.peer)
      if (output._tag === "ReplyOwed" && !output.owed) owed.delete(output.peer)
      if (output._tag === "Disconnect") throw new Error("nobody gave a reason")
      if (output._tag !== "Send") return
      if (output.message._tag === "getdata") {
        for (const { hash, type } of output.message.inventory) {
          if (type === MSG_WTX) asked.set(hash.join(), (asked.get(hash.join()) ?? 0) + 1)
        }
      }
      this.#send(n, output.peer, output.message)
    }
    for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) relay.handle(next, now, { push })
    for (const peer of owed) relay.handle({ _tag: "Drained", peer: PeerId(peer) }, now, { push })
  }

  /** Messages of one link keep their order. */
  #send(from: number, to: number, message: TxRelayMessage): void {
    const link = `${from}>${to}`
    const at = Math.max(this.#lastOf.get(link) ?? 0, this.#ms + 20 + this.random.below(200))
    this.#lastOf.set(link, at)
    this.trace.push(`${at} ${link} ${message._tag}`)
    const place = this.#deliveries.findLastIndex((each) => each.at <= at) + 1
    this.#deliveries.splice(place, 0, { at, from, to, message })
  }

  /** Goes on up to a time. */
  run(untilMs: number): void {
    for (;;) {
      const timeouts = this.nodes.map(({ relay }) => relay.nextTimeout() ?? Infinity)
      const first = Math.min(...timeouts)
      const delivery = this.#deliveries[0]
      const next = Math.min(first, delivery?.at ?? Infinity)
      if (next > untilMs) break
      this.#ms = Math.max(this.#ms, next)
      if (delivery !== undefined && delivery.at <= first) {
        this.#deliveries.shift()
        this.input(delivery.to, { _tag: "Received", peer: PeerId(delivery.from), message: delivery.message })
      } else this.input(timeouts.indexOf(first), { _tag: "Timeout" })
    }
    this.#ms = untilMs
  }

  end(): void {
    this.nodes.forEach(({ links }, n) => {
      for (const peer of links) this.input(n, { _tag: "PeerGone", peer: PeerId(peer) })
    })
  }
}

/** Families of a few generations, which come out of order. */
const families = (random: Random, count: number): ReadonlyArray<NamedTransaction> => {
  const all: Array<NamedTransaction> = []
  for (let n = 0; n < count; n++) {
    const parent = n % 4 === 0 ? undefined : all[n - 1 - random.below(n % 4)]
    const spends = parent === undefined ? [n] : ([[parent.txid, 0]] as const)
    all.push(looseTransaction({ spends, nonce: n, witnessBytes: n % 3 === 0 ? 0 : 20 }))
  }
  return all
}

const play = (seed: number, count: number): Network => {
  const network = new Network(seed)
  families(network.random, count).forEach(({ tx }, n) => {
    network.run(100 * n)
    // A family is made by one node, of which each may come to others before what it spends of.
    network.input((Math.floor(n / 4) * 7) % NODES, { _tag: "SubmitLocal", tx })
  })
  network.run(100 * count + 10 * 60_000)
  return network
}

describe("twenty nodes", () => {
  const network = play(1, TRANSACTIONS)

  it("get every transaction, whoever made it", () => {
    expect(network.nodes.map(({ pool }) => pool.size)).toEqual(new Array(NODES).fill(TRANSACTIONS))
    expect(
      network.nodes.every(({ relay }) => relay.snapshot().orphans === 0 && relay.snapshot().announcements === 0)
    ).toBe(true)
  })

  it("ask once for each", () => {
    const often = network.nodes.flatMap(({ asked }) => [...asked.values()]).filter((times) => times > 1)
    expect(often).toEqual([])
    const asked = network.nodes.reduce((sum, each) => sum + each.asked.size, 0)
    expect(asked).toBeGreaterThan(TRANSACTIONS)
  })

  it("do the same again from the same seed", () => {
    expect(play(2, 20).trace).toEqual(play(2, 20).trace)
  })

  it("hold nothing once they have parted", () => {
    network.end()
    expect(network.nodes.every(({ relay }) => relay.isEmpty)).toBe(true)
  })
})
