/**
 * Peers that a role owes a reply, and that are not heard meanwhile.
 *
 * Specification: a peer whose reply is given is heard again only when the role's manager is idle. Rationale: what such a peer asks for next is told
 * within that call, and has to be taken in there, or the peer would not be held for its reply and would ask for more.
 */
import type { PeerId } from "@satwire/machine"
import type { Manager } from "./Manager.ts"

export class OwedReplies {
  readonly #owe: (peer: PeerId, owed: boolean) => void
  /** Peers that were given all that they asked for. */
  readonly #given: Array<PeerId> = []
  #isReleasing = false

  /** @param owe tells the node around whether a peer is owed a reply */
  constructor(owe: (peer: PeerId, owed: boolean) => void) {
    this.#owe = owe
  }

  /** What a machine says in a `ReplyOwed`. */
  said({ owed, peer }: { readonly owed: boolean; readonly peer: PeerId }): void {
    if (owed) this.#owe(peer, true)
    else this.#given.push(peer)
  }

  /** After each input: those whose reply is given are heard again, if the manager is idle. */
  release(manager: Pick<Manager<never, never>, "isIdle">): void {
    if (this.#isReleasing || !manager.isIdle) return
    this.#isReleasing = true
    for (let peer = this.#given.shift(); peer !== undefined; peer = this.#given.shift()) this.#owe(peer, false)
    this.#isReleasing = false
  }
}
