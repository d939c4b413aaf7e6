/**
 * Selections, answers, additions and snapshots with 16,384 and with 60,000 addresses held, a seventh of them tried, on all networks:
 *
 *   node --conditions=@satwire/source packages/addrman/bench/addrman.bench.ts
 *
 * Beside selection stands Core's search as one would write it, drawing buckets until one is not empty, on tables of one hundred addresses too:
 * few and many are what it is slow and quick with.
 */
import { ChaChaRandom } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import { NETWORKS, NetGroups } from "@satwire/netaddress"
import { contest, contestClock } from "@satwire/testkit"
import * as Result from "effect/Result"
import { AddrMan, type KnownAddress } from "../src/index.ts"
import { START, at, known } from "../test/KnownAddresses.ts"
import { NaiveAddrMan } from "../test/NaiveAddrMan.ts"

const random = ChaChaRandom.fromNumber(1)
const KEY = random.bytes(32)
const options = { random, sha256: platformSha256, groups: new NetGroups(), key: KEY }

/** Somebody, most often on IPv4. */
const somebody = (): KnownAddress => {
  const { length, network } = NETWORKS[random.below(3) === 0 ? 1 + random.below(NETWORKS.length - 1) : 0] ?? {
    network: "ipv4",
    length: 4
  }
  const address = random.bytes(length)
  if (network === "cjdns") address[0] = 0xfc
  if (network === "ipv6") address[0] = 0x24
  return { ...known("1.2.3.4", { services: random.below(10) === 0 ? 64n : 1033n }), network, address }
}

const filled = (size: number): { readonly addrman: AddrMan; readonly model: NaiveAddrMan } => {
  const addrman = new AddrMan(options)
  const model = new NaiveAddrMan(KEY, options.groups, ChaChaRandom.fromNumber(2), 0n)
  while (addrman.count() < size) {
    const [one, source] = [somebody(), somebody()]
    addrman.add([one], source, START)
    if (size <= 100) model.add([one], source, START, 0)
    const good = random.below(7) === 0
    if (good) addrman.good(one, START)
    if (good && size <= 100) model.good(one, START)
  }
  return { addrman, model }
}

const LATER = at(3600)
const few = filled(100)
const sizes = [16_384, 60_000] as const
const held = sizes.map((size) => ({ size, addrman: filled(size).addrman }))

interface Work {
  readonly title: string
  readonly contenders: ReadonlyArray<{ readonly name: string; readonly times: number; readonly run: () => unknown }>
}

const ofEach = (name: string, times: number, run: (addrman: AddrMan) => unknown): Work["contenders"] =>
  held.map(({ addrman, size }) => ({ name: `${name}, ${size.toLocaleString("en")}`, times, run: () => run(addrman) }))

/** Nobody has answered of late: everybody was tried just now, and failed eight times. */
const failing = held.map(({ addrman, size }) => {
  const restored = AddrMan.restore(options, addrman.snapshot(), LATER)
  if (Result.isFailure(restored)) throw new Error(restored.failure)
  for (const info of addrman.addresses()) {
    for (let i = 1; i < 9; i++) {
      restored.success.addrman.good({ ...info, port: 1 }, at(3600 + i))
      restored.success.addrman.attempt(info, true, at(3601 + i))
    }
  }
  return { size, addrman: restored.success.addrman }
})

const search = few.model.drawer(random, LATER, [])
const searchOne = few.model.drawer(random, LATER, ["i2p"])
let told = 0
const works: ReadonlyArray<Work> = [
  {
    title: "a selection",
    contenders: [
      ...ofEach("of all", 1000, (addrman) => addrman.select({}, LATER)),
      ...ofEach("of the new alone", 1000, (addrman) => addrman.select({ newOnly: true }, LATER)),
      ...ofEach("of one network", 1000, (addrman) => addrman.select({ networks: ["i2p"] }, LATER)),
      ...ofEach("of three networks", 1000, (addrman) => addrman.select({ networks: ["ipv6", "torv3", "i2p"] }, LATER)),
      ...ofEach("with services that most have", 1000, (addrman) => addrman.select({ services: 9n }, LATER)),
      ...ofEach("with services that a tenth has", 1000, (addrman) => addrman.select({ services: 64n }, LATER)),
      ...ofEach("with services that nobody has", 10, (addrman) => addrman.select({ services: 2n ** 40n }, LATER)),
      ...failing.map(({ addrman, size }) => ({
        name: `of all, who failed just now, ${size.toLocaleString("en")}`,
        times: 1000,
        run: () => addrman.select({}, at(3620))
      })),
      { name: "of all, 100", times: 1000, run: () => few.addrman.select({}, LATER) },
      { name: "Core's search, of all, 100", times: 100, run: search },
      { name: "of one network, 100", times: 1000, run: () => few.addrman.select({ networks: ["i2p"] }, LATER) },
      { name: "Core's search, of one network, 100", times: 100, run: searchOne }
    ]
  },
  {
    title: "a getaddr answer",
    contenders: [
      ...ofEach("of all", 3, (addrman) => addrman.getAddr({}, LATER)),
      ...ofEach("of one network", 3, (addrman) => addrman.getAddr({ network: "i2p" }, LATER)),
      ...ofEach("where all are terrible", 3, (addrman) => addrman.getAddr({}, at(31 * 86_400)))
    ]
  },
  {
    title: "an address that a peer tells of",
    contenders: ofEach("somebody", 100, (addrman) => {
      told++
      const one = { ...somebody(), time: at(told) }
      return addrman.add([one], one, LATER)
    })
  },
  {
    title: "a snapshot",
    contenders: [
      ...ofEach("taken", 1, (addrman) => addrman.snapshot()),
      ...held.map(({ addrman, size }) => {
        const snapshot = addrman.snapshot()
        return {
          name: `restored, ${size.toLocaleString("en")}`,
          times: 1,
          run: () => AddrMan.restore(options, snapshot, LATER)
        }
      })
    ]
  }
]

for (const { contenders, title } of works) {
  console.log(`${title} (${contestClock})`)
  const scores = contest(
    contenders.map(({ name, run, times }) => ({
      name,
      run() {
        for (let i = 0; i < times; i++) run()
        return times
      }
    })),
    { rounds: 5, roundMs: 60 }
  )
  for (const { name, perSecond } of scores)
    console.log(`  ${name.padEnd(52)} ${(1e6 / perSecond).toFixed(2).padStart(10)} µs`)
}
