/**
 * What `inv`, `getdata` and `notfound` carry: a list of (type, hash). It stays the bytes that it is on the wire, 36 for each entry,
 * because fifty thousand objects and hashes of their own cost more than all else about the message (ADR 0002).
 *
 * ```
 *  0      4                      36     40
 *  │ type │ hash                 │ type │ hash …
 *  │ u32  │ 32 bytes, wire order │
 * ```
 */
import { type Reader, type Writer, compactSizeLength } from "@satwire/bytes"

/**
 * Bitcoin Core's `MAX_INV_SZ` (net_processing.cpp): entries of one message.
 *
 * @limit entries of an `inv`, `getdata` or `notfound`
 */
export const MAX_INV_SZ = 50_000
/** Bytes of one entry. */
export const INV_ENTRY_SIZE = 36

/** A transaction by its txid. */
export const MSG_TX = 1
/** A block, without witnesses where it is asked for. */
export const MSG_BLOCK = 2
/** A block through the asker's bloom filter (BIP-0037). Only asked for. */
export const MSG_FILTERED_BLOCK = 3
/** A compact block (BIP-0152). Only asked for. */
export const MSG_CMPCT_BLOCK = 4
/** A transaction by its wtxid (BIP-0339). */
export const MSG_WTX = 5
/** Draft. Transactions that a `getpkgtxns` asked for, by their combined hash (BIP-0331). Only in `notfound`. */
export const MSG_PKGTXNS = 6
/** Draft. The ancestors of a transaction, by its wtxid (BIP-0331). Only asked for. */
export const MSG_ANCPKGINFO = 7
/** Set in a type that asks for witnesses (BIP-0144). */
export const MSG_WITNESS_FLAG = 0x40000000
/** A transaction by its txid, with its witness. Only asked for. */
export const MSG_WITNESS_TX: number = MSG_WITNESS_FLAG + MSG_TX
/** A block with its witnesses. Only asked for. */
export const MSG_WITNESS_BLOCK: number = MSG_WITNESS_FLAG + MSG_BLOCK

/** One entry as an object. A type that nobody knows is data like any other. */
export interface InventoryEntry {
  readonly type: number
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array
}

export class Inventory implements Iterable<InventoryEntry> {
  /** All entries, one after another. */
  readonly raw: Uint8Array

  /** @param raw whole entries, whose ownership moves here */
  constructor(raw: Uint8Array) {
    if (raw.length % INV_ENTRY_SIZE !== 0) throw new RangeError(`${raw.length} bytes are no whole entries`)
    this.raw = raw
  }

  /** The list of these entries. */
  static of(entries: ReadonlyArray<InventoryEntry>): Inventory {
    const raw = new Uint8Array(entries.length * INV_ENTRY_SIZE)
    const view = new DataView(raw.buffer)
    entries.forEach(({ type, hash }, i) => {
      view.setUint32(INV_ENTRY_SIZE * i, type, true)
      raw.set(hash, INV_ENTRY_SIZE * i + 4)
    })
    return new Inventory(raw)
  }

  /** The list of these hashes, all of one type. */
  static ofType(type: number, hashes: ReadonlyArray<Uint8Array>): Inventory {
    return Inventory.of(hashes.map((hash) => ({ type, hash })))
  }

  /** How many entries there are. */
  get count(): number {
    return this.raw.length / INV_ENTRY_SIZE
  }

  /** The type of entry `i`, which must exist. */
  typeAt(i: number): number {
    const at = INV_ENTRY_SIZE * i
    const raw = this.raw
    return (
      ((raw[at] as number) |
        ((raw[at + 1] as number) << 8) |
        ((raw[at + 2] as number) << 16) |
        ((raw[at + 3] as number) << 24)) >>>
      0
    )
  }

  /** The hash of entry `i`, which must exist, as a view: who keeps it copies it (`copyOut`). */
  hashAt(i: number): Uint8Array {
    const at = INV_ENTRY_SIZE * i + 4
    return this.raw.subarray(at, at + 32)
  }

  /** The entries in order, their hashes as views. */
  *[Symbol.iterator](): Generator<InventoryEntry, void> {
    for (let i = 0; i < this.count; i++) yield { type: this.typeAt(i), hash: this.hashAt(i) }
  }
}

/** The most bytes that a list takes on the wire. */
export const INVENTORY_MAX_SIZE: number = compactSizeLength(MAX_INV_SZ) + INV_ENTRY_SIZE * MAX_INV_SZ

export const readInventory = (r: Reader): Inventory => {
  const count = r.count(MAX_INV_SZ, INV_ENTRY_SIZE, "entries")
  return new Inventory(r.view(count * INV_ENTRY_SIZE, "entries"))
}

export const inventorySize = (inventory: Inventory): number => compactSizeLength(inventory.count) + inventory.raw.length

export const writeInventory = (w: Writer, inventory: Inventory): void => {
  w.compactSize(inventory.count)
  w.raw(inventory.raw)
}
