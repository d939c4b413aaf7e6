import { expect, test } from "vitest"
import { type Corkable, corkThisTurn, currentTurn } from "../src/TurnWrites.ts"

const nextTick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))

test("a turn lasts until the next tick, and what was corked in it is uncorked then", async () => {
  const calls: Array<string> = []
  const socket: Corkable = { cork: () => calls.push("cork"), uncork: () => calls.push("uncork") }
  const first = currentTurn()
  expect(currentTurn()).toBe(first)
  corkThisTurn(socket)
  expect(calls).toEqual(["cork"])
  await nextTick()
  expect(calls).toEqual(["cork", "uncork"])
  expect(currentTurn()).not.toBe(first)
  await nextTick()
  expect(calls).toEqual(["cork", "uncork"])
})
