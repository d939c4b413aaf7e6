import { compactSizeLength } from "@satwire/bytes"
import type { UnixSeconds } from "@satwire/machine"
import { type Codec, defineCodec } from "../Codec.ts"
import { NET_ADDRESS_SIZE, type NetAddress, readNetAddress, writeNetAddress } from "../NetAddress.ts"

/**
 * Bitcoin Core's `MAX_ADDR_TO_SEND` (net_processing.cpp): addresses of one `addr` or `addrv2`.
 *
 * @limit addresses of an `addr` or `addrv2`
 */
export const MAX_ADDR_TO_SEND = 1000

const ENTRY_SIZE = 4 + NET_ADDRESS_SIZE

/** An address and when it was last heard of. */
export interface AddrEntry extends NetAddress {
  /** As the sender claims. */
  readonly time: UnixSeconds
}

/** Addresses of nodes. */
export interface Addr {
  readonly _tag: "addr"
  readonly addresses: ReadonlyArray<AddrEntry>
}

export const addr: Codec<Addr> = defineCodec<Addr>({
  command: "addr",
  shortId: 1,
  spec: "Bitcoin Core 28.1",
  maxSize: compactSizeLength(MAX_ADDR_TO_SEND) + MAX_ADDR_TO_SEND * ENTRY_SIZE,
  // Core 28.1 `net_processing.cpp`: `Misbehaving`.
  overLimit: "discourage",
  size: (m) => compactSizeLength(m.addresses.length) + m.addresses.length * ENTRY_SIZE,
  encode(w, m) {
    w.compactSize(m.addresses.length)
    for (const entry of m.addresses) {
      w.u32(entry.time)
      writeNetAddress(w, entry)
    }
  },
  decode(r) {
    const addresses = new Array<AddrEntry>(r.count(MAX_ADDR_TO_SEND, ENTRY_SIZE, "addresses"))
    for (let i = 0; i < addresses.length; i++) {
      const time = r.u32("address time") as UnixSeconds
      const { services, ip, port } = readNetAddress(r)
      addresses[i] = { time, services, ip, port }
    }
    return { _tag: "addr", addresses }
  }
})
