/** What goes into the seeding and what comes out. */
import type { NetAddr, NodeAddress } from "@satwire/netaddress"
import type { KnownAddress } from "./AddressBook.ts"

export type SeedingInput =
  /** We want peers. Handed in once. */
  | { readonly _tag: "Started" }
  /** How many full outbound peers have shaken hands; handed in when it changes. */
  | { readonly _tag: "OutboundCount"; readonly count: number }
  /** What the name that was asked for stands for; the ports are the network's own. */
  | { readonly _tag: "SeedAnswered"; readonly host: string; readonly addresses: ReadonlyArray<NetAddr> }
  /** The name could not be resolved; `why` is half a sentence. */
  | { readonly _tag: "SeedFailed"; readonly host: string; readonly why: string }
  | { readonly _tag: "Timeout" }

/** A host by name or address, as it is dialled. */
export interface SeedEndpoint {
  readonly host: string
  readonly port: number
}

/** Why a node is to be asked for addresses. */
export type FetchReason =
  /** Our user named it (`-seednode`). */
  | "seed node"
  /** Names are not resolved here but by the proxy, so that nobody sees them: one of the nodes behind the seed's name is dialled. */
  | "proxied DNS seed"
  /** The seed gave no addresses under the name that asks for services: one of the nodes behind its plain name is dialled. */
  | "empty DNS seed"

export type SeedingCommand =
  /**
   * Resolve this name, and hand in what came. It never comes out where a proxy resolves names (`resolvesThroughProxy`): our own resolver
   * would show what the proxy hides. There `FetchAddresses` comes out, with the seed's name to be dialled by the proxy.
   */
  | { readonly _tag: "QuerySeed"; readonly host: string }
  /** Dial as an addr-fetch peer. */
  | { readonly _tag: "FetchAddresses"; readonly endpoint: SeedEndpoint; readonly why: FetchReason }
  /** To be taken in by the address manager. */
  | {
      readonly _tag: "Learned"
      readonly source: NetAddr
      readonly addresses: ReadonlyArray<KnownAddress>
      readonly timePenaltyS: number
    }

/** What happened, for people. */
export type SeedingFact =
  /** Those that are known are tried first. */
  | { readonly _tag: "SeedsWait"; readonly waitMs: number; readonly known: number }
  | { readonly _tag: "SeedGave"; readonly host: string; readonly count: number }
  | { readonly _tag: "SeedGaveNothing"; readonly host: string; readonly why: string }
  | { readonly _tag: "FixedSeedsUsed"; readonly count: number; readonly networks: ReadonlyArray<string> }
  /** There are peers enough. */
  | { readonly _tag: "SeedingDone"; readonly outbound: number }
  /** All that there is was asked, and there are still too few peers: it is asked again. */
  | { readonly _tag: "StillLooking"; readonly tried: SeedingTried; readonly outbound: number }
  /** There is nobody to ask, on this network and with these options. */
  | { readonly _tag: "NobodyToAsk" }

/** What was tried in one round. */
export interface SeedingTried {
  /** DNS seeds that were asked. */
  readonly seeds: ReadonlyArray<string>
  /** Addresses that they gave. */
  readonly found: number
  /** Nodes that were dialled for addresses. */
  readonly nodes: ReadonlyArray<string>
  readonly fixedSeeds: number
}

export type SeedingOutput = SeedingCommand | SeedingFact

/** A node of a list that the program or its user brings along. */
export interface FixedSeed extends NodeAddress {
  readonly services: bigint
}

/** One sentence for a log or a person. */
export const describeSeeding = (fact: SeedingFact): string => {
  switch (fact._tag) {
    case "SeedsWait":
      return `${count(fact.known, "known address is", "known addresses are")} tried for ${fact.waitMs / 1000} s before DNS seeds are asked`
    case "SeedGave":
      return `the DNS seed ${fact.host} gave ${count(fact.count, "address", "addresses")}`
    case "SeedGaveNothing":
      return `the DNS seed ${fact.host} gave no address: ${fact.why}`
    case "FixedSeedsUsed":
      return `${count(fact.count, "node", "nodes")} of the seeds file ${fact.count === 1 ? "is" : "are"} tried, as no others are known on ${fact.networks.join(", ")}`
    case "SeedingDone":
      return `there are ${fact.outbound} outbound peers: no seeds are needed`
    case "StillLooking":
      return `${fact.outbound === 0 ? "no peer was found" : "too few peers were found"}: ${describeTried(fact.tried)}; all is tried again`
    case "NobodyToAsk":
      return "there are neither DNS seeds nor seed nodes nor a seeds file to learn of peers from"
  }
}

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`

const describeTried = ({ fixedSeeds, found, nodes, seeds }: SeedingTried): string => {
  const parts = [
    seeds.length === 0 ? undefined : `${seeds.join(", ")} gave ${count(found, "address", "addresses")}`,
    nodes.length === 0 ? undefined : `${nodes.join(", ")} ${nodes.length === 1 ? "was" : "were"} dialled for addresses`,
    fixedSeeds === 0
      ? undefined
      : `${count(fixedSeeds, "node", "nodes")} of the seeds file ${fixedSeeds === 1 ? "was" : "were"} taken`
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? "nobody was there to ask" : parts.join(", ")
}
