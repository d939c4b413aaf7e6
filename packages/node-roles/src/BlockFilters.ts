/** The part of the role of having blocks that fetches only those that matter: peers' filters say which (BIP-0157). */
import {
  type BadFilter,
  type FilterDisagrees,
  FilterSync,
  type FilterSyncInput,
  type FilterSyncMessage,
  type FilterSyncOptions,
  type FilterSyncOutput,
  type FilterSyncSnapshot,
  type FilterTimeout
} from "@satwire/filter-sync"
import type { Instant, Now, PeerId } from "@satwire/machine"
import type { Message } from "@satwire/wire"
import { Manager } from "./Manager.ts"

/** Which blocks matter: those that pay to these output scripts, or spend them. */
export type MatchingRole = Pick<FilterSyncOptions, "scripts" | "leastPeers">

export type FilterFault = BadFilter | FilterDisagrees | FilterTimeout

/** What of it is news. */
export type FiltersFact = Extract<FilterSyncOutput, { readonly _tag: "FiltersDisputed" }>

export interface BlockFiltersHost {
  readonly send: (peer: PeerId, message: Message) => void
  readonly close: (peer: PeerId, reason: FilterFault, cost: "disconnect" | "discourage") => void
  readonly judged: (header: number, matches: boolean) => void
  readonly fetch: (header: number) => void
  readonly tell: (fact: FiltersFact) => void
}

export class BlockFilters {
  readonly #sync: FilterSync
  readonly #manager: Manager<FilterSyncInput, FilterSyncOutput>
  readonly #host: BlockFiltersHost

  constructor(options: FilterSyncOptions, host: BlockFiltersHost) {
    this.#host = host
    this.#sync = new FilterSync(options)
    this.#manager = new Manager(this.#sync, (output: FilterSyncOutput) => this.#perform(output))
  }

  get isEmpty(): boolean {
    return this.#sync.isEmpty
  }

  snapshot(): FilterSyncSnapshot {
    return this.#sync.snapshot()
  }

  nextTimeout(): Instant | undefined {
    return this.#sync.nextTimeout()
  }

  handle(input: FilterSyncInput, now: Now): void {
    this.#manager.handle(input, now)
  }

  received(peer: PeerId, message: Message, now: Now): void {
    this.#manager.handle({ _tag: "Received", peer, message: message as FilterSyncMessage }, now)
  }

  timeout(now: Now): void {
    if (this.#manager.isDue(now.instant)) this.#manager.handle({ _tag: "Timeout" }, now)
  }

  #perform(output: FilterSyncOutput): void {
    const host = this.#host
    switch (output._tag) {
      case "Send":
        return host.send(output.peer, output.message)
      case "BlockJudged":
        return host.judged(output.header, output.matches)
      case "FetchBlock":
        return host.fetch(output.header)
      case "Misbehaved":
        return host.close(output.peer, output.reason, "discourage")
      case "TooSlow":
        return host.close(output.peer, output.reason, "disconnect")
      case "FiltersDisputed":
        return host.tell(output)
    }
  }
}
