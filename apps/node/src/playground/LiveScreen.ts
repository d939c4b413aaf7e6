/** Draws the playground on a terminal, over and over, in place. */
import type { PeerStatus } from "@satwire/node-core"
import { formatEndpoint } from "@satwire/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Terminal from "effect/Terminal"
import { shortHash } from "./FactLine.ts"
import type { PlaygroundNode } from "./PlaygroundNetwork.ts"
import { type NodeFrame, drawScreen } from "./Screen.ts"
import type { Traffic } from "./Traffic.ts"

const FRAME_MS = 250
/** Over how long messages a second are counted. */
const RATE_WINDOW_MS = 5000
/**
 * How many of the last events the screen shows.
 *
 * @limit events on the playground's screen
 */
const EVENTS_SHOWN = 8

const CLEAR_BELOW = "\u001b[J"
const up = (lines: number): string => (lines === 0 ? "" : `\u001b[${lines}A`)

interface Sample {
  readonly at: number
  readonly received: number
  readonly sent: number
}

export interface LiveScreenOptions {
  readonly blocks: number | undefined
  readonly intervalMs: number
  /** The height from which on blocks are counted. */
  readonly base: number
  readonly traffic: Traffic
}

export class LiveScreen {
  readonly #nodes: ReadonlyArray<PlaygroundNode>
  readonly #traffic: Traffic
  readonly #base: number
  readonly #wanted: number | undefined
  readonly #intervalMs: number
  readonly #terminal: Terminal.Terminal
  readonly #since: number
  readonly #events: Array<string> = []
  readonly #samples: Map<PlaygroundNode, Array<Sample>> = new Map()
  #drawn = 0

  private constructor(
    nodes: ReadonlyArray<PlaygroundNode>,
    options: LiveScreenOptions,
    terminal: Terminal.Terminal,
    since: number
  ) {
    this.#nodes = nodes
    this.#traffic = options.traffic
    this.#base = options.base
    this.#wanted = options.blocks
    this.#intervalMs = options.intervalMs
    this.#terminal = terminal
    this.#since = since
  }

  static make(
    nodes: ReadonlyArray<PlaygroundNode>,
    options: LiveScreenOptions
  ): Effect.Effect<LiveScreen, never, Terminal.Terminal> {
    return Effect.gen(function* () {
      return new LiveScreen(nodes, options, yield* Terminal.Terminal, yield* Clock.currentTimeMillis)
    })
  }

  /** Shows a line among the last events, from the next frame on. */
  event(line: string): void {
    this.#events.push(line)
    if (this.#events.length > EVENTS_SHOWN) this.#events.shift()
  }

  /** Draws until it is interrupted. */
  get run(): Effect.Effect<never> {
    return Effect.andThen(Effect.repeat(this.last, Schedule.spaced(FRAME_MS)), Effect.never)
  }

  /** Draws one frame. */
  get last(): Effect.Effect<void> {
    return Effect.suspend(() => this.#draw())
  }

  #draw = Effect.fnUntraced({ self: this }, function* (this: LiveScreen) {
    const now = yield* Clock.currentTimeMillis
    const columns = yield* this.#terminal.columns
    const frames = yield* Effect.forEach(this.#nodes, (node) => this.#frame(node, now))
    const heights = frames.map((frame) => frame.height)
    const highest = Math.max(...heights)
    const lines = drawScreen({
      nodes: frames,
      traffic: this.#traffic.frame,
      blocks: Math.max(0, highest - this.#base),
      wanted: this.#wanted,
      elapsedMs: now - this.#since,
      intervalMs: this.#intervalMs,
      behind: highest - Math.min(...heights),
      events: this.#events,
      columns: columns > 0 ? Math.max(40, columns) : 80
    })
    yield* Effect.ignore(this.#terminal.display(`${up(this.#drawn)}\r${CLEAR_BELOW}${lines.join("\n")}\n`))
    this.#drawn = lines.length
  })

  #frame(node: PlaygroundNode, now: number): Effect.Effect<NodeFrame> {
    return Effect.gen({ self: this }, function* () {
      const peers = yield* node.service.query("peers")
      const blocks = yield* node.service.query("blocks")
      const pool = yield* node.service.query("pool")
      const sample: Sample = { at: now, received: messages(peers, "received"), sent: messages(peers, "sent") }
      const samples = this.#samples.get(node) ?? []
      this.#samples.set(node, samples)
      samples.push(sample)
      while (samples.length > 1 && (samples[0] as Sample).at < now - RATE_WINDOW_MS) samples.shift()
      const first = samples[0] ?? sample
      const seconds = Math.max(1, (now - first.at) / 1000)
      return {
        name: node.name,
        doing: node.doing,
        address: formatEndpoint(node.endpoint),
        peers: peers.length,
        height: blocks?.tip.height ?? 0,
        tip: blocks === undefined ? "" : shortHash(blocks.tip.hash),
        received: Math.max(0, sample.received - first.received) / seconds,
        sent: Math.max(0, sample.sent - first.sent) / seconds,
        bytes: peers.reduce((sum, peer) => sum + peer.bytesReceived + peer.bytesSent, 0),
        pingMs: peers[0]?.pingMs,
        pool: pool?.count ?? 0
      }
    })
  }
}

const messages = (peers: ReadonlyArray<PeerStatus>, side: "received" | "sent"): number => {
  let count = 0
  for (const peer of peers) for (const { messages } of peer[side].values()) count += messages
  return count
}
