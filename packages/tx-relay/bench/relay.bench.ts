/**
 * What relay costs: memory of peers that say nothing, announcements looked at, and transactions told to many peers. All in memory, thread CPU.
 *
 *   node --conditions=@satwire/source --expose-gc packages/tx-relay/bench/relay.bench.ts
 */
import process from "node:process"
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import { looseTransaction } from "@satwire/testkit"
import { INV_ENTRY_SIZE, Inventory, MSG_WTX, NODE_NETWORK, NODE_WITNESS } from "@satwire/wire"
import { TxRelay, type TxRelayOutput } from "../src/index.ts"
import { TestPool } from "../test/TestPool.ts"

const { gc } = globalThis as { gc?: () => void }
const heap = (): number => {
  gc?.()
  gc?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const cpuMs = (work: () => void): number => {
  const start = process.threadCpuUsage()
  work()
  const { system, user } = process.threadCpuUsage(start)
  return (user + system) / 1000
}

class Bench {
  readonly pool: TestPool = new TestPool()
  readonly relay: TxRelay
  #ms = 0
  sent = 0
  readonly #outbox = {
    push: (output: TxRelayOutput): void => {
      if (output._tag === "Send") this.sent += 1
    }
  }

  constructor() {
    this.relay = new TxRelay({
      random: ChaChaRandom.fromNumber(1),
      sha256: portableSha256,
      pool: this.pool,
      relays: true,
      fetches: true,
      isBlocksOnly: false,
      isCatchingUp: () => false
    })
  }

  get now(): Now {
    return { instant: Instant(this.#ms), unix: UnixSeconds(1_800_000_000) }
  }

  ready(peer: number): void {
    this.relay.handle(
      {
        _tag: "PeerReady",
        peer: PeerId(peer),
        isOutbound: false,
        networkKey: "ipv4",
        services: NODE_NETWORK | NODE_WITNESS,
        relaysTransactions: true,
        wtxidRelay: true,
        isBlockOnly: false,
        isPreferred: false,
        isTrusted: false,
        mayRelay: false,
        forceRelay: false,
        mayAskForPool: false
      },
      this.now,
      this.#outbox
    )
  }

  inv(peer: number, first: number, count: number): void {
    const raw = new Uint8Array(INV_ENTRY_SIZE * count)
    const view = new DataView(raw.buffer)
    for (let n = 0; n < count; n++) {
      raw[INV_ENTRY_SIZE * n] = MSG_WTX
      view.setUint32(INV_ENTRY_SIZE * n + 4, first + n)
    }
    const inventory = new Inventory(raw)
    this.relay.handle(
      { _tag: "Received", peer: PeerId(peer), message: { _tag: "inv", inventory } },
      this.now,
      this.#outbox
    )
  }

  /** Timeouts up to a time; gives how long the longest took. */
  elapse(ms: number): number {
    const end = this.#ms + ms
    let longest = 0
    for (let next = this.relay.nextTimeout(); next !== undefined && next <= end; next = this.relay.nextTimeout()) {
      this.#ms = Math.max(this.#ms, next)
      longest = Math.max(
        longest,
        cpuMs(() => this.relay.handle({ _tag: "Timeout" }, this.now, this.#outbox))
      )
    }
    this.#ms = end
    return longest
  }

  accept(count: number): void {
    for (let n = 0; n < count; n++) {
      const { tx, txid, wtxid } = looseTransaction({ spends: [n], nonce: this.pool.size })
      this.relay.handle({ _tag: "SubmitLocal", tx }, this.now, this.#outbox)
      this.pool.submit({ tx, txid, wtxid })
      const result = { _tag: "Accepted", replaced: [] } as const
      this.relay.handle({ _tag: "Submitted", wtxid, result }, this.now, this.#outbox)
    }
  }
}

const idle = (): void => {
  const bench = new Bench()
  const before = heap()
  for (let peer = 1; peer <= 10_000; peer++) bench.ready(peer)
  console.log(`a peer that says nothing: ${Math.round((heap() - before) / 10_000)} bytes, of 10,000`)
  // They are to live until they were weighed.
  if (bench.relay.snapshot().peers !== 10_000) throw new Error("peers are missing")
}

const announcements = (areSame: boolean): void => {
  const bench = new Bench()
  for (let peer = 1; peer <= 125; peer++) bench.ready(peer)
  const before = heap()
  const ms = cpuMs(() => {
    for (let part = 0; part < 5; part++) {
      for (let peer = 1; peer <= 125; peer++) bench.inv(peer, 5000 * (areSame ? 0 : peer) + 1000 * part, 1000)
    }
  })
  const { announcements } = bench.relay.snapshot()
  const what = areSame ? "the same 5,000 of each" : "others of each"
  console.log(
    `${announcements} announcements of 125 peers, ${what}: ${Math.round(announcements / ms)} a millisecond, ` +
      `${Math.round((heap() - before) / 1e6)} MB with what the peers are known to have (7 MB)`
  )
  let longest = 0
  const due = cpuMs(() => (longest = bench.elapse(2000)))
  console.log(`  all become due at once: ${Math.round(due)} ms, the longest turn ${longest.toFixed(1)} ms`)
}

const telling = (peers: number): void => {
  const bench = new Bench()
  for (let peer = 1; peer <= peers; peer++) bench.ready(peer)
  bench.accept(70)
  let longest = 0
  const first = cpuMs(() => (longest = bench.elapse(60_000)))
  bench.accept(70)
  bench.sent = 0
  const ms = cpuMs(() => (longest = bench.elapse(60_000)))
  console.log(
    `70 transactions told to ${peers} peers: ${Math.round(ms)} ms (the first time ${Math.round(first)}), ` +
      `${Math.round((70 * peers) / ms)} announcements a millisecond, the longest turn ${longest.toFixed(1)} ms`
  )
}

idle()
announcements(false)
announcements(true)
telling(125)
telling(1000)
