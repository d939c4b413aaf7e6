/** What the dashboard's routes answer, without a browser. */
import type { MessagesAnswer, PeerDetail, StateAnswer } from "@satwire/dashboard-page"
import { PeerId } from "@satwire/machine"
import { type BlockHash, mainnet } from "@satwire/primitives"
import { MockableClock } from "@satwire/runtime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { BlockLog, SPREAD_MS } from "../src/BlockLog.ts"
import { type Served, reached, serve } from "./Serving.ts"

const run = <A>(effect: Effect.Effect<A, unknown>): Promise<A> => Effect.runPromise(effect)

describe("the dashboard's routes", () => {
  const scope = Effect.runSync(Scope.make())
  let served: Served
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`${served.url}${path}`, init)
  const json = async <A>(path: string): Promise<A> => (await get(path)).json() as Promise<A>

  beforeAll(async () => {
    served = await run(Scope.provide(serve(), scope))
    await run(reached(served.follower, 105))
  })
  afterAll(() => run(Scope.close(scope, Exit.void)))

  it("serve the page with a policy that leaves it nothing but itself", async () => {
    for (const path of ["", "/page.js", "/page.css", "/state"]) {
      const { headers, status } = await get(path)
      expect([path, status]).toEqual([path, 200])
      const policy = headers.get("content-security-policy") ?? ""
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toMatch(/unsafe|http|\*/)
      expect(headers.get("x-content-type-options")).toBe("nosniff")
    }
    const etag = (await get("/page.js")).headers.get("etag") ?? ""
    expect((await get("/page.js", { headers: { "if-none-match": etag } })).status).toBe(304)
  })

  it("only read, and know nothing else", async () => {
    for (const path of ["/nothing", "/peers/99", "/peers/x", "/messages/0", "/../package.json"]) {
      expect([path, (await get(path)).status]).toEqual([path, 404])
    }
    for (const method of ["POST", "PUT", "DELETE"]) expect((await get("/state", { method })).status).toBe(404)
    expect((await get("/state", { headers: { origin: "http://evil.example" } })).status).toBe(403)
  })

  it("tell how the node stands, and each second once", async () => {
    const told = async (): Promise<StateAnswer["state"]> => {
      const { state } = await json<StateAnswer>("/state?after=0")
      return state.lastBlocks[0]?.height === 105 ? state : told()
    }
    const state = await told()
    expect(state).toMatchObject({ network: "regtest", isPublic: false, peerCount: 1, banCount: 0 })
    expect(state.blocks?.height).toBe(105)
    expect(state.lastBlocks[0]).toMatchObject({ from: state.peers[0]?.id, removed: 0, compact: null })
    expect(state.peers[0]?.userAgent).not.toContain("<")
    const samples = async (after: number): Promise<ReadonlyArray<number>> =>
      (await json<StateAnswer>(`/state?after=${after}`)).samples.map(({ n }) => n)
    const until = async (count: number): Promise<ReadonlyArray<number>> => {
      const found = await samples(0)
      return found.length < count ? until(count) : found
    }
    expect((await until(2)).slice(0, 2)).toEqual([1, 2])
    expect((await samples(1))[0]).toBe(2)
    // Of another run: all.
    expect((await samples(1e9))[0]).toBe(1)
  })

  it("tell all about a peer", async () => {
    const [peer] = (await json<StateAnswer>("/state")).state.peers
    const detail = await json<PeerDetail>(`/peers/${peer?.id}`)
    expect(detail).toMatchObject({ transport: "v2", kind: "manual", height: 105 })
    expect(detail.sessionId).toMatch(/^[0-9a-f]{64}$/)
    expect(detail.received.map(([command]) => command)).toContain("version")
  })

  it("tell messages while somebody asks, as they pass the filter", async () => {
    expect(await json<MessagesAnswer>("/messages?after=0")).toMatchObject({ rows: [], lost: 0 })
    await run(served.miner.makeTransactions(2))
    const until = async (path: string): Promise<MessagesAnswer> => {
      const answer = await json<MessagesAnswer>(path)
      return answer.rows.length < 2 ? until(path) : answer
    }
    const { last, rows } = await until("/messages?after=0&command=tx,getdata&side=received")
    expect(rows.map(({ command, side }) => [command, side])).toEqual([
      ["tx", "received"],
      ["tx", "received"]
    ])
    expect((await json<MessagesAnswer>(`/messages?after=${last}&command=tx`)).rows).toEqual([])
    expect((await json<MessagesAnswer>("/messages?after=0&peer=99")).rows).toEqual([])
    const detail = await json<{ readonly decoded: { readonly tx: object }; readonly hex: string }>(
      `/messages/${rows[0]?.n}`
    )
    expect(detail.decoded.tx).toHaveProperty("wtxid")
    expect(detail.hex).toMatch(/^02000000/)
  })
})

it("says on a public network that coins and scripts are not verified", () =>
  run(
    Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* serve({ params: mainnet, blocks: 1 })
        const { state } = yield* Effect.promise(
          async () => (await fetch(`${url}/state`)).json() as Promise<StateAnswer>
        )
        expect(state).toMatchObject({ isPublic: true, network: "mainnet" })
      })
    )
  ))

it("says how long the node runs, and how it stands, whatever is done to the wall clock", () =>
  run(
    Effect.scoped(
      Effect.gen(function* () {
        const { setMockTime } = yield* MockableClock
        yield* setMockTime(2_000_000_000)
        const { url } = yield* serve({ blocks: 1 })
        const told = Effect.promise(async () => ((await (await fetch(`${url}/state`)).json()) as StateAnswer).state)
        const { uptimeSeconds } = yield* told
        // The clock stands, and what is told goes on.
        let later = yield* told
        while (later.uptimeSeconds === uptimeSeconds) later = yield* told
        expect(later.unixMs).toBe(2_000_000_000_000)
        yield* setMockTime(2_000_086_400)
        while (later.unixMs === 2_000_000_000_000) later = yield* told
        expect(later.uptimeSeconds).toBeLessThan(86_400)
      })
    ).pipe(Effect.provide(MockableClock.layer()))
  ))

it("notes blocks as they come, however long their headers were here before", () => {
  const log = new BlockLog(true)
  const tip = (height: number) => ({ height, hash: new Uint8Array(32).fill(height) as BlockHash, time: height })
  const change = { forkHeight: 0, removed: 0, added: 1 }
  log.heard({ _tag: "TipChanged", tip: tip(3), ...change, from: PeerId(7) }, 1000)
  for (const height of [1, 2, 3]) log.heard({ _tag: "BlockTipChanged", tip: tip(height), ...change }, 1000 + height)
  log.heard({ _tag: "BlockTipChanged", tip: tip(4), ...change, removed: 2 }, 2000)
  expect(log.blocks.map(({ from, height }) => [height, from])).toEqual([
    [4, 7],
    [3, 7],
    [2, 7],
    [1, 7]
  ])
  expect(log.reorganisations.map(({ height }) => height)).toEqual([4])
  log.spread(1, 4, 2500)
  log.spread(1, 4, 3500)
  log.spread(3, 4, 4500)
  expect(log.blocks[0]?.spread.map(({ afterMs, peers }) => [afterMs, peers])).toEqual([
    [500, 1],
    [2500, 3]
  ])
  expect([log.spreading(3000), log.spreading(2001 + SPREAD_MS)]).toEqual([4, undefined])
})
