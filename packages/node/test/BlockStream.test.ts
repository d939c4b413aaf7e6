/** The block stream of `client` behind its promise door, over TCP, served by nodes. */
import {
  type BlockPlace,
  type BlockStep,
  type BlockStream,
  NoPeerServes,
  UnknownPlace,
  blockStream
} from "@satwire/client/promise"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { type Node, start } from "@satwire/node/promise"
import { describe, expect, test } from "vitest"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const network = "regtest" as const

const mine = async (node: Node, blocks: number): Promise<void> => {
  const before = (await node.query("blocks"))?.tip.height ?? 0
  for (let i = 0; i < blocks; i++) await node.makeBlock()
  while ((await node.query("blocks"))?.tip.height !== before + blocks) await new Promise((go) => setImmediate(go))
}

const nodeWith = async (blocks: number) => {
  const roles = { headers: { serve: true, announce: true }, mining: { payTo: ANYONE_CAN_SPEND } }
  const started = await start({ network, listen: "127.0.0.1:0", blocks: true, services: 9n, roles })
  await mine(started, blocks)
  return Object.assign(started, { endpoint: `127.0.0.1:${started.listening?.port}` })
}

/** Steps until a block of this height has joined the chain. */
const upTo = async ({ blocks }: BlockStream, height: number): Promise<Array<BlockStep>> => {
  const steps: Array<BlockStep> = []
  for await (const step of blocks) {
    steps.push(step)
    if (step._tag === "Connected" && step.height === height) break
  }
  return steps
}

const told = (steps: ReadonlyArray<BlockStep>): Array<string> =>
  steps.map(({ _tag, height }) => `${_tag === "Connected" ? "+" : "-"}${height}`)

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("it was to be rejected"),
    (error: unknown) => error
  )

const drained = async ({ blocks }: BlockStream): Promise<number> => {
  let steps = 0
  for await (const _ of blocks) steps += 1
  return steps
}

describe("the block stream behind the promise door", () => {
  test("follows a node, goes on in a second loop where the first was left, and waits for each block that it makes", async () => {
    await using served = await nodeWith(5)
    await using stream = await blockStream({ network, peers: [served.endpoint] })
    const first = await upTo(stream, 3)
    expect(told(first)).toEqual(["+1", "+2", "+3"])
    const waiting = upTo(stream, 6)
    await mine(served, 1)
    const rest = await waiting
    expect(told(rest)).toEqual(["+4", "+5", "+6"])
    for (const { block, hash } of [...first, ...rest])
      expect((await served.readBlock(hash))?.bytes).toEqual(block?.bytes)
    expect(await stream.snapshot()).toMatchObject({ place: { height: 6 }, isCaughtUp: true, blocksAhead: 0 })
  })

  test("takes back what another node's longer chain leaves behind, after a restart too", async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), "satwire-blocks-"))
    try {
      await using short = await nodeWith(2)
      await using long = await nodeWith(4)
      const options = { network, dataDirectory, peers: [short.endpoint] }
      const first = await blockStream(options)
      const after: BlockPlace | undefined = (await upTo(first, 2)).at(-1)
      await first.close()
      await using second = await blockStream({ ...options, peers: [short.endpoint, long.endpoint], after })
      expect(told(await upTo(second, 4))).toEqual(["-2", "-1", "+1", "+2", "+3", "+4"])
    } finally {
      await rm(dataDirectory, { recursive: true })
    }
  })

  test("throws in the loop when no peer is left, and ends it when it is closed here", async () => {
    const served = await nodeWith(1)
    await using leaving = await blockStream({ network, peers: [served.endpoint], tries: 1 })
    const closing = await blockStream({ network, peers: [served.endpoint], tries: 1 })
    await upTo(leaving, 1)
    await upTo(closing, 1)
    const loop = drained(closing)
    await closing.close()
    expect(await loop).toBe(0)
    const broken = rejection(drained(leaving))
    await served.close()
    const error = await broken
    expect(error).toBeInstanceOf(NoPeerServes)
    expect(error).toMatchObject({ peers: [{ tries: 1, fault: { _tag: "SessionOver" } }] })
    expect(await rejection(leaving.failure())).toBe(error)
  })

  test("rejects with what is wrong: a place at another height, no endpoint, the reason of a signal", async () => {
    await using served = await nodeWith(2)
    const peers = [served.endpoint]
    await using other = await blockStream({ network, peers, after: { height: 1, hash: (await tipOf(served)).hash } })
    expect(await rejection(drained(other))).toBeInstanceOf(UnknownPlace)
    expect(await rejection(blockStream({ network, peers: ["a:b:c"] }))).toMatchObject({ _tag: "EndpointError" })
    const reason = new Error("enough")
    expect(await rejection(blockStream({ network, peers, signal: AbortSignal.abort(reason) }))).toBe(reason)
  })
})

const tipOf = async (node: Node): Promise<BlockPlace> => {
  const tip = (await node.query("blocks"))?.tip
  if (tip === undefined) throw new Error("it has no blocks")
  return tip
}
