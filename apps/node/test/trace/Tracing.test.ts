import { type Server, createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { PeerId } from "@satwire/machine"
import type { NodeFact } from "@satwire/node"
import { BlockHash } from "@satwire/primitives"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { afterEach, expect, it } from "vitest"
import { FactSpans, SPANS_OPEN } from "../../src/trace/FactSpans.ts"
import { SPANS_PER_SECOND, layerTracing, limited } from "../../src/trace/Tracing.ts"
import { freshHome, run, start } from "../Program.ts"

interface Sent {
  readonly name: string
  readonly parentSpanId?: string
  readonly status: { readonly code: number }
  readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: object }>
}

const servers = new Set<Server>()
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  servers.clear()
})

/** A collector on loopback that answers with this status, or never. */
const collector = async (status: number | "never") => {
  const spans: Array<Sent> = []
  let requests = 0
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      requests += 1
      if (request.url !== "/v1/traces" || status === "never") return
      if (status === 200) spans.push(...spansOf(Buffer.concat(chunks).toString()))
      response.writeHead(status).end("{}")
    })
  })
  servers.add(server)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return { spans, requests: () => requests, url: `http://127.0.0.1:${port}/` }
}

const closed = async (): Promise<string> => {
  const { url } = await collector(200)
  const server = [...servers].at(-1)
  await new Promise((resolve) => server?.close(resolve))
  return url
}

const spansOf = (text: string): ReadonlyArray<Sent> => {
  const { resourceSpans } = JSON.parse(text) as {
    readonly resourceSpans: ReadonlyArray<{
      readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<Sent> }>
    }>
  }
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
}

it("a node sends its start, its dials, its calls and its stop to a collector", async () => {
  const { spans, url } = await collector(200)
  const home = freshHome()
  const node = start(["-regtest", "-connect=127.0.0.1:1", "-nolisten"], {
    home,
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: url }
  })
  const port = (await node.printed(/Answers HTTP on 127\.0\.0\.1:(\d+)/))[1] ?? ""
  await node.printed(/127\.0\.0\.1:1\b.*refused/i)
  await run(["rpc", "-regtest", "-rpcwait", `-rpcport=${port}`, "uptime"], { home })
  node.signal("SIGTERM")
  expect(await node.ended).toMatchObject({ code: 0, stderr: "" })
  const names = new Set(spans.map(({ name }) => name))
  expect([...names].toSorted()).toEqual(
    expect.arrayContaining(["dial", "open store", "rpc uptime", "serve HTTP", "start", "start node", "stop"])
  )
  expect(spans.filter(({ name }) => name.startsWith("http"))).toEqual([])
  const dial = spans.find(({ name }) => name === "dial")
  expect(dial).toMatchObject({ status: { code: 2 } })
  expect(dial?.attributes).toContainEqual({ key: "peer.address", value: { stringValue: "127.0.0.1:1" } })
  expect(spans.find(({ name }) => name === "open store")?.parentSpanId).toMatch(/^[0-9a-f]{16}$/)
})

/** Makes so many spans, waits, and closes what sends them, which has a second for what is left. Gives the lines of the log. */
const traced = async (
  url: string,
  spans: number,
  isSent: (lines: ReadonlyArray<string>) => boolean = () => true
): Promise<ReadonlyArray<string>> => {
  const lines: Array<string> = []
  const log = Logger.layer([Logger.make(({ logLevel, message }) => void lines.push(`${logLevel} ${String(message)}`))])
  const work = Effect.forEach(Array.from({ length: spans }), () => Effect.withSpan(Effect.void, "work"), {
    discard: true
  })
  const sent = Effect.promise(() => expect.poll(() => isSent(lines), { interval: 5, timeout: 30_000 }).toBe(true))
  const tracing = layerTracing({ url, network: "regtest" })
  await Effect.runPromise(Effect.scoped(Effect.provide(Effect.andThen(work, sent), Layer.provideMerge(tracing, log))))
  return lines
}

it("sends so many spans a second and no more", async () => {
  const { spans, url } = await collector(200)
  await traced(url, 50 * SPANS_PER_SECOND)
  expect(spans.length).toBeGreaterThanOrEqual(SPANS_PER_SECOND)
  expect(spans.length).toBeLessThan(25 * SPANS_PER_SECOND)
})

it("says once that a collector is not there, refuses or does not answer, and ends in time", async () => {
  const refusing = await collector(400)
  const silent = await collector("never")
  // Nobody listens there any more.
  const absent = await closed()
  const hasWarned = (lines: ReadonlyArray<string>): boolean => lines.some((line) => line.startsWith("Warn"))
  const [down, refused, unanswered] = await Promise.all([
    traced(absent, 10, hasWarned),
    traced(refusing.url, 10, hasWarned),
    traced(silent.url, 10, () => silent.requests() > 0)
  ])
  expect(down?.filter((line) => line.startsWith("Warn"))).toEqual([
    expect.stringMatching(
      /^Warn The collector of traces at http:\/\/\S+\/v1\/traces does not take them: .*refused.*until it does\.$/i
    )
  ])
  expect(refused?.filter((line) => line.includes("HTTP 400"))).toHaveLength(1)
  expect(refusing.requests()).toBe(1)
  expect(unanswered).toEqual([])
  expect(silent.requests()).toBe(1)
})

/** A tracer that keeps what ended. */
const recording = () => {
  const ended: Array<string> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      const end = span.end.bind(span)
      span.end = (time, exit) => {
        end(time, exit)
        const about = [...span.attributes].map(([key, value]) => `${key}=${String(value)}`)
        ended.push([`${span.name} ${exit._tag} ${(time - options.startTime) / 1_000_000n} ms`, ...about].join(" "))
      }
      return span
    }
  })
  return { ended, tracer }
}

const ms = (at: number): bigint => BigInt(at) * 1_000_000n
const endpoint = { host: "192.0.2.1", port: 8333 }
const address = "192.0.2.1:8333"
const peer = PeerId(4)
const presynced = (phase: "presync" | "redownload", height: number) =>
  ({ _tag: "Presynced", peer, phase, height }) as unknown as NodeFact
const tip = (height: number): NodeFact => ({
  _tag: "TipChanged",
  tip: { height, hash: BlockHash(new Uint8Array(32)), time: 0 },
  forkHeight: height - 1,
  removed: 0,
  added: 1,
  from: peer
})

it("what a node tells is a span from its beginning to its end", () => {
  const { ended, tracer } = recording()
  const spans = new FactSpans(tracer, true)
  spans.observe({ _tag: "PeerConnecting", endpoint, kind: "manual" }, ms(0))
  spans.observe({ _tag: "PeerConnected", peer, kind: "manual", direction: "outbound", address }, ms(30))
  spans.observe({ _tag: "PeerReady", peer, address, info: { transport: "v2" } } as unknown as NodeFact, ms(90))
  spans.observe(presynced("presync", 2000), ms(100))
  spans.observe(presynced("presync", 4000), ms(200))
  spans.observe(presynced("redownload", 2000), ms(300))
  spans.observe(tip(2000), ms(400))
  spans.observe(tip(4000), ms(500))
  spans.look(ms(5000))
  expect(ended).toHaveLength(4)
  spans.look(ms(5500))
  spans.observe({ _tag: "PeerConnecting", endpoint, kind: "manual" }, ms(6000))
  spans.close(ms(6001))
  const about = "peer.address=192.0.2.1:8333"
  expect(ended).toEqual([
    `dial Success 30 ms ${about} peer.kind=manual`,
    `handshake Success 60 ms ${about} peer.id=4 peer.kind=manual peer.direction=outbound peer.transport=v2`,
    "headers: presync Success 100 ms headers.from=2000 headers.to=4000",
    "headers: redownload Success 0 ms headers.from=2000 headers.to=2000",
    "headers: sync Success 100 ms headers.from=2000 headers.to=4000",
    `dial Failure 1 ms ${about} peer.kind=manual`
  ])
})

it("connections that are made and never come to anything do not pile up, and addresses are told to who may see them", () => {
  const { ended, tracer } = recording()
  const spans = new FactSpans(tracer, false)
  for (let i = 0; i < 2 * SPANS_OPEN; i++) {
    spans.observe({ _tag: "PeerConnected", peer: PeerId(i), kind: "inbound", direction: "inbound", address }, ms(0))
  }
  spans.close(ms(1))
  expect(ended).toHaveLength(SPANS_OPEN)
  expect(ended.join()).not.toContain("192.0.2.1")
})

it("what is beyond the limit of a second is not sampled, and the next second is a new one", () => {
  const sampled: Array<boolean> = []
  const tracer = limited(
    Tracer.make({
      span: (options) => {
        sampled.push(options.sampled)
        return new Tracer.NativeSpan(options)
      }
    })
  )
  const options = {
    parent: Option.none(),
    annotations: Context.empty(),
    links: [],
    kind: "internal",
    root: true
  } as const
  const span = (at: number) => tracer.span({ ...options, links: [], name: "a", startTime: ms(at), sampled: true })
  for (let i = 0; i <= SPANS_PER_SECOND; i++) span(10)
  span(1000)
  expect(sampled.slice(-3)).toEqual([true, false, true])
})
