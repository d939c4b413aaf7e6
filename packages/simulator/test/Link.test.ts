import { concat } from "@satwire/bytes"
import { ChaChaRandom } from "@satwire/crypto"
import { Link, type LinkConditions, Schedule, WINDOW_BYTES } from "@satwire/simulator"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

const PROMPT: LinkConditions = { latencyMs: 10, jitterMs: 0, chunkBytes: 1_000_000 }

/** A link on a clock of its own, and what came out of it. */
class LinkBench {
  readonly link: Link
  readonly #schedule = new Schedule()
  readonly #soon: Array<() => void> = []
  ms = 0
  readonly pieces: Array<{ readonly ms: number; readonly bytes: Uint8Array }> = []
  readonly blocked: Array<boolean> = []
  endedAt: number | undefined = undefined

  constructor(conditions: LinkConditions = PROMPT, seed = 1) {
    this.link = new Link({
      conditions,
      random: ChaChaRandom.fromNumber(seed),
      now: () => this.ms,
      later: (delayMs, run) => this.#schedule.add(this.ms + delayMs, run),
      soon: (run) => this.#soon.push(run),
      deliver: (chunk) => {
        this.pieces.push({ ms: this.ms, bytes: Uint8Array.from(chunk) })
      },
      blocked: (blocked) => {
        this.blocked.push(blocked)
      },
      ended: () => {
        expect(this.endedAt).toBeUndefined()
        this.endedAt = this.ms
      }
    })
  }

  write(bytes: Uint8Array): void {
    this.link.write(bytes)
    this.afterTurn()
  }

  /** What follows the turn that just wrote. */
  afterTurn(): void {
    for (let run = this.#soon.shift(); run !== undefined; run = this.#soon.shift()) run()
  }

  elapse(ms: number): void {
    const until = this.ms + ms
    for (let next = this.#schedule.next; next !== undefined && next <= until; next = this.#schedule.next) {
      this.ms = next
      this.#schedule.take()?.run()
      this.afterTurn()
    }
    this.ms = until
  }

  get heard(): Uint8Array {
    return concat(this.pieces.map(({ bytes }) => bytes))
  }
}

type Step =
  | { readonly do: "write"; readonly bytes: Uint8Array }
  | { readonly do: "stall" | "pause"; readonly on: boolean }
  | { readonly do: "elapse"; readonly ms: number }

const steps: fc.Arbitrary<ReadonlyArray<Step>> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("write" as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 30 }) }),
    fc.record({ do: fc.constantFrom("stall" as const, "pause" as const), on: fc.boolean() }),
    fc.record({ do: fc.constant("elapse" as const), ms: fc.nat(40) })
  ),
  { maxLength: 30 }
)

const conditions: fc.Arbitrary<LinkConditions> = fc.record({
  latencyMs: fc.nat(30),
  jitterMs: fc.nat(30),
  chunkBytes: fc.integer({ min: 1, max: 20 })
})

describe("a link", () => {
  it("delivers every byte once and in order, whatever stalls and pauses, and then the end", () => {
    fc.assert(
      fc.property(steps, conditions, fc.nat(1000), (steps, conditions, seed) => {
        const bench = new LinkBench(conditions, seed)
        const written: Array<Uint8Array> = []
        const held = { stall: false, pause: false }
        for (const step of steps) {
          const before = bench.pieces.length
          const isHeld = held.stall || held.pause
          if (step.do === "write") {
            written.push(step.bytes)
            bench.write(step.bytes)
          } else if (step.do === "elapse") {
            bench.elapse(step.ms)
            if (isHeld) expect(bench.pieces.length).toBe(before)
          } else {
            held[step.do] = step.on
            bench.link[step.do](step.on)
          }
          expect(bench.link.underWayBytes).toBe(concat(written).length - bench.heard.length)
        }
        bench.link.end()
        bench.elapse(1000)
        if (held.stall || held.pause) expect(bench.endedAt).toBeUndefined()
        bench.link.stall(false)
        bench.link.pause(false)
        bench.elapse(1000)
        expect(bench.heard).toEqual(concat(written))
        expect(bench.endedAt).toBeDefined()
        for (const { bytes } of bench.pieces) expect(bytes.length).toBeLessThanOrEqual(conditions.chunkBytes)
      })
    )
  })

  it("takes its latency, and up to its jitter more", () => {
    const bench = new LinkBench({ latencyMs: 100, jitterMs: 20, chunkBytes: 10 })
    for (let i = 0; i < 50; i++) {
      const sent = bench.ms
      bench.write(Uint8Array.of(i))
      bench.elapse(1000)
      const took = (bench.pieces.at(-1)?.ms ?? 0) - sent
      expect(took).toBeGreaterThanOrEqual(100)
      expect(took).toBeLessThanOrEqual(120)
    }
  })

  it("tells the sender to wait once the window is full, right after its turn, and when it is free again", () => {
    const bench = new LinkBench()
    bench.link.pause(true)
    bench.write(new Uint8Array(WINDOW_BYTES))
    expect(bench.blocked).toEqual([])
    bench.write(new Uint8Array(1))
    expect(bench.blocked).toEqual([true])
    bench.write(new Uint8Array(1))
    bench.elapse(1000)
    expect(bench.blocked).toEqual([true])
    bench.link.pause(false)
    bench.elapse(0)
    expect(bench.blocked).toEqual([true, false])
  })

  it("does not tell of a window that was full and free again within one turn's wake", () => {
    const bench = new LinkBench({ ...PROMPT, latencyMs: 0 })
    bench.link.write(new Uint8Array(WINDOW_BYTES + 1))
    bench.elapse(0)
    expect(bench.blocked).toEqual([])
  })

  it("that is closed delivers nothing and says nothing", () => {
    const bench = new LinkBench()
    bench.write(Uint8Array.of(1))
    bench.link.end()
    bench.link.close()
    bench.write(Uint8Array.of(2))
    bench.elapse(1000)
    expect([bench.pieces, bench.endedAt, bench.blocked]).toEqual([[], undefined, []])
  })

  it("that is reset ends at once, before what is held and even where nobody reads, but not through a partition", () => {
    const bench = new LinkBench()
    bench.link.pause(true)
    bench.write(Uint8Array.of(1))
    bench.link.end()
    bench.elapse(100)
    bench.link.stall(true)
    bench.link.reset()
    bench.elapse(100)
    expect(bench.endedAt).toBeUndefined()
    bench.link.stall(false)
    expect([bench.pieces, bench.endedAt]).toEqual([[], 200])
  })
})
