import { describe, expect, it } from "vitest"
import { Inventory, InventoryQueue, MSG_BLOCK, MSG_WTX, isTransaction } from "../src/index.ts"

const entry = (type: number, byte: number) => ({ type, hash: new Uint8Array(32).fill(byte) })
const mixed = Inventory.of([entry(MSG_BLOCK, 1), entry(MSG_WTX, 2), entry(MSG_BLOCK, 3), entry(MSG_WTX, 4)])

const looked = (queue: InventoryQueue, isLacking: (byte: number) => boolean): ReadonlyArray<number> => {
  const seen: Array<number> = []
  while (queue.next()) {
    const [byte = 0] = queue.hash
    seen.push(byte)
    if (isLacking(byte)) queue.lacks()
  }
  return seen
}

describe("what a peer asked for", () => {
  it("is looked at entry by entry, each once, and what is lacking is told in its order", () => {
    const queue = InventoryQueue.ofAll(mixed)
    expect(looked(queue, (byte) => byte !== 3)).toEqual([1, 2, 3, 4])
    expect([...(queue.missing ?? [])].map(({ hash: [byte] }) => byte)).toEqual([1, 2, 4])
    expect(looked(queue, () => true)).toEqual([])
  })

  it("may be of some types alone", () => {
    expect(looked(InventoryQueue.of(mixed, isTransaction), () => false)).toEqual([2, 4])
    expect(InventoryQueue.of(Inventory.of([entry(MSG_BLOCK, 1)]), isTransaction).isEmpty).toBe(true)
  })

  it("outlives the memory that it came in, and leaves that as it was", () => {
    const raw = mixed.raw.slice()
    const queue = InventoryQueue.ofAll(new Inventory(raw))
    raw.fill(0)
    expect(looked(queue, () => true)).toEqual([1, 2, 3, 4])
    expect(raw.every((byte) => byte === 0)).toBe(true)
  })
})
