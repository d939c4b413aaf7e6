/**
 * What the conversation about addresses costs, in microseconds of thread CPU, and what an idle peer costs of memory:
 *
 *   node --conditions=@satwire/source --expose-gc packages/discovery/bench/relay.bench.ts
 */
import { contest, contestClock } from "@satwire/testkit"
import type { KnownAddress } from "../src/index.ts"
import { known, nth } from "../test/Known.ts"
import { Relay } from "../test/Relay.ts"

const THOUSAND = Array.from({ length: 1000 }, (_, i) => known(nth(i)))

/** So many peers that speak of addresses, from id 1 on. */
const speaking = (count: number, mayFlood: boolean): Relay => {
  const relay = new Relay()
  relay.book = THOUSAND
  for (let id = 1; id <= count; id++) {
    relay.ready(id, { mayFlood })
    tell(relay, id, [])
  }
  return relay
}

const tell = (relay: Relay, id: number, addresses: ReadonlyArray<KnownAddress>): void => {
  relay.hear(id, { _tag: "addrv2", addresses })
  relay.outputs = []
}

const flooded = speaking(1, false)
const trusted = speaking(1, true)
const few = speaking(125, true)
const many = speaking(10_000, true)
const asked = speaking(0, false)
let n = 0

const works = [
  { name: "an addr of 1,000 over the peer's rate", times: 100, run: () => tell(flooded, 1, THOUSAND) },
  { name: "an addr of 1,000, all taken in", times: 10, run: () => tell(trusted, 1, THOUSAND) },
  { name: "an address passed on, 125 peers", times: 100, run: () => tell(few, 1, [known(nth(n++ % 100_000))]) },
  { name: "an address passed on, 10,000 peers", times: 10, run: () => tell(many, 1, [known(nth(n++ % 100_000))]) },
  {
    name: "a peer that comes, asks and goes",
    times: 10,
    run: () => {
      asked.ready(++n)
      asked.hear(n, { _tag: "getaddr" })
      asked.gone(n)
      asked.outputs = []
    }
  }
]

console.log(`microseconds (${contestClock})`)
const scores = contest(
  works.map(({ name, run, times }) => ({
    name,
    run: () => {
      for (let i = 0; i < times; i++) run()
      return times
    }
  })),
  { rounds: 5 }
)
for (const { name, perSecond } of scores) console.log(`  ${name.padEnd(40)} ${(1e6 / perSecond).toFixed(1)}`)

const usedBytes = (): number => {
  globalThis.gc?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
const PEERS = 10_000
const before = usedBytes()
const idle = new Relay()
for (let id = 1; id <= PEERS; id++) idle.ready(id)
console.log(
  `bytes of an idle peer, its address included: ${Math.round((usedBytes() - before) / PEERS)} (${idle.machine.size})`
)
