import { type Codec, defineCodec } from "../Codec.ts"
import { INVENTORY_MAX_SIZE, type Inventory, inventorySize, readInventory, writeInventory } from "../Inventory.ts"

/** Answers a `getdata` with what the sender has not. */
export interface NotFound {
  readonly _tag: "notfound"
  readonly inventory: Inventory
}

export const notfound: Codec<NotFound> = defineCodec<NotFound>({
  command: "notfound",
  shortId: 17,
  spec: "Bitcoin Core 28.1",
  maxSize: INVENTORY_MAX_SIZE,
  // Core 28.1 drops a `notfound` that is too long and says nothing (net_processing.cpp, `NetMsgType::NOTFOUND`).
  overLimit: "ignore",
  size: (m) => inventorySize(m.inventory),
  encode: (w, m) => writeInventory(w, m.inventory),
  decode: (r) => ({ _tag: "notfound", inventory: readInventory(r) })
})
