/** A bridge in this process with its events, nodes that it may lead to, and pages of several kinds. */
import { type Connection, Dialer, type Endpoint, Listener } from "@satwire/transport"
import { Observed, Signal } from "@satwire/transport/compliance"
import { layerTcp } from "@satwire/transport-tcp"
import { bridgeRoute } from "@satwire/transport-websocket"
import { layerWebSocket } from "@satwire/transport-websocket/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Dns from "effect/net/Dns"
import type * as Scope from "effect/Scope"
import { once } from "node:events"
import { WebSocket } from "ws"
import { type Bridge, makeBridge } from "../src/bridge/Bridge.ts"
import type { BridgeEvent } from "../src/bridge/BridgeEvent.ts"
import type { DeskOptions } from "../src/bridge/Desk.ts"
import { Origins } from "../src/bridge/Origins.ts"
import { Targets, parseTarget } from "../src/bridge/Targets.ts"

export interface Setup extends Partial<Omit<DeskOptions, "targets" | "origins" | "rules">> {
  readonly targets?: ReadonlyArray<string>
  readonly origins?: ReadonlyArray<string>
  readonly rules?: Partial<DeskOptions["rules"]>
  readonly maxMessageBytes?: number
}

export interface BridgeUnderTest {
  readonly bridge: Bridge
  readonly events: ReadonlyArray<BridgeEvent>
  readonly signal: Signal
  /** Waits for an event of this kind that fits. */
  readonly event: <Tag extends BridgeEvent["_tag"]>(
    tag: Tag,
    fits?: (event: Extract<BridgeEvent, { readonly _tag: Tag }>) => boolean
  ) => Effect.Effect<Extract<BridgeEvent, { readonly _tag: Tag }>>
  /** Waits until nobody is connected, or about to be. */
  readonly empty: Effect.Effect<void>
}

export const HOUR_MS = 3_600_000

/** A bridge for everybody to the whole of loopback, with limits that no test meets by accident. */
export const bridged = (setup: Setup = {}): Effect.Effect<BridgeUnderTest, unknown, Dialer | Dns.Dns | Scope.Scope> =>
  Effect.gen(function* () {
    const { targets = ["127.0.0.0/8:*"], origins = ["*", "none"], rules, maxMessageBytes, ...rest } = setup
    const events: Array<BridgeEvent> = []
    const signal = new Signal()
    const bridge = yield* makeBridge({
      server: { host: "127.0.0.1", port: 0, maxMessageBytes },
      targets: new Targets(targets.flatMap(parsed)),
      origins: new Origins(origins),
      limits: { maxConnections: 1000, maxPerSource: 1000, perMinute: 100_000 },
      rules: { idleMs: HOUR_MS, firstBytesMs: HOUR_MS, maxBytes: Infinity, allowUnencrypted: false, ...rules },
      bytesPerSecond: 1e12,
      totalBytesPerSecond: 1e12,
      dialTimeoutMs: 5000,
      isProxy: () => false,
      tell: (event) => {
        events.push(event)
        signal.changed()
      },
      ...rest
    })
    const event: BridgeUnderTest["event"] = (tag, fits = () => true) => {
      type Wanted = Extract<BridgeEvent, { readonly _tag: typeof tag }>
      const find = (): Wanted | undefined =>
        events.find((event): event is Wanted => event._tag === tag && fits(event as Wanted))
      return Effect.map(
        signal.until(() => find() !== undefined),
        () => find() as Wanted
      )
    }
    const empty = Effect.gen(function* () {
      while (bridge.guests() > 0) yield* Effect.promise(nextTurn)
    })
    return { bridge, events, signal, event, empty }
  })

/** `…:*` is any port, which the list itself does not offer. */
const parsed = (text: string) => {
  const target = parseTarget(text.replace(/:\*$/, ""))
  if (target === undefined) throw new Error(`${text} is no target`)
  return [text.endsWith(":*") ? { ...target, ports: { has: () => true } as unknown as ReadonlySet<number> } : target]
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What a bridge needs, with a name service that knows no names. */
export const edges: Layer.Layer<Dialer | Listener | Dns.Dns> = Layer.merge(layerTcp, Layer.orDie(Dns.layerStatic({})))

export interface Node {
  readonly endpoint: Endpoint
  readonly accepted: ReadonlyArray<Observed>
  readonly signal: Signal
  /** The first that is accepted. */
  readonly first: Effect.Effect<Observed>
}

/** Something that listens on TCP; `onConnection` is called with each connection, started. */
export const node = (
  onConnection: (connection: Connection) => void = () => undefined
): Effect.Effect<Node, unknown, Listener | Scope.Scope> =>
  Effect.gen(function* () {
    const signal = new Signal()
    const accepted: Array<Observed> = []
    const { endpoint } = yield* (yield* Listener).listen({ host: "127.0.0.1", port: 0 }, (connection) => {
      accepted.push(new Observed(connection, signal))
      onConnection(connection)
      signal.changed()
    })
    const first = Effect.map(
      signal.until(() => accepted.length > 0),
      () => accepted[0] as Observed
    )
    return { endpoint, accepted, signal, first }
  })

/** A page as our own packages make it, connected to `to` through the bridge. */
export const page = ({ bridge, signal }: BridgeUnderTest, to: Endpoint) =>
  Effect.gen(function* () {
    const route = bridgeRoute(`ws://127.0.0.1:${bridge.endpoint.port}/`)
    const context = yield* Layer.build(layerWebSocket({ route }))
    const { dial } = yield* Effect.provideContext(Dialer, context)
    return new Observed(yield* dial(to), signal)
  })

export interface RawPageOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly protocols?: ReadonlyArray<string>
}

/** A WebSocket of another hand to any path of the bridge, about to open. */
export const rawPage = (
  { bridge }: BridgeUnderTest,
  path: string,
  { headers = {}, protocols = [] }: RawPageOptions = {}
): Effect.Effect<WebSocket, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = new WebSocket(`ws://127.0.0.1:${bridge.endpoint.port}${path}`, [...protocols], { headers })
      return socket.on("error", () => undefined)
    }),
    (socket) => Effect.sync(() => socket.terminate())
  )

export const opened = (socket: WebSocket): Effect.Effect<unknown> => Effect.promise(() => once(socket, "open"))

/** The HTTP status with which a WebSocket was not opened. */
export const statusOf = (socket: WebSocket): Effect.Effect<number> =>
  Effect.callback((resume) => {
    socket.once("unexpected-response", (_, response) => {
      socket.terminate()
      resume(Effect.succeed(response.statusCode ?? 0))
    })
    socket.once("open", () => resume(Effect.succeed(101)))
  })

/** How a WebSocket closed. */
export const closeOf = (socket: WebSocket): Effect.Effect<{ readonly code: number; readonly why: string }> =>
  Effect.map(
    Effect.promise(() => once(socket, "close") as Promise<[number, Buffer]>),
    ([code, why]) => ({ code, why: why.toString() })
  )

export const to = ({ host, port }: Endpoint): string => `/?to=${encodeURIComponent(`${host}:${port}`)}`
