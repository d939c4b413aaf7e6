import { type Codec, defineCodec } from "../Codec.ts"
import { INVENTORY_MAX_SIZE, type Inventory, inventorySize, readInventory, writeInventory } from "../Inventory.ts"

/** Announces transactions and blocks by hash. */
export interface Inv {
  readonly _tag: "inv"
  readonly inventory: Inventory
}

export const inv: Codec<Inv> = defineCodec<Inv>({
  command: "inv",
  shortId: 14,
  spec: "Bitcoin Core 28.1",
  maxSize: INVENTORY_MAX_SIZE,
  // Core 28.1 `net_processing.cpp`: `Misbehaving`.
  overLimit: "discourage",
  size: (m) => inventorySize(m.inventory),
  encode: (w, m) => writeInventory(w, m.inventory),
  decode: (r) => ({ _tag: "inv", inventory: readInventory(r) })
})
