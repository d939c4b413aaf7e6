import { AssertionError, Instant, type Now, UnixSeconds } from "@satwire/machine"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type DefaultBehaviour,
  type Misbehaviour,
  Reputation,
  type ReputationEvent,
  type ReputationInput,
  type ReputationPolicy,
  SWEEP_INTERVAL_MS,
  defaultPolicy,
  misbehaviourOf,
  misbehaviourPolicy
} from "../src/index.ts"

const HOUR = 3_600_000
const at = (ms: number): Now => ({ instant: Instant(ms), unix: UnixSeconds(1_767_225_600 + ms / 1000) })

/** A reputation with a clock, and what it told. */
class Bench<Name extends string> {
  readonly reputation: Reputation<string, Name>
  readonly told: Array<ReputationEvent<string, Name>> = []
  now = 0

  constructor(policy: ReputationPolicy<Name>) {
    this.reputation = new Reputation(policy)
  }

  say(input: ReputationInput<string, Name>): void {
    this.reputation.handle(input, at(this.now), this.told)
  }

  did(peer: string, ...names: ReadonlyArray<Name>): void {
    for (const name of names) this.say({ _tag: "Behaviour", peer, name })
  }

  /** Lets time pass, timeouts included. */
  elapse(ms: number): void {
    const end = this.now + ms
    for (
      let due = this.reputation.nextTimeout();
      due !== undefined && due <= end;
      due = this.reputation.nextTimeout()
    ) {
      this.now = due
      this.say({ _tag: "Timeout" })
    }
    this.now = end
  }

  score(peer: string): number {
    return this.reputation.score(peer, Instant(this.now))
  }

  factors(peer: string): Readonly<Record<string, number>> {
    return this.reputation.peer(peer, Instant(this.now))?.factors ?? {}
  }
}

const bench = (change: Partial<ReputationPolicy<DefaultBehaviour>> = {}): Bench<DefaultBehaviour> =>
  new Bench({ ...defaultPolicy, ...change })

describe("a score", () => {
  it("has the weights, the decay, the history and the thresholds that it is said to have", () => {
    const { decayPerHour, historyEntries, thresholds, weights } = defaultPolicy
    expect(weights).toEqual({
      latency: 0.2,
      uptime: 0.2,
      blockPropagation: 0.25,
      transactionRelay: 0.15,
      role: 0.1,
      behaviour: 0.1
    })
    expect([decayPerHour, historyEntries, thresholds]).toEqual([0.95, 100, { trusted: 75, neutral: 0, banned: -50 }])
  })

  it("is 0 and neutral of one that nothing is known of", () => {
    const { reputation } = bench()
    expect([reputation.score("a", Instant(0)), reputation.standing("a", Instant(0))]).toEqual([0, "neutral"])
    expect(reputation.peer("a", Instant(0))).toBeUndefined()
    expect(reputation.nextTimeout()).toBeUndefined()
  })

  it("is the weighted sum of its factors", () => {
    const b = bench()
    b.say({ _tag: "Connected", peer: "a" })
    b.say({ _tag: "Latency", peer: "a", latencyMs: 100 })
    b.say({ _tag: "Role", peer: "a", role: "validator" })
    b.elapse(HOUR)
    b.did("a", "block", "block", "block-late", "transaction", "helpful", "timeout")
    // An hour is (1 - 0.95) / ln(1 / 0.95) when it has passed.
    const hour = 0.05 / -Math.log(0.95)
    const factors = {
      latency: 90,
      uptime: (100 * hour) / (hour + 1),
      blockPropagation: 30,
      transactionRelay: 1,
      role: 100,
      behaviour: -90
    }
    for (const [name, value] of Object.entries(factors)) expect(b.factors("a")[name]).toBeCloseTo(value, 9)
    const sum =
      0.2 * factors.latency +
      0.2 * factors.uptime +
      0.25 * factors.blockPropagation +
      0.15 * factors.transactionRelay +
      0.1 * factors.role +
      0.1 * factors.behaviour
    expect(b.score("a")).toBeCloseTo(sum, 9)
  })

  it("of the best peer is over 75, and trusted; two invalid blocks ban even that one", () => {
    const b = bench()
    b.say({ _tag: "Connected", peer: "a" })
    b.say({ _tag: "Latency", peer: "a", latencyMs: 20 })
    b.say({ _tag: "Role", peer: "a", role: "validator" })
    for (let hour = 0; hour < 48; hour++) {
      b.elapse(HOUR)
      b.did("a", ...Array.from({ length: 6 }, () => "block" as const))
      b.did("a", ...Array.from({ length: 100 }, () => "transaction" as const), "helpful")
    }
    expect(b.score("a")).toBeGreaterThan(90)
    expect(b.reputation.standing("a", Instant(b.now))).toBe("trusted")
    b.did("a", "block-invalid")
    expect(b.reputation.standing("a", Instant(b.now))).toBe("doubtful")
    b.did("a", "block-invalid")
    expect(b.reputation.standing("a", Instant(b.now))).toBe("banned")
    const moves = b.told.filter((event) => event._tag === "StandingChanged").map(({ from, to }) => `${from} ${to}`)
    expect(moves).toEqual(["neutral trusted", "trusted doubtful", "doubtful banned"])
  })

  it("of a stranger who sends an invalid block is a ban", () => {
    const b = bench()
    b.did("a", "block-invalid")
    expect(b.score("a")).toBe(-100)
    expect(b.told).toEqual([
      { _tag: "BehaviourRecorded", peer: "a", name: "block-invalid", points: -1000, score: -100 },
      { _tag: "StandingChanged", peer: "a", from: "neutral", to: "banned", score: -100 }
    ])
  })

  it("fades by a twentieth an hour, and a ban with it, of which it tells by itself", () => {
    const b = bench()
    b.did("a", "block-invalid")
    b.elapse(HOUR)
    expect(b.score("a")).toBeCloseTo(-95, 9)
    b.elapse(12 * HOUR)
    expect(b.reputation.standing("a", Instant(b.now))).toBe("banned")
    b.elapse(HOUR)
    expect(b.score("a")).toBeCloseTo(-100 * 0.95 ** 14, 9)
    expect(b.told.at(-1)).toMatchObject({ _tag: "StandingChanged", from: "banned", to: "doubtful" })
  })

  it("is the same whoever looks at it how often", () => {
    const looked = bench()
    const left = bench()
    for (const b of [looked, left]) {
      b.say({ _tag: "Connected", peer: "a" })
      b.did("a", "block", "timeout")
    }
    for (let i = 0; i < 100; i++) {
      looked.elapse(HOUR / 8)
      looked.reputation.top(5, Instant(looked.now))
      looked.reputation.peer("a", Instant(looked.now))
    }
    left.elapse((100 * HOUR) / 8)
    expect(looked.score("a")).toBe(left.score("a"))
  })

  it("moves by an eighth of what a latency differs from the mean", () => {
    const b = bench()
    b.say({ _tag: "Latency", peer: "a", latencyMs: 1000 })
    expect(b.factors("a")["latency"]).toBe(0)
    b.say({ _tag: "Latency", peer: "a", latencyMs: 200 })
    expect(b.reputation.peer("a", Instant(0))?.latencyMs).toBe(900)
    for (let i = 0; i < 100; i++) b.say({ _tag: "Latency", peer: "a", latencyMs: 60_000 })
    expect(b.factors("a")["latency"]).toBe(-100)
    b.say({ _tag: "Latency", peer: "b", latencyMs: -5 })
    expect(b.factors("b")["latency"]).toBe(100)
  })

  it("counts the hours that a peer was there against those that it was not", () => {
    const b = bench({ decayPerHour: 1 })
    b.say({ _tag: "Connected", peer: "a" })
    b.elapse(3 * HOUR)
    expect(b.factors("a")["uptime"]).toBeCloseTo(75, 9)
    b.say({ _tag: "Disconnected", peer: "a" })
    b.elapse(4 * HOUR)
    expect(b.factors("a")["uptime"]).toBeCloseTo(300 / 8, 9)
  })

  it("stays within -100 and 100, and every factor within its bounds, whatever happens", () => {
    const names = Object.keys(defaultPolicy.behaviours) as ReadonlyArray<DefaultBehaviour>
    const step = fc.record({
      peer: fc.constantFrom("a", "b", "c"),
      what: fc.oneof(fc.constantFrom(...names), fc.constantFrom("+", "-", "validator"), fc.double({ noNaN: true })),
      wait: fc.nat(5 * HOUR)
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const b = bench()
        for (const { peer, wait, what } of steps) {
          b.elapse(wait)
          if (typeof what === "number") b.say({ _tag: "Latency", peer, latencyMs: what })
          else if (what === "+" || what === "-") b.say({ _tag: what === "+" ? "Connected" : "Disconnected", peer })
          else if (what === "validator") b.say({ _tag: "Role", peer, role: "validator" })
          else b.did(peer, what)
          expect(Math.abs(b.score(peer))).toBeLessThanOrEqual(100)
          const factors = b.factors(peer)
          for (const [name, value] of Object.entries(factors)) {
            expect(value).toBeLessThanOrEqual(100)
            expect(value).toBeGreaterThanOrEqual(name === "behaviour" ? -2000 : -100)
          }
        }
        // Each standing that was told is where the last one ended.
        for (const peer of ["a", "b", "c"]) {
          let standing = "neutral"
          for (const event of b.told) {
            if (event._tag !== "StandingChanged" || event.peer !== peer) continue
            expect(event.from).toBe(standing)
            expect(event.to).not.toBe(standing)
            standing = event.to
          }
        }
      })
    )
  })
})

describe("a history", () => {
  it("has the last hundred of what was recorded", () => {
    const b = bench()
    for (let i = 0; i < 250; i++) {
      b.elapse(1)
      b.did("a", i % 2 === 0 ? "block" : "timeout")
    }
    const history = b.reputation.peer("a", Instant(b.now))?.history ?? []
    expect(history.length).toBe(100)
    expect(history[0]).toEqual({ at: 151, name: "block", points: 20 })
    expect(history.at(-1)).toEqual({ at: 250, name: "timeout", points: -100 })
  })

  it("records only what the policy knows", () => {
    const b = bench()
    for (const name of ["__proto__", "toString", "no-such"]) {
      expect(() => b.did("a", name as DefaultBehaviour)).toThrow(AssertionError)
    }
  })
})

describe("the peers that are remembered", () => {
  it("are listed by score, the best first", () => {
    const b = bench()
    b.did("good", "block", "block")
    b.did("bad", "timeout")
    b.did("better", "block", "block", "block")
    expect(b.reputation.top(2, Instant(0)).map(({ peer }) => peer)).toEqual(["better", "good"])
    expect(b.reputation.top(10, Instant(0)).length).toBe(3)
  })

  it("are no more than may be: whoever is remarkable in no way goes first, and no ban is washed off by new names", () => {
    const b = bench({ maxPeers: 50 })
    b.did("banned", "block-invalid")
    b.did("good", "block", "block", "block")
    b.say({ _tag: "Connected", peer: "there" })
    for (let i = 0; i < 1000; i++) b.say({ _tag: "Latency", peer: `sybil ${i}`, latencyMs: 1000 })
    expect(b.reputation.size).toBe(50)
    expect(b.told.filter(({ _tag }) => _tag === "Forgotten").length).toBe(953)
    expect(b.reputation.standing("banned", Instant(0))).toBe("banned")
    expect(b.reputation.peer("good", Instant(0))).toBeDefined()
    expect(b.reputation.peer("there", Instant(0))).toBeDefined()
  })

  it("are forgotten when somebody asks for it", () => {
    const b = bench()
    b.did("a", "block-invalid")
    b.say({ _tag: "Forget", peer: "a" })
    b.say({ _tag: "Forget", peer: "nobody" })
    expect([b.reputation.size, b.score("a"), b.reputation.nextTimeout()]).toEqual([0, 0, undefined])
    expect(b.told.at(-1)).toEqual({ _tag: "Forgotten", peer: "a" })
    expect(b.told.length).toBe(3)
  })

  it("are looked at every ten minutes", () => {
    const b = bench()
    b.did("a", "timeout")
    expect(b.reputation.nextTimeout()).toBe(SWEEP_INTERVAL_MS)
    b.elapse(SWEEP_INTERVAL_MS)
    expect(b.reputation.nextTimeout()).toBe(2 * SWEEP_INTERVAL_MS)
  })
})

describe("a misbehaviour score", () => {
  it("goes from 0 to 100, is never forgiven, and bans at 100", () => {
    const b = new Bench<Misbehaviour>(misbehaviourPolicy)
    for (let i = 1; i <= 4; i++) {
      b.did("a", "headers-unconnected")
      expect(misbehaviourOf(b.score("a"))).toBe(20 * i)
      b.elapse(100 * HOUR)
    }
    expect(b.reputation.standing("a", Instant(b.now))).toBe("doubtful")
    b.did("a", "message-oversized")
    expect([misbehaviourOf(b.score("a")), b.reputation.standing("a", Instant(b.now))]).toEqual([100, "banned"])
    b.did("b", "header-invalid")
    expect(b.reputation.standing("b", Instant(b.now))).toBe("banned")
  })

  it("counts nothing else: nobody buys himself anything", () => {
    const b = new Bench<Misbehaviour>(misbehaviourPolicy)
    b.say({ _tag: "Connected", peer: "a" })
    b.say({ _tag: "Latency", peer: "a", latencyMs: 1 })
    b.say({ _tag: "Role", peer: "a", role: "validator" })
    b.elapse(100 * HOUR)
    expect(b.score("a")).toBe(0)
    b.did("a", "block-invalid")
    expect(misbehaviourOf(b.score("a"))).toBe(100)
  })
})

describe("a policy", () => {
  it("may have other weights, thresholds and behaviours", () => {
    const b = new Bench<"smiled" | "frowned">({
      ...defaultPolicy,
      weights: { ...misbehaviourPolicy.weights, blockPropagation: 2 },
      thresholds: { trusted: 10, neutral: -5, banned: -10 },
      behaviours: {
        smiled: { factor: "blockPropagation", points: 3 },
        frowned: { factor: "blockPropagation", points: -2 }
      }
    })
    b.did("a", "smiled", "smiled")
    expect([b.score("a"), b.reputation.standing("a", Instant(0))]).toEqual([12, "trusted"])
    b.did("a", "frowned", "frowned", "frowned", "frowned")
    expect([b.score("a"), b.reputation.standing("a", Instant(0))]).toEqual([-4, "neutral"])
  })

  it("that remembers nobody, or lets points grow, is refused", () => {
    for (const change of [{ maxPeers: 0 }, { historyEntries: 0 }, { decayPerHour: 0 }, { decayPerHour: 1.1 }]) {
      expect(() => new Reputation({ ...defaultPolicy, ...change })).toThrow(AssertionError)
    }
  })
})
