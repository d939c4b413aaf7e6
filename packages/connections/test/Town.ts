/** A manager on a virtual clock among addresses of a made-up world: dials succeed or not as the test says, and what is told to the book is kept. */
import { ChaChaRandom } from "@satwire/crypto"
import { Instant, type Now, PeerId, UnixSeconds } from "@satwire/machine"
import { NETWORKS, NetGroups, type Network, type NodeAddress, formatNode, parseNode } from "@satwire/netaddress"
import {
  type AddressBook,
  BanList,
  ConnectionManager,
  type ConnectionManagerOptions,
  type ConnectionsInput,
  type ConnectionsOutput,
  type Drawn
} from "../src/index.ts"

export const START_UNIX = 1_750_000_000
export const NETWORK = 1n

type OutputOf<Tag extends ConnectionsOutput["_tag"]> = Extract<ConnectionsOutput, { readonly _tag: Tag }>

export const node = (text: string): NodeAddress => {
  const found = parseNode(text)
  if (found === undefined) throw new Error(text)
  return found
}

/** An address book that draws with equal chance, and notes what it is told. */
export class NaiveBook implements AddressBook {
  readonly drawn: Array<Drawn> = []
  readonly told: Array<string> = []
  collision: Drawn | undefined = undefined
  readonly #random = ChaChaRandom.fromNumber(7)

  know(text: string, fields: Partial<Drawn> = {}): void {
    this.drawn.push({ ...node(text), services: NETWORK, lastTry: UnixSeconds(0), ...fields })
  }

  count(of: { readonly network?: Network } = {}): number {
    return this.drawn.filter(({ network }) => of.network === undefined || network === of.network).length
  }

  select({ networks }: { readonly newOnly?: boolean; readonly networks?: ReadonlyArray<Network> | undefined }) {
    const among = this.drawn.filter(({ network }) => networks === undefined || networks.includes(network))
    return among.length === 0 ? undefined : among[this.#random.below(among.length)]
  }

  selectTriedCollision(): Drawn | undefined {
    return this.collision
  }

  resolveCollisions(): void {}

  attempt(address: NodeAddress, countsFailure: boolean): void {
    this.told.push(`attempt ${formatNode(address)}${countsFailure ? ", its failure" : ""}`)
  }

  good(address: NodeAddress): boolean {
    this.told.push(`good ${formatNode(address)}`)
    return true
  }

  connected(address: NodeAddress): void {
    this.told.push(`connected ${formatNode(address)}`)
  }

  setServices(): void {}
}

export class Town {
  readonly manager: ConnectionManager
  readonly book: NaiveBook = new NaiveBook()
  readonly bans: BanList = new BanList()
  readonly outputs: Array<ConnectionsOutput> = []
  ms = 0
  /** Whether a dial there succeeds. */
  answers: (endpoint: string) => boolean = () => true
  #peers = 0
  readonly #ofEndpoint: Map<string, PeerId> = new Map()

  constructor(options: Partial<ConnectionManagerOptions> = {}) {
    this.manager = new ConnectionManager({
      random: ChaChaRandom.fromNumber(1),
      groups: new NetGroups(),
      book: this.book,
      networks: NETWORKS.map(({ network }) => network),
      maxInbound: 20,
      bans: this.bans,
      wants: (services) => (services & NETWORK) !== 0n,
      mayKnowAddresses: (services) => (services & NETWORK) !== 0n,
      speaksV2: () => true,
      ...options
    })
  }

  get now(): Now {
    return { instant: Instant(this.ms), unix: UnixSeconds(START_UNIX + Math.floor(this.ms / 1000)) }
  }

  /** One turn. Dials that it asks for end at once, as `answers` says. */
  input(input: ConnectionsInput): ReadonlyArray<ConnectionsOutput> {
    const outputs: Array<ConnectionsOutput> = []
    this.manager.handle(input, this.now, outputs)
    this.outputs.push(...outputs)
    for (const output of outputs) {
      if (output._tag === "Dial") this.#dialled(output)
      // As the edge does: it tells of the end, and when it is closed.
      if (output._tag === "LetGo") this.close(output.peer)
    }
    return outputs
  }

  #dialled({ dial, endpoint, kind }: OutputOf<"Dial">): void {
    if (!this.answers(endpoint)) return void this.input({ _tag: "DialFailed", dial, isOurs: false })
    const peer = PeerId(++this.#peers)
    this.#ofEndpoint.set(endpoint, peer)
    this.input({ _tag: "Opened", dial, peer })
    this.introduce(peer)
    if (kind === "feeler") this.close(peer)
    else this.input({ _tag: "Ready", peer })
  }

  introduce(peer: PeerId, services: bigint = NETWORK): void {
    this.input({ _tag: "Introduced", peer, services, relaysTransactions: true })
  }

  close(peer: PeerId, end: Partial<Extract<ConnectionsInput, { readonly _tag: "Ended" }>["end"]> = {}): void {
    const whole = { cost: "disconnect", reachedItself: false, retryAsV1: false, ...end } as const
    this.input({ _tag: "Ended", peer, end: whole })
    this.input({ _tag: "Closed", peer })
  }

  /** Somebody dials; gives the peer, whether it was let in or not. */
  arrive(address: string, socket?: string): PeerId {
    const peer = PeerId(++this.#peers)
    this.input({ _tag: "Arrived", peer, address, socket })
    return peer
  }

  peerAt(endpoint: string): PeerId {
    const peer = this.#ofEndpoint.get(endpoint)
    if (peer === undefined) throw new Error(`${endpoint} was not dialled`)
    return peer
  }

  /** Lets so much time pass, with a turn whenever one is due. */
  elapse(ms: number): void {
    const end = this.ms + ms
    for (let turns = 0; turns < 1_000_000; turns++) {
      const next = this.manager.nextTimeout()
      if (next === undefined || next > end) break
      this.ms = Math.max(this.ms, next)
      this.input({ _tag: "Timeout" })
    }
    this.ms = end
  }

  all<Tag extends ConnectionsOutput["_tag"]>(tag: Tag): ReadonlyArray<OutputOf<Tag>> {
    return this.outputs.filter((output): output is OutputOf<Tag> => output._tag === tag)
  }

  /** The endpoints that are connected for this. */
  connectedAs(kind: string): ReadonlyArray<string> {
    return this.manager.snapshot().flatMap((slot) => (slot.kind === kind && slot.isReady ? [slot.endpoint] : []))
  }
}

/** A town with so many addresses over IPv4, each in a group of its own. */
export const townOf = (count: number, options: Partial<ConnectionManagerOptions> = {}): Town => {
  const town = new Town(options)
  for (let i = 0; i < count; i++) town.book.know(`${11 + (i >> 8)}.${i & 255}.1.1:8333`)
  return town
}
