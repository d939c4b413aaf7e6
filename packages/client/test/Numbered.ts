/** Messages that say which one they are, so that a lost, doubled or exchanged one is found out. */
import { INV_ENTRY_SIZE, Inventory, MSG_TX, type Message } from "@satwire/wire"

/** An `inv` of `entries` entries that carries a number. */
export const numbered = (number: number, entries = 1): Message => {
  const raw = new Uint8Array(entries * INV_ENTRY_SIZE)
  new DataView(raw.buffer).setUint32(4, number, true)
  raw[0] = MSG_TX
  return { _tag: "inv", inventory: new Inventory(raw) }
}

/** The number that a message carries; -1 for any other message. */
export const numberOf = (message: Message): number => {
  if (message._tag !== "inv") return -1
  const { raw } = message.inventory
  return new DataView(raw.buffer, raw.byteOffset).getUint32(4, true)
}
