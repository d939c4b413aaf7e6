/**
 * Feeds a capture through the core of a node, without a network: what came of each peer, in the order and at the times of the capture.
 *
 * ```
 *   files ─▶ survey: damage, roles, beginnings ─▶ records of all peers by time ─▶ ReplayedCore ─▶ facts, messages, a summary
 * ```
 *
 * It is no recording that is played: the core decides anew, with other nonces and another draw of everything that is drawn. What it would ask
 * for that the captured node did not is not in the capture, so it may let somebody go who stayed then.
 */
import type { Sha256 } from "@satwire/crypto"
import type { Tip } from "@satwire/header-sync"
import type { PeerId } from "@satwire/machine"
import type { Roles } from "@satwire/node-core"
import { type ChainParams, HEADER_SIZE, genesisHeader } from "@satwire/primitives"
import { Files, type FilesShape } from "@satwire/store"
import { equals } from "@satwire/bytes"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { CaptureEmpty, type CaptureFault } from "./CaptureError.ts"
import type { PeerFiles } from "./CapturePlaces.ts"
import { ConnectionCut, PeerRecords, type SidedRecord } from "./PeerRecords.ts"
import { type Survey, captureFiles, survey } from "./ReadCapture.ts"
import { type Replayed, ReplayedCore } from "./ReplayedCore.ts"

export interface ReplayOptions {
  /** Files, folders of peers, or folders of those. */
  readonly paths: ReadonlyArray<string>
  readonly params: ChainParams
  readonly sha256: Sha256
  /** What is drawn is drawn of it. */
  readonly seed: number
  /** Whether messages come out beside facts. */
  readonly showsMessages?: boolean | undefined
  /** Raw headers from genesis on that the node had before: what follows is understood only by who has them. */
  readonly headers?: Uint8Array | undefined
  /** What the core does; where not given, what the captured node was seen to do: headers, and blocks and transactions where any came. */
  readonly roles?: Roles | undefined
}

export interface ReplaySummary {
  readonly _tag: "Ended"
  readonly addresses: number
  readonly connections: number
  /** Records of both sides, and their payload. */
  readonly records: number
  readonly bytes: number
  /** Those that the core was given, of what was received. */
  readonly received: number
  /** Those that came when the core had let their sender go, or had not let it in. */
  readonly passedOver: number
  /** What was received, by command. */
  readonly commands: ReadonlyMap<string, number>
  /** Time of the first and the last record, in milliseconds since 1970. */
  readonly fromMs: number
  readonly toMs: number
  readonly tip: Tip | undefined
  /** The end of the followed chain of blocks; `undefined` where there were none. */
  readonly blockTip: Tip | undefined
}

export type ReplayNews = Replayed | ReplaySummary

/** What comes of it, the summary last. Nothing comes where a file is damaged. */
export const replay = (options: ReplayOptions): Stream.Stream<ReplayNews, CaptureFault, Files> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const files = yield* Files
      const peers: Array<PeerFiles> = []
      for (const path of options.paths) peers.push(...(yield* captureFiles(path)))
      const surveyed: Array<Surveyed> = []
      for (const peer of peers) surveyed.push(yield* surveyPeer(peer))
      const running = new Run(files, options, surveyed)
      return Stream.fromPull(Effect.succeed(running.pull))
    })
  )

interface Surveyed {
  readonly files: PeerFiles
  readonly startUs: number
  readonly sides: ReadonlyArray<Survey>
  readonly received: ReadonlySet<string>
}

const NO_COMMANDS: ReadonlySet<string> = new Set()

const surveyPeer = (files: PeerFiles): Effect.Effect<Surveyed, CaptureFault, Files> =>
  Effect.gen(function* () {
    const received = files.received === undefined ? undefined : yield* survey(files.received)
    const sent = files.sent === undefined ? undefined : yield* survey(files.sent)
    const startUs = Math.min(received?.firstUs ?? Infinity, sent?.firstUs ?? Infinity)
    const sides = [received, sent].filter((side) => side !== undefined)
    return { files, startUs, sides, received: received?.commands ?? NO_COMMANDS }
  })

const BLOCK_COMMANDS: ReadonlyArray<string> = ["block", "cmpctblock", "blocktxn"]

/** What a node with this capture did. */
const rolesSeen = (surveyed: ReadonlyArray<Surveyed>, firstHeight: number): Roles => {
  const came = (commands: ReadonlyArray<string>): boolean =>
    surveyed.some(({ received }) => commands.some((command) => received.has(command)))
  const hasBlocks = came(BLOCK_COMMANDS)
  return {
    headers: { serve: true, announce: true },
    blocks: hasBlocks ? { wanted: { from: firstHeight }, serve: true, isLimited: false, kept: [] } : undefined,
    transactions: hasBlocks && came(["tx"]) ? { relays: true } : undefined,
    mining: undefined
  }
}

interface Active {
  readonly records: PeerRecords
  readonly cut: ConnectionCut
  peer: PeerId | undefined
}

class Run {
  readonly #files: FilesShape
  readonly #options: ReplayOptions
  readonly #core: ReplayedCore
  /** Those that have still to begin, the first last. */
  readonly #waiting: Array<Surveyed>
  /** Those between their first and their last record. */
  readonly #active: Set<Active> = new Set()
  readonly #totals: Pick<ReplaySummary, "addresses" | "records" | "bytes" | "fromMs">
  readonly #commands: Map<string, number> = new Map()
  readonly #out: Array<ReplayNews> = []
  #connections = 0
  #received = 0
  #passedOver = 0
  #lastUs: number
  #hasEnded = false

  constructor(files: FilesShape, options: ReplayOptions, surveyed: ReadonlyArray<Surveyed>) {
    const { params, seed, sha256, showsMessages = false } = options
    const headers = withoutGenesis(options.headers, params)
    const there = surveyed.filter(({ startUs }) => startUs !== Infinity)
    const startUs = there.reduce((first, { startUs: us }) => Math.min(first, us), Infinity)
    this.#files = files
    this.#options = options
    this.#waiting = there.toSorted((a, b) => b.startUs - a.startUs)
    this.#lastUs = startUs
    const sides = there.flatMap((one) => one.sides)
    this.#totals = {
      addresses: there.length,
      records: sides.reduce((sum, { records }) => sum + records, 0),
      bytes: sides.reduce((sum, { bytes }) => sum + bytes, 0),
      fromMs: Math.floor(startUs / 1000)
    }
    this.#core = new ReplayedCore({
      params,
      roles: options.roles ?? rolesSeen(there, 1 + headers.length / HEADER_SIZE),
      seed,
      sha256,
      startUs: startUs === Infinity ? 0 : startUs,
      showsMessages,
      push: (replayed) => this.#out.push(replayed)
    })
    this.#core.submitHeaders(headers)
  }

  /** Goes on until there is something to tell. */
  readonly pull: Effect.Effect<readonly [ReplayNews, ...Array<ReplayNews>], CaptureFault | Cause.Done> = Effect.suspend(
    () => this.#pull()
  )

  #pull(): Effect.Effect<readonly [ReplayNews, ...Array<ReplayNews>], CaptureFault | Cause.Done> {
    return Effect.gen({ self: this }, function* () {
      for (;;) {
        const [first, ...more] = this.#out.splice(0)
        if (first !== undefined) return [first, ...more] as const
        if (this.#hasEnded) return yield* Cause.done()
        yield* this.#step()
      }
    })
  }

  /** One record, or the end. */
  #step(): Effect.Effect<void, CaptureFault> {
    return Effect.gen({ self: this }, function* () {
      if (this.#totals.addresses === 0) return yield* new CaptureEmpty(this.#options.paths.join(", "))
      const next = this.#next()
      const waits = this.#waiting.at(-1)
      if (waits !== undefined && (next === undefined || waits.startUs <= next.record.unixUs)) {
        this.#waiting.pop()
        const records = new PeerRecords(this.#files, waits.files)
        this.#active.add({ records, cut: new ConnectionCut(), peer: undefined })
        yield* records.ready ?? Effect.void
      } else if (next === undefined) this.#end()
      else {
        const { active, record } = next
        this.#feed(active, record)
        active.cut.take(record)
        active.records.take()
        yield* active.records.ready ?? Effect.void
        const { head } = active.records
        if (head === undefined || active.cut.isBefore(head)) this.#close(active)
        if (head === undefined) this.#active.delete(active)
      }
    })
  }

  #next(): { readonly active: Active; readonly record: SidedRecord } | undefined {
    let found: { readonly active: Active; readonly record: SidedRecord } | undefined
    for (const active of this.#active) {
      const record = active.records.head
      if (record !== undefined && (found === undefined || record.unixUs < found.record.unixUs))
        found = { active, record }
    }
    return found
  }

  #feed(active: Active, record: SidedRecord): void {
    this.#core.advance(record.unixUs)
    if (active.cut.isBefore(record)) {
      active.peer = this.#core.open(active.records.address, record.side === "sent")
      this.#connections += 1
    }
    this.#lastUs = Math.max(this.#lastUs, record.unixUs)
    if (record.side === "sent") return
    const { peer } = active
    this.#commands.set(record.command, (this.#commands.get(record.command) ?? 0) + 1)
    if (peer === undefined || !this.#core.isOpen(peer)) this.#passedOver += 1
    else {
      this.#core.receive(peer, record)
      this.#received += 1
    }
  }

  #close(active: Active): void {
    if (active.peer !== undefined) this.#core.close(active.peer)
    active.peer = undefined
  }

  #end(): void {
    const { core } = this.#core
    this.#hasEnded = true
    this.#out.push({
      _tag: "Ended",
      ...this.#totals,
      connections: this.#connections,
      received: this.#received,
      passedOver: this.#passedOver,
      commands: this.#commands,
      toMs: Math.floor(this.#lastUs / 1000),
      tip: core.query("headers")?.tip,
      blockTip: core.query("blocks")?.tip
    })
  }
}

const NO_HEADERS: Uint8Array = new Uint8Array(0)

const withoutGenesis = (headers: Uint8Array = NO_HEADERS, params: ChainParams): Uint8Array =>
  equals(headers.subarray(0, HEADER_SIZE), genesisHeader(params)) ? headers.subarray(HEADER_SIZE) : headers
