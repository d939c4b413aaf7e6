/** What a peer asked for in a `getdata` and did not get yet, in memory of its own: entries that nothing is given for move to its front. */
import { copyOut } from "@satwire/bytes"
import { INV_ENTRY_SIZE, Inventory, MSG_TX, MSG_WITNESS_TX, MSG_WTX } from "./Inventory.ts"

/** Whether an entry of this type names a transaction. */
export const isTransaction = (type: number): boolean => type === MSG_TX || type === MSG_WITNESS_TX || type === MSG_WTX

export class InventoryQueue {
  readonly #entries: Inventory
  #at = -1
  #missing = 0

  private constructor(entries: Inventory) {
    this.#entries = entries
  }

  /** All entries, copied. */
  static ofAll(inventory: Inventory): InventoryQueue {
    return new InventoryQueue(new Inventory(copyOut(inventory.raw)))
  }

  /** The entries of these types alone, copied. */
  static of(inventory: Inventory, isWanted: (type: number) => boolean): InventoryQueue {
    const raw = new Uint8Array(inventory.raw.length)
    let used = 0
    for (let i = 0; i < inventory.count; i++) {
      if (!isWanted(inventory.typeAt(i))) continue
      raw.set(inventory.raw.subarray(INV_ENTRY_SIZE * i, INV_ENTRY_SIZE * (i + 1)), used)
      used += INV_ENTRY_SIZE
    }
    return new InventoryQueue(new Inventory(used === raw.length ? raw : raw.slice(0, used)))
  }

  /** The memory that it takes. */
  get sizeBytes(): number {
    return this.#entries.raw.length
  }

  get isEmpty(): boolean {
    return this.#entries.count === 0
  }

  /** Goes to the next entry, which then has been looked at; whether there is one. */
  next(): boolean {
    this.#at += 1
    return this.#at < this.#entries.count
  }

  get type(): number {
    return this.#entries.typeAt(this.#at)
  }

  /** A view. */
  get hash(): Uint8Array {
    return this.#entries.hashAt(this.#at)
  }

  /** There is nothing to give for the entry that was looked at last. */
  lacks(): void {
    const at = INV_ENTRY_SIZE * this.#at
    this.#entries.raw.copyWithin(INV_ENTRY_SIZE * this.#missing, at, at + INV_ENTRY_SIZE)
    this.#missing += 1
  }

  get missing(): Inventory | undefined {
    return this.#missing === 0 ? undefined : new Inventory(this.#entries.raw.slice(0, INV_ENTRY_SIZE * this.#missing))
  }
}
