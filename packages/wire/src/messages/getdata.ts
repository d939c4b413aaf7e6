import { type Codec, defineCodec } from "../Codec.ts"
import { INVENTORY_MAX_SIZE, type Inventory, inventorySize, readInventory, writeInventory } from "../Inventory.ts"

/** Asks for what an `inv` announced or a header named. */
export interface GetData {
  readonly _tag: "getdata"
  readonly inventory: Inventory
}

export const getdata: Codec<GetData> = defineCodec<GetData>({
  command: "getdata",
  shortId: 11,
  spec: "Bitcoin Core 28.1",
  maxSize: INVENTORY_MAX_SIZE,
  // Core 28.1 `net_processing.cpp`: `Misbehaving`.
  overLimit: "discourage",
  size: (m) => inventorySize(m.inventory),
  encode: (w, m) => writeInventory(w, m.inventory),
  decode: (r) => ({ _tag: "getdata", inventory: readInventory(r) })
})
