/** What of the doctor's questions needs others: names that lead to nodes, hands that are shaken, headers that come, and what time others have. */
import { type PeerSession, connect } from "@satwire/client"
import { platformAead, platformSha256 } from "@satwire/crypto/node"
import { SeedResolver } from "@satwire/discovery/effect"
import { formatHost } from "@satwire/netaddress"
import type { ChainParams } from "@satwire/primitives"
import { type Dialer, type Endpoint, formatEndpoint } from "@satwire/transport"
import { sanitizeUserAgent } from "@satwire/wire"
import * as Effect from "effect/Effect"
import type { Identity } from "../config/Identity.ts"
import type { Finding } from "./Finding.ts"

/** So many seeds are asked, and so many nodes are dialled. */
const SEEDS_ASKED = 3
const NODES_DIALLED = 8
/** Core warns where its clock is off by more. */
const MOST_CLOCK_SECONDS = 600

export interface Asked {
  readonly findings: ReadonlyArray<Finding>
  readonly endpoints: ReadonlyArray<Endpoint>
}

/** Asks DNS seeds for nodes. */
export const seeds = (params: ChainParams): Effect.Effect<Asked, never, SeedResolver> =>
  Effect.gen(function* () {
    const check = "DNS seeds"
    if (params.dnsSeeds.length === 0) {
      const text = `${params.name} has no DNS seeds.`
      return { findings: [{ check, state: "unknown", text }], endpoints: [] }
    }
    const { resolve } = yield* SeedResolver
    const answers = yield* Effect.forEach(
      params.dnsSeeds.slice(0, SEEDS_ASKED),
      (seed) => Effect.result(resolve(seed)),
      {
        concurrency: SEEDS_ASKED
      }
    )
    const found = answers.flatMap((answer) => (answer._tag === "Success" ? answer.success : []))
    const silent = answers.flatMap((answer) => (answer._tag === "Failure" ? [answer.failure.message] : []))
    const endpoints = found.map((node) => ({ host: formatHost(node), port: params.defaultPort }))
    if (endpoints.length > 0) {
      const text = `${answers.length - silent.length} of ${answers.length} seeds gave ${endpoints.length} addresses.`
      return { findings: [{ check, state: "well", text }], endpoints }
    }
    const advice =
      "Look whether this machine is online and resolves names; else name nodes with --addnode or --seednode."
    return {
      findings: [
        { check, state: "unwell", text: `No seed answered: ${(silent[0] ?? "").replace(/\.$/, "")}.`, advice }
      ],
      endpoints
    }
  })

interface Met {
  readonly endpoint: Endpoint
  readonly session: {
    readonly userAgent: string
    readonly height: number
    readonly offset: number
    readonly transport: string
  }
  readonly headers: number | undefined
}

/** Shakes hands with a few nodes, asks one for headers, and compares clocks. */
export const meet = (
  endpoints: ReadonlyArray<Endpoint>,
  identity: Identity,
  timeoutMs: number
): Effect.Effect<
  { readonly findings: ReadonlyArray<Finding>; readonly heights: ReadonlyArray<number> },
  never,
  Dialer
> =>
  Effect.gen(function* () {
    if (endpoints.length === 0) {
      const text = "There is nobody to shake hands with."
      return { findings: [{ check: "Handshakes", state: "unknown", text }], heights: [] }
    }
    const visits = yield* Effect.forEach(
      spread(endpoints, NODES_DIALLED),
      (endpoint) => Effect.result(visit(endpoint, identity, timeoutMs)),
      { concurrency: NODES_DIALLED }
    )
    const met = visits.flatMap((visit) => (visit._tag === "Success" ? [visit.success] : []))
    const failure = visits.find((visit) => visit._tag === "Failure")?.failure ?? ""
    const findings = [handshakes(met, visits.length, failure), ...(met.length === 0 ? [] : [headers(met), clock(met)])]
    return { findings, heights: met.map(({ session }) => session.height) }
  })

/** Some of many, from all over the list. */
const spread = <A>(all: ReadonlyArray<A>, count: number): ReadonlyArray<A> =>
  all.length <= count ? all : Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)] as A)

const visit = (
  endpoint: Endpoint,
  { params, userAgent }: Identity,
  timeoutMs: number
): Effect.Effect<Met, string, Dialer> =>
  Effect.scoped(
    Effect.gen(function* () {
      const options = { params, userAgent, sha256: platformSha256, aead: platformAead, dialTimeoutMs: timeoutMs }
      const session = yield* Effect.mapError(connect(endpoint, options), ({ message }) => message)
      const { startHeight, timeOffsetSeconds, transport, userAgent: theirs } = session.info
      return {
        endpoint,
        session: { userAgent: theirs, height: startHeight, offset: timeOffsetSeconds, transport },
        headers: yield* firstHeaders(session, params, timeoutMs)
      }
    })
  ).pipe(
    Effect.timeoutOrElse({
      duration: 3 * timeoutMs,
      orElse: () => Effect.fail(`${formatEndpoint(endpoint)} took too long`)
    })
  )

const firstHeaders = (
  session: PeerSession,
  params: ChainParams,
  timeoutMs: number
): Effect.Effect<number | undefined> =>
  session.headers([params.genesisHash], undefined).pipe(
    Effect.map(({ count }): number | undefined => count),
    Effect.timeoutOrElse({ duration: timeoutMs, orElse: () => Effect.succeed(undefined) }),
    Effect.catch(() => Effect.succeed(undefined))
  )

const handshakes = (met: ReadonlyArray<Met>, tried: number, failure: string): Finding => {
  const check = "Handshakes"
  const [first] = met
  if (first === undefined) {
    const advice = "Look whether a firewall lets connections out, or use --proxy where only a proxy does."
    return {
      check,
      state: "unwell",
      text: `None of ${tried} nodes shook hands: ${failure.replace(/\.$/, "")}.`,
      advice
    }
  }
  const encrypted = met.filter(({ session }) => session.transport === "v2").length
  const who = `${formatEndpoint(first.endpoint)} is ${sanitizeUserAgent(first.session.userAgent)}`
  return {
    check,
    state: "well",
    text: `${met.length} of ${tried} nodes shook hands, ${encrypted} of them encrypted; ${who}.`
  }
}

const headers = (met: ReadonlyArray<Met>): Finding => {
  const check = "Headers"
  const gave = met.filter((each) => (each.headers ?? 0) > 0)
  const height = Math.max(...met.map(({ session }) => session.height))
  if (gave.length > 0)
    return { check, state: "well", text: `${gave.length} of ${met.length} gave headers; they are at height ${height}.` }
  if (height <= 0) return { check, state: "unsure", text: "They have no headers beyond the first one." }
  const advice = "They may be busy or of another chain: run it again, or name other nodes with --connect."
  return { check, state: "unwell", text: `None of ${met.length} gave headers.`, advice }
}

const clock = (met: ReadonlyArray<Met>): Finding => {
  const check = "Clock"
  const offsets = met.map(({ session }) => session.offset).toSorted((a, b) => a - b)
  const median = offsets[Math.floor(offsets.length / 2)] ?? 0
  const text = `By ${met.length} nodes this machine's clock is off by ${Math.abs(median)} s.`
  if (Math.abs(median) <= MOST_CLOCK_SECONDS) return { check, state: "well", text }
  return { check, state: "unwell", text, advice: "Set the clock: a node whose clock is wrong refuses new blocks." }
}
