import { assert, describe, it } from "@effect/vitest"
import { NODE_METRICS, type NodeMeter, exposition, grafanaDashboard, nodeMeter } from "@satwire/metrics"
import { ANYONE_CAN_SPEND } from "@satwire/mining"
import { DEFAULT_MAX_INBOUND, Node, type NodeShape } from "@satwire/node"
import { regtest } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import type { Endpoint } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import * as Context from "effect/Context"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

const started = (connect: ReadonlyArray<Endpoint>): Effect.Effect<NodeShape, unknown, Scope.Scope> =>
  Effect.map(
    Layer.build(
      Layer.provide(
        Node.layer({
          params: regtest,
          roles: {
            headers: { serve: true, announce: true },
            mining: { payTo: ANYONE_CAN_SPEND },
            transactions: { relays: true }
          },
          blocks: { serve: true },
          userAgent: "/metered:0.1/",
          services: 9n,
          connect,
          listen: { host: "127.0.0.1", port: 0 },
          maxInbound: DEFAULT_MAX_INBOUND,
          dialTimeoutMs: 5000
        }),
        Layer.fresh(Layer.merge(layerTcp, HeaderStore.layerMemory))
      )
    ),
    Context.get(Node)
  )

/** The value of one line of the text. */
const valueOf = (text: string, line: string): number => {
  const found = text.split("\n").find((each) => each.startsWith(`${line} `))
  return found === undefined ? Number.NaN : Number(found.slice(line.length + 1))
}

const until = (meter: NodeMeter, line: string, value: number): Effect.Effect<string> =>
  Effect.repeat(
    Effect.tap(meter.metrics, () => Effect.yieldNow),
    { until: (text) => valueOf(text, line) === value }
  )

describe("a node's metrics", () => {
  it.live("say who is connected, what came and went, and how far the chain is", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const miner = yield* started([])
        const follower = yield* started([miner.listening ?? { host: "", port: 0 }])
        const meter = yield* nodeMeter({ node: follower, version: '1.0 "x"', network: "regtest" })
        yield* until(meter, 'satwire_handshakes_total{kind="manual"}', 1)
        yield* miner.makeBlock
        yield* follower.facts.pipe(
          Stream.filter(({ _tag }) => _tag === "BlockTipChanged"),
          Stream.runHead
        )
        const text = yield* until(meter, "satwire_blocks_height", 1)
        assert.strictEqual(valueOf(text, 'satwire_info{version="1.0 \\"x\\"",network="regtest"}'), 1)
        const peer = 'satwire_peers{network="ipv4",kind="manual",transport="v2",state="ready"}'
        assert.strictEqual(valueOf(text, peer), 1)
        assert.isAbove(valueOf(text, 'satwire_messages_received_total{command="version"}'), 0)
        assert.isAbove(valueOf(text, "satwire_received_bytes_total"), 100)
        assert.isAbove(valueOf(text, "satwire_useful_bytes_ratio"), 0)
        assert.strictEqual(valueOf(text, "satwire_connect_seconds_count"), 1)
        assert.isAbove(valueOf(text, "satwire_turn_seconds_count"), 3)
        assert.include(text, 'satwire_turn_seconds_bucket{le="0.00003"}')
        assert.strictEqual(valueOf(text, "satwire_sync_progress_ratio"), 1)
        const before = valueOf(text, "satwire_sent_bytes_total")
        yield* follower.release(miner.listening ?? { host: "", port: 0 })
        const after = yield* until(meter, 'satwire_disconnects_total{reason="LetGo"}', 1)
        // What a peer that is gone brought still counts.
        assert.isAtLeast(valueOf(after, "satwire_sent_bytes_total"), before)
        assert.isNaN(valueOf(after, peer))
        const health = yield* meter.health
        assert.deepInclude(health, { isWell: true, problems: [], peers: 0, blocksHeight: 1, network: "regtest" })
        // A clock that is set an hour forward makes nobody older.
        const clock = yield* Clock.clockWith(Effect.succeed)
        const currentTimeMillis = Effect.map(clock.currentTimeMillis, (ms) => ms + 3_600_000)
        const ahead: Clock.Clock = Object.assign(Object.create(clock) as Clock.Clock, { currentTimeMillis })
        const later = yield* Effect.provideService(meter.health, Clock.Clock, ahead)
        assert.isTrue(later.isWell)
        assert.isBelow(later.uptimeSeconds, 3600)
      })
    )
  )

  it("are written as Prometheus reads them", () => {
    const about = { group: "g", help: "Line\nand \\.", labels: ["a"] }
    const text = exposition(
      [
        { ...about, name: "x_total", kind: "counter", samples: () => [{ labels: ['q"\n'], value: 2 }] },
        {
          ...about,
          name: "y_seconds",
          kind: "histogram",
          distributions: () => [{ labels: ["b"], ends: [0.5, 1], counts: [1, 2, 4], sum: 9.5 }]
        }
      ],
      {}
    )
    assert.deepStrictEqual(text.split("\n"), [
      "# HELP x_total Line\\nand \\\\.",
      "# TYPE x_total counter",
      'x_total{a="q\\"\\n"} 2',
      "# HELP y_seconds Line\\nand \\\\.",
      "# TYPE y_seconds histogram",
      'y_seconds_bucket{a="b",le="0.5"} 1',
      'y_seconds_bucket{a="b",le="1"} 3',
      'y_seconds_bucket{a="b",le="+Inf"} 7',
      'y_seconds_sum{a="b"} 9.5',
      'y_seconds_count{a="b"} 7',
      ""
    ])
  })

  it("have names of their own, with units, and a panel each", () => {
    const names = NODE_METRICS.map(({ name }) => name)
    assert.strictEqual(new Set(names).size, names.length)
    for (const { help, kind, name } of NODE_METRICS) {
      assert.match(name, /^satwire_[a-z0-9_]+$/)
      assert.strictEqual(name.endsWith("_total"), kind === "counter", name)
      assert.match(help, /\.$/)
    }
    const panels = grafanaDashboard(NODE_METRICS).panels.filter(({ type }) => type !== "row")
    assert.strictEqual(panels.length, names.length)
  })
})
