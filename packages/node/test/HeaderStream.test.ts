/** The header stream of `client` behind its promise door, over TCP, served by nodes. */
import { type HeaderStream, HeadersRefused, NoPeerServes, type TipChange, headerStream } from "@satwire/client/promise"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { start } from "@satwire/node/promise"
import { regtest, toHex } from "@satwire/primitives"
import { describe, expect, test } from "vitest"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const network = "regtest" as const

const node = async (blocks: number) => {
  const roles = { headers: { serve: true, announce: true }, mining: { payTo: ANYONE_CAN_SPEND } }
  const started = await start({ network, listen: "127.0.0.1:0", roles })
  for (let i = 0; i < blocks; i++) await started.makeBlock()
  while ((await started.query("headers"))?.tip.height !== blocks) await new Promise((go) => setImmediate(go))
  return Object.assign(started, { endpoint: `127.0.0.1:${started.listening?.port}` })
}

/** Changes until the tip has this height. */
const upTo = async (changes: AsyncIterable<TipChange>, height: number): Promise<Array<TipChange>> => {
  const told: Array<TipChange> = []
  for await (const change of changes) {
    told.push(change)
    if (change.tip.height >= height && !change.hasMore) break
  }
  return told
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("it was to be rejected"),
    (error: unknown) => error
  )

const drained = async (stream: HeaderStream): Promise<number> => {
  let changes = 0
  for await (const _ of stream.changes) changes += 1
  return changes
}

const inDirectory = async (body: (directory: string) => Promise<void>): Promise<void> => {
  const directory = await mkdtemp(join(tmpdir(), "satwire-headers-"))
  try {
    await body(directory)
  } finally {
    await rm(directory, { recursive: true })
  }
}

describe("the header stream behind the promise door", () => {
  test("follows a node from genesis, and each block that it makes", async () => {
    await using served = await node(5)
    await using stream = await headerStream({ network, peers: [served.endpoint] })
    const told = await upTo(stream.changes, 5)
    await served.makeBlock()
    const [next] = await upTo(stream.changesSince(told.at(-1)?.tip.hash ?? regtest.genesisHash), 6)
    expect(next).toMatchObject({
      fork: { height: 5 },
      removed: { firstHeight: 6, count: 0 },
      added: { firstHeight: 6, count: 1 }
    })
    expect(told.reduce((sum, { added }) => sum + added.count, 0)).toBe(5)
    expect(await stream.tip()).toMatchObject({ height: 6 })
    expect(await stream.snapshot()).toMatchObject({ isCaughtUp: true, peers: [{ state: "connected" }] })
  })

  test("tells of the reorganisation when another node has the longer chain", async () => {
    await inDirectory(async (dataDirectory) => {
      await using short = await node(2)
      await using long = await node(4)
      const first = await headerStream({ network, peers: [short.endpoint], dataDirectory })
      await upTo(first.changes, 2)
      const before = await upTo(first.changesSince(regtest.genesisHash), 2)
      await first.close()
      await using second = await headerStream({ network, peers: [short.endpoint, long.endpoint], dataDirectory })
      const after = await upTo(second.changes, 4)
      expect(after).toMatchObject([{ fork: { height: 0 }, removed: { count: 2 }, added: { firstHeight: 1, count: 4 } }])
      const tip = (await long.query("headers"))?.tip.hash
      expect(after[0]?.removed.headers).toEqual(before[0]?.added.headers)
      expect(toHex((await second.tip()).hash)).toBe(toHex(tip ?? regtest.genesisHash))
    })
  })

  test("throws in the loop when no peer is left, and ends it when it is closed here", async () => {
    const served = await node(1)
    await using leaving = await headerStream({ network, peers: [served.endpoint], tries: 1 })
    const closing = await headerStream({ network, peers: [served.endpoint], tries: 1 })
    await upTo(leaving.changes, 1)
    await upTo(closing.changes, 1)
    const loop = drained(closing)
    await closing.close()
    expect(await loop).toBe(1)
    const broken = rejection(drained(leaving))
    await served.close()
    const error = await broken
    expect(error).toBeInstanceOf(NoPeerServes)
    expect(error).toMatchObject({ peers: [{ tries: 1, fault: { _tag: "SessionOver" } }] })
    expect(await rejection(leaving.failure())).toBe(error)
  })

  test("rejects with what is wrong: another chain in the store, no endpoint, the reason of a signal", async () => {
    await inDirectory(async (dataDirectory) => {
      await using served = await node(3)
      const peers = [served.endpoint]
      const first = await headerStream({ network, peers, dataDirectory })
      await upTo(first.changes, 3)
      await first.close()
      const stricter = { ...regtest, powLimit: regtest.powLimit >> 8n }
      expect(await rejection(headerStream({ network: stricter, peers, dataDirectory }))).toBeInstanceOf(HeadersRefused)
      expect(await rejection(headerStream({ network, peers: ["a:b:c"] }))).toMatchObject({ _tag: "EndpointError" })
      const reason = new Error("enough")
      expect(await rejection(headerStream({ network, peers, signal: AbortSignal.abort(reason) }))).toBe(reason)
    })
  })
})
