/** One connection as the router sees it. It is where its peer machine's outputs go, because a closure for each would cost memory. */
import type { Permission } from "@satwire/connections"
import type { InboundFraming, V2Framing } from "@satwire/framing"
import type { Outbox, PeerId } from "@satwire/machine"
import type { NodeAddress } from "@satwire/netaddress"
import type { ConnectionKind, Peer, PeerOutput } from "@satwire/peer"

const NO_PERMISSIONS: ReadonlySet<Permission> = new Set()

/** Who may owe a peer a reply. */
export type Owing = "blocks" | "compact" | "transactions"

const OWING: { readonly [By in Owing]: number } = { blocks: 1, compact: 2, transactions: 4 }

export class PeerEntry implements Outbox<PeerOutput> {
  readonly id: PeerId
  readonly address: string
  readonly kind: ConnectionKind
  readonly machine: Peer
  /** Its transport, where that may be the encrypted one. */
  encrypted: V2Framing | InboundFraming | undefined
  readonly #router: (entry: PeerEntry, output: PeerOutput) => void
  permissions: ReadonlySet<Permission> = NO_PERMISSIONS
  /** Our `version` offers it `NODE_BLOOM`. */
  readonly offersBloom: boolean
  /** Our end; empty where that is not known. */
  socket = ""
  /** Where its `version` says that it sees us: mostly one object for all. */
  seenAs: NodeAddress | undefined = undefined
  ready = false
  /** The other end is this very node. */
  reachedItself = false
  paused = false
  /** Who owes it a reply: what it asked for is being fetched, one after another. */
  #owing = 0
  /** What it holds of messages that are not whole, or still to be gone through. */
  heldBytes = 0
  /** It was touched in this turn and has its write and deadline still to come. */
  touched = false

  constructor(
    fields: Pick<PeerEntry, "id" | "address" | "kind" | "machine" | "encrypted" | "offersBloom">,
    router: (entry: PeerEntry, output: PeerOutput) => void
  ) {
    this.id = fields.id
    this.address = fields.address
    this.kind = fields.kind
    this.machine = fields.machine
    this.encrypted = fields.encrypted
    this.offersBloom = fields.offersBloom
    this.#router = router
  }

  /** Whether it is owed a reply. */
  get isServed(): boolean {
    return this.#owing !== 0
  }

  /** Somebody owes it a reply, or no longer. Gives whether that is news. */
  owe(by: Owing, owed: boolean): boolean {
    const before = this.#owing
    this.#owing = owed ? before | OWING[by] : before & ~OWING[by]
    return (before === 0) !== (this.#owing === 0)
  }

  push(output: PeerOutput): void {
    this.#router(this, output)
  }
}
