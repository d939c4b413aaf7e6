/** What can be asked of a running node about the addresses that it knows, and told it. Where it knows none, all of it is empty. */
import type { AddressInfo, Answer, KnownAddress } from "@satwire/addrman"
import type { Now } from "@satwire/machine"
import type { NetGroups, NodeAddress } from "@satwire/netaddress"
import type { NodeCoreInput } from "@satwire/node-core"
import * as Effect from "effect/Effect"
import type { KeptPeers } from "./KeptPeers.ts"

/** What became of an address that our user knows: it is in the table that he wanted, or not. */
export type AddedAddress = "Added" | "NotNew" | "NotTried"

/** All that is known of an address, with the AS of it and of who told of it by the map; 0 for none. */
export interface MappedAddress extends AddressInfo {
  readonly mappedAs: number
  readonly sourceMappedAs: number
}

export interface AddressDoors {
  /** Addresses that are worth a try, in no order, as a `getaddr` is told them. */
  readonly knownAddresses: (answer: Answer) => Effect.Effect<ReadonlyArray<KnownAddress>>
  /** Every address that is known, in no order. */
  readonly allAddresses: Effect.Effect<ReadonlyArray<MappedAddress>>
  /** Takes an address for known, and for one that answered where `isTried`. */
  readonly addAddress: (node: NodeAddress, services: bigint, isTried: boolean) => Effect.Effect<AddedAddress>
}

export const addressDoors = (given: {
  readonly peers: KeptPeers
  readonly groups: NetGroups
  readonly submit: (input: NodeCoreInput) => void
  readonly now: () => Now
}): AddressDoors => {
  const { groups, submit, now } = given
  const { addressesChanged, book } = given.peers
  return {
    knownAddresses: (answer) => Effect.sync(() => book?.getAddr(answer, now().unix) ?? []),
    allAddresses: Effect.sync(() =>
      [...(book?.addresses() ?? [])].map((info) => ({
        ...info,
        mappedAs: groups.mappedAs(info),
        sourceMappedAs: groups.mappedAs(info.source)
      }))
    ),
    addAddress: (node, services, isTried) =>
      Effect.sync(() => {
        const wasKnown = book?.find(node) !== undefined
        submit({ _tag: "AddAddress", node, services, isTried })
        const found = book?.find(node)
        if (wasKnown || found === undefined) return "NotNew"
        addressesChanged()
        return isTried && found.table !== "tried" ? "NotTried" : "Added"
      })
  }
}
