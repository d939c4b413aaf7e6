/** A seeding with a naive address book, under a clock that stands until it is moved. */
import { ChaChaRandom, portableSha256 } from "@satwire/crypto"
import { Instant, type Now, UnixSeconds } from "@satwire/machine"
import { type NetAddr, type Network, formatNode } from "@satwire/netaddress"
import { Seeding, type SeedingInput, type SeedingOptions, type SeedingOutput } from "../src/index.ts"
import { START, nth } from "./Known.ts"

type Tag = SeedingOutput["_tag"]
type Of<T extends Tag> = Extract<SeedingOutput, { readonly _tag: T }>

export const SEEDS = ["a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example"]

/** The answer of a seed: so many public addresses. */
export const answerOf = (count: number, from = 0): ReadonlyArray<NetAddr> =>
  Array.from({ length: count }, (_, i) => nth(from + i))

export class Seekers {
  readonly machine: Seeding
  /** Addresses that are known, by network. */
  readonly known: Map<Network, Set<string>> = new Map()
  outputs: Array<SeedingOutput> = []
  #ms = 0

  constructor(change: Partial<SeedingOptions> = {}, knownAtFirst = 0) {
    for (let i = 0; i < knownAtFirst; i++) this.#know("ipv4", `before ${i}`)
    this.machine = new Seeding({
      random: ChaChaRandom.fromNumber(1),
      sha256: portableSha256,
      known: { count: (of) => this.#count(of?.network) },
      dnsSeeds: SEEDS,
      defaultPort: 8333,
      resolvesThroughProxy: false,
      seedNodes: [],
      fixedSeeds: [],
      hasAddedNodes: false,
      reachable: new Set(["ipv4"]),
      ...change
    })
  }

  get now(): Now {
    return { instant: Instant(this.#ms), unix: UnixSeconds(START + Math.floor(this.#ms / 1000)) }
  }

  get atMs(): number {
    return this.#ms
  }

  handle(input: SeedingInput): this {
    const push = (output: SeedingOutput): void => {
      this.outputs.push(output)
      if (output._tag !== "Learned") return
      for (const address of output.addresses) this.#know(address.network, formatNode(address))
    }
    this.machine.handle(input, this.now, { push })
    return this
  }

  start(): this {
    return this.handle({ _tag: "Started" })
  }

  outbound(count: number): this {
    return this.handle({ _tag: "OutboundCount", count })
  }

  answer(host: string, addresses: ReadonlyArray<NetAddr>): this {
    return this.handle({ _tag: "SeedAnswered", host, addresses })
  }

  /** Answers each seed that was asked, also those that are asked then; gives how many there were. */
  answerAll(addresses: (n: number) => ReadonlyArray<NetAddr>): number {
    let n = 0
    for (;;) {
      const asked = this.taken("QuerySeed")
      if (asked.length === 0) return n
      for (const { host } of asked) this.answer(host, addresses(n++))
    }
  }

  elapse(ms: number): this {
    const end = this.#ms + ms
    for (;;) {
      const next = this.machine.nextTimeout()
      if (next === undefined || next > end) break
      this.#ms = Math.max(this.#ms, next)
      this.handle({ _tag: "Timeout" })
    }
    this.#ms = end
    return this
  }

  take(): ReadonlyArray<SeedingOutput> {
    const outputs = this.outputs
    this.outputs = []
    return outputs
  }

  /** What came out of one kind; the others stay. */
  taken<T extends Tag>(tag: T): ReadonlyArray<Of<T>> {
    const taken = this.outputs.filter((output): output is Of<T> => output._tag === tag)
    this.outputs = this.outputs.filter((output) => output._tag !== tag)
    return taken
  }

  #know(network: Network, name: string): void {
    const names = this.known.get(network) ?? new Set()
    this.known.set(network, names.add(name))
  }

  #count(network: Network | undefined): number {
    if (network !== undefined) return this.known.get(network)?.size ?? 0
    return [...this.known.values()].reduce((sum, names) => sum + names.size, 0)
  }
}
