/**
 * Where requests come in, and where it is known what is open.
 *
 * ```
 *   request ─▶ origin? ─▶ limits? ─▶ on the list? ─▶ resolved once, allowed? ─▶ dialled ─▶ 101 ─▶ Carriage
 *                403      429, 503       4403             4404, 4403            4502 …
 * ```
 *
 * Up to the limits the answer is an HTTP status, which costs next to nothing. After them it is a WebSocket that closes with a code, because
 * a page is told the code and not the status.
 */
import { TokenBucket } from "@satwire/machine"
import { sourceKey } from "@satwire/netaddress"
import { type Connection, type Dialer, type Endpoint, parseEndpoint } from "@satwire/transport"
import {
  BRIDGE_CLOSES,
  BRIDGE_PROTOCOL,
  BRIDGE_REFUSALS,
  BRIDGE_REFUSAL_PROTOCOL,
  bridgeEndpointText
} from "@satwire/transport-websocket"
import type { WebSocketRequest } from "@satwire/transport-websocket/node"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Dns from "effect/net/Dns"
import type * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import type { Asker, BridgeEvent } from "./BridgeEvent.ts"
import { Carriage, type CarriageRules } from "./Carriage.ts"
import type { Origins } from "./Origins.ts"
import { Refusal, reach } from "./Reach.ts"
import { type SourceLimits, Sources, sourceOf } from "./Sources.ts"
import type { Targets } from "./Targets.ts"

export interface DeskOptions {
  readonly targets: Targets
  readonly origins: Origins
  readonly limits: SourceLimits
  readonly rules: CarriageRules
  /** Of one connection, both ways together. */
  readonly bytesPerSecond: number
  /** Of all of them. */
  readonly totalBytesPerSecond: number
  /** How long it may take to resolve a target and to connect to it. */
  readonly dialTimeoutMs: number
  /** Whether this is one of our own proxies, whose word about whom it speaks for is believed. */
  readonly isProxy: (address: NetAddress.IpAddress) => boolean
  /** Told what happens. */
  readonly tell: (event: BridgeEvent) => void
}

/** Runs the search for a target beside the others. */
export type RunBeside = (effect: Effect.Effect<void, never, Dialer | Dns.Dns>) => unknown

/** Somebody who was let in, and counts until `leave`. */
interface Guest {
  readonly request: WebSocketRequest
  readonly asker: Asker
  readonly leave: () => void
}

/** How long pages and nodes may take to close when the bridge stops. */
const STOP_MS = 1000

/** What a log shows of a stranger's text. */
const SHOWN_CHARACTERS = 100

export class Desk {
  readonly #options: DeskOptions
  readonly #nowMs: () => number
  readonly #runBeside: RunBeside
  readonly #sources: Sources
  readonly #total: TokenBucket
  readonly #carriages: Set<Carriage> = new Set()
  /** Open while nobody is carried. */
  readonly #quiet: Latch.Latch = Latch.makeUnsafe(true)
  #isStopping = false

  constructor(options: DeskOptions, nowMs: () => number, runBeside: RunBeside) {
    this.#options = options
    this.#nowMs = nowMs
    this.#runBeside = runBeside
    this.#sources = new Sources(options.limits)
    this.#total = bucketOf(options.totalBytesPerSecond, nowMs())
  }

  /** How many are connected, or about to be. */
  get guests(): number {
    return this.#sources.open
  }

  receive(request: WebSocketRequest): void {
    const { origins, isProxy } = this.#options
    const source = sourceOf(request.remote.host, request.header("x-forwarded-for"), isProxy)
    const text = bridgeEndpointText(request.path)
    const asker: Asker = { source, origin: clipped(request.origin), target: clipped(text) ?? "" }
    if (this.#isStopping) return this.#reject(request, asker, 503, STOPPING)
    if (!origins.allows(request.origin)) return this.#reject(request, asker, 403, "this bridge is not for that origin")
    const key = sourceKey(source)
    const excess = this.#sources.enter(key, this.#nowMs())
    if (excess !== undefined) return this.#reject(request, asker, excess === "too many connections" ? 503 : 429, excess)
    this.#runBeside(this.#serve({ request, asker, leave: () => this.#sources.leave(key) }, text))
  }

  /** To be called every now and then. */
  tick(): void {
    for (const carriage of this.#carriages) carriage.tick()
  }

  /**
   * Lets nobody in any more and ends what is carried, in order where that takes no longer than a moment.
   *
   * @param giveUpSearches interrupts what {@link RunBeside} runs
   */
  stop(giveUpSearches: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      this.#isStopping = true
      yield* giveUpSearches
      for (const carriage of this.#carriages) carriage.end(BRIDGE_CLOSES.Stopping, STOPPING)
      yield* Effect.timeoutOption(this.#quiet.await, STOP_MS)
      for (const carriage of this.#carriages) carriage.destroy()
    })
  }

  /** From a guest to a carriage or a refusal. */
  #serve(guest: Guest, text: string | undefined): Effect.Effect<void, never, Dialer | Dns.Dns> {
    const { targets, dialTimeoutMs } = this.#options
    return Effect.uninterruptibleMask((restore) =>
      Effect.fromResult(endpointOf(text)).pipe(
        Effect.flatMap((endpoint) => restore(reach(endpoint, targets, dialTimeoutMs))),
        Effect.match({
          onSuccess: (node) => this.#carry(guest, node),
          onFailure: (refusal) => this.#refuse(guest, refusal)
        }),
        Effect.catchDefect((defect) =>
          Effect.andThen(
            Effect.logError("this is a bug of Satwire, please report it", defect),
            Effect.sync(() => this.#abandon(guest, 500, "this bridge has a bug"))
          )
        ),
        Effect.onInterrupt(() => Effect.sync(() => this.#abandon(guest, 503, STOPPING)))
      )
    )
  }

  #carry({ request, asker, leave }: Guest, node: Connection): void {
    const page = request.accept(BRIDGE_PROTOCOL)
    if (page === undefined) {
      node.destroy()
      return leave()
    }
    const { rules, bytesPerSecond, tell } = this.#options
    const carriage = new Carriage({
      page,
      node,
      rules,
      buckets: [bucketOf(bytesPerSecond, this.#nowMs()), this.#total],
      nowMs: this.#nowMs,
      onClosed: (summary) => {
        this.#carriages.delete(carriage)
        if (this.#carriages.size === 0) this.#quiet.openUnsafe()
        leave()
        tell({ _tag: "Carried", asker, summary })
      }
    })
    this.#carriages.add(carriage)
    this.#quiet.closeUnsafe()
    tell({ _tag: "Carrying", asker, address: node.remote })
    carriage.start()
  }

  /** Opens the WebSocket only to close it with a code. */
  #refuse({ request, asker, leave }: Guest, { code, why }: Refusal): void {
    this.#options.tell({ _tag: "Refused", asker, code, why })
    const page = request.accept(BRIDGE_REFUSAL_PROTOCOL)
    if (page === undefined) return leave()
    page.start({ onBytes: () => undefined, onDrain: () => undefined, onClose: leave })
    page.endWith(code, why)
  }

  /** The search for the target came to nothing. */
  #abandon({ request, asker, leave }: Guest, status: number, why: string): void {
    this.#reject(request, asker, status, why)
    leave()
  }

  #reject(request: WebSocketRequest, asker: Asker, status: number, why: string): void {
    this.#options.tell({ _tag: "Rejected", asker, status, why })
    request.refuse(status, why)
  }
}

const STOPPING = "this bridge stops"

const endpointOf = (text: string | undefined): Result.Result<Endpoint, Refusal> => {
  const refused = (why: string) => new Refusal({ code: BRIDGE_REFUSALS.BadRequest, why })
  if (text === undefined) return Result.fail(refused("the URL names no target: write ?to=host:port"))
  return Result.mapError(parseEndpoint(text), () => refused("the URL names no target that can be understood"))
}

const clipped = (text: string | undefined): string | undefined =>
  text?.replace(/\p{Cc}/gu, "?").slice(0, SHOWN_CHARACTERS)

/** A second of it at once. */
const bucketOf = (perSecond: number, nowMs: number): TokenBucket =>
  new TokenBucket({ perSecond, burst: perSecond }, nowMs)
