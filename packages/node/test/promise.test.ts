import {
  DirectoryLocked,
  IoFailed,
  EndpointError,
  HeaderFileExists,
  HeadersRefused,
  ListenError,
  type Node,
  exportHeaders,
  importHeaders,
  start
} from "@satwire/node/promise"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { regtest, toHex } from "@satwire/primitives"
import { Dialer, Listener, layerMemory } from "@satwire/transport"
import { HeaderStore } from "@satwire/store"
import { type Faults, MemoryDisk, faultyFiles } from "@satwire/store/faults"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { handles } from "./Handles.ts"

const roles = { headers: { serve: true, announce: true }, mining: { payTo: ANYONE_CAN_SPEND } }
const miner = { network: "regtest", listen: "127.0.0.1:0", roles } as const

const unhandled: Array<unknown> = []
const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
const made: Array<string> = []
beforeAll(() => void process.on("unhandledRejection", onUnhandled))
afterAll(async () => {
  for (const path of made) rmSync(path, { recursive: true, force: true })
  // Such a rejection is reported after the turn in which nobody took it.
  await new Promise((resolve) => setImmediate(resolve))
  process.off("unhandledRejection", onUnhandled)
  expect(unhandled).toEqual([])
})

const temporaryDirectory = (): string => {
  const path = mkdtempSync(join(tmpdir(), "satwire-node-"))
  made.push(path)
  return path
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("it was to be rejected"),
    (error: unknown) => error
  )

const mined = async (node: Node, height: number): Promise<void> => {
  for (let i = (await node.query("headers"))?.tip.height ?? 0; i < height; i++) await node.makeBlock()
  while ((await node.query("headers"))?.tip.height !== height) await new Promise((resolve) => setImmediate(resolve))
}

describe("a node behind the promise door", () => {
  test("mines, is followed, tells and is asked", async () => {
    await using one = await start(miner)
    await using two = await start({ network: "regtest" })
    await two.connect(`127.0.0.1:${one.listening?.port}`)
    await mined(one, 3)
    const heights: Array<number> = []
    for await (const fact of two.facts) {
      if (fact._tag === "TipChanged") heights.push(fact.tip.height)
      if (heights.at(-1) === 3) break
    }
    const [ours, theirs] = [await two.query("headers"), await one.query("headers")]
    expect(toHex(ours?.tip.hash ?? new Uint8Array(32))).toBe(toHex(theirs?.tip.hash ?? new Uint8Array(0)))
    expect((await two.query("peers")).map(({ info }) => info?.userAgent)).toEqual(["/satwire-node:0.0/"])
  })

  test("ends its loops over facts when it is closed, once", async () => {
    const node = await start(miner)
    const told: Array<string> = []
    const loop = (async () => {
      for await (const fact of node.facts) told.push(fact._tag)
    })()
    await mined(node, 1)
    await node.close()
    await node.close()
    await loop
    expect(told).toEqual(expect.arrayContaining(["HeadersLoaded", "Listening", "TipChanged", "HeadersStored"]))
  })

  test("keeps its headers in the data directory, which is its alone meanwhile", async () => {
    const options = { ...miner, dataDirectory: temporaryDirectory() }
    const node = await start(options)
    await mined(node, 5)
    const locked = await rejection(start(options))
    expect(locked).toBeInstanceOf(DirectoryLocked)
    await node.close()
    await using again = await start(options)
    expect((await again.query("headers"))?.tip.height).toBe(5)
  })

  test("leaves nothing where it does not start, and says why", async () => {
    await using node = await start(miner)
    const before = process.getActiveResourcesInfo().filter((kind) => kind.startsWith("TCP")).length
    const directory = temporaryDirectory()
    const listen = `127.0.0.1:${node.listening?.port}`
    expect(await rejection(start({ ...miner, listen, dataDirectory: directory }))).toBeInstanceOf(ListenError)
    expect(handles({ directory, listening: 0, dialled: [] }).files).toBe(0)
    expect(process.getActiveResourcesInfo().filter((kind) => kind.startsWith("TCP")).length).toBeLessThanOrEqual(before)
    expect(await rejection(start({ connect: ["not a host"] }))).toBeInstanceOf(EndpointError)
    expect(await rejection(node.connect("[::1"))).toBeInstanceOf(EndpointError)
    expect(await rejection(start({ network: "bitcoin" as "mainnet" }))).toMatchObject({
      message: expect.stringContaining("take one of mainnet")
    })
  })

  test("refuses the headers of another chain", async () => {
    const dataDirectory = temporaryDirectory()
    const node = await start({ ...miner, dataDirectory })
    await mined(node, 1)
    await node.close()
    const network = { ...regtest, powLimit: regtest.powLimit >> 8n }
    expect(await rejection(start({ network, dataDirectory }))).toBeInstanceOf(HeadersRefused)
  })

  test("is given up by a signal, with the signal's reason", async () => {
    const reason = new Error("enough")
    expect(await rejection(start({ ...miner, signal: AbortSignal.abort(reason) }))).toBe(reason)
    const controller = new AbortController()
    const dataDirectory = temporaryDirectory()
    const starting = start({ ...miner, dataDirectory, signal: controller.signal })
    controller.abort(reason)
    expect(await rejection(starting)).toBe(reason)
    expect(handles({ directory: dataDirectory, listening: 0, dialled: [] }).files).toBe(0)
    await using node = await start(miner)
    expect(await rejection(node.failure({ signal: AbortSignal.timeout(1) }))).toMatchObject({ name: "TimeoutError" })
  })

  test("throws in its loops over facts, and rejects, when it cannot go on", async () => {
    const faults: Faults = {}
    const files = Layer.provide(faultyFiles(faults), new MemoryDisk().layer)
    const store = Layer.provide(HeaderStore.layer({ directory: "/data", networkMagic: regtest.magic }), files)
    await using node = await start({ ...miner, store })
    const loop = (async () => {
      for await (const fact of node.facts) expect(fact._tag).not.toBe("HeadersStored")
    })()
    faults.failures = [{ operation: "write", nth: 1, times: 100, code: "EIO" }]
    await node.makeBlock()
    expect(await rejection(loop)).toBeInstanceOf(IoFailed)
    expect(await rejection(node.failure())).toMatchObject({ path: "/data/headers.dat" })
  })

  test("runs over any transport", async () => {
    const scope = Scope.makeUnsafe()
    const built = await Effect.runPromise(Layer.buildWithScope(layerMemory(), scope))
    const transport = Layer.succeedContext(
      Context.make(Dialer, Context.get(built, Dialer)).pipe(Context.add(Listener, Context.get(built, Listener)))
    )
    {
      await using one = await start({ ...miner, transport })
      await mined(one, 1)
      await using two = await start({ network: regtest, transport, connect: [one.listening ?? ""] })
      for await (const fact of two.facts) if (fact._tag === "TipChanged") break
      expect((await two.query("headers"))?.tip.height).toBe(1)
    }
    await Effect.runPromise(Scope.close(scope, Effect.runSync(Effect.exit(Effect.void))))
  })

  test("takes headers to a file and brings them from one, rejects with the typed error, and lets the directory go", async () => {
    const [from, to] = [temporaryDirectory(), temporaryDirectory()]
    const path = join(to, "headers.bin")
    const network = "regtest"
    const node = await start({ network, roles, dataDirectory: from })
    await mined(node, 1)
    await expect(exportHeaders({ network, dataDirectory: from, path })).rejects.toBeInstanceOf(DirectoryLocked)
    await node.close()
    const exported = await exportHeaders({ network, dataDirectory: from, path })
    expect([exported.count, exported.tip.height]).toEqual([2, 1])
    const again = { network, dataDirectory: from, path } as const
    await expect(exportHeaders(again)).rejects.toBeInstanceOf(HeaderFileExists)
    await exportHeaders({ ...again, overwrites: true })
    const imported = await importHeaders({ network, dataDirectory: to, path })
    expect(imported).toEqual({ count: 2, added: 1, last: exported.tip, tip: exported.tip })
    await expect(importHeaders({ dataDirectory: to, path })).rejects.toMatchObject({
      _tag: "HeaderFileForeign",
      found: "regtest",
      expected: "mainnet"
    })
    const signal = AbortSignal.abort("enough")
    await expect(importHeaders({ network, dataDirectory: to, path, signal })).rejects.toBe("enough")
  })
})
