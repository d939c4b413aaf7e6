/**
 * Requests to peers and requests of peers, both ends of the talk in one machine.
 *
 * ```
 *   asking     Ask ──▶ waiting ── part* ──▶ answer: Ended      any end but these is Failed, with the reason by type
 *                        │  ▲
 *                        └──┘ More: room for further parts
 *   serving    request ──▶ Serve ── Part*, while there is credit ──▶ Answer or Refuse
 *                              └── cancel, deadline, disconnect ──▶ StopServing
 * ```
 *
 * Specification: what is asked ends at its deadline, whatever the other end does; an answer to nothing that waits is dropped. Rationale: ids of
 * a peer ascend, so one number tells what came late from what nobody asked for, and no ids are remembered.
 */
import { Deadlines, type Instant, type Machine, type Now, type Outbox, after, assert } from "@satwire/machine"
import { MAX_CREDIT, type RefusalCode, type RequestFrame } from "./RequestFrame.ts"

/**
 * Requests to one peer that wait for an answer.
 *
 * @limit requests to one peer that wait for an answer
 */
export const MAX_ASKED = 64
/**
 * Requests of one peer that are being answered; the next one is told `busy`.
 *
 * @limit requests of one peer that are answered at once
 */
export const MAX_SERVED = 64
/**
 * Requests of all peers that are being answered.
 *
 * @limit requests of all peers that are answered at once
 */
export const MAX_SERVED_OF_ALL = 1024
/**
 * How long an answer may take, whatever the asker says.
 *
 * @limit milliseconds that an answer may take
 */
export const MAX_TIMEOUT_MS = 600_000
/**
 * Requests that a peer may make at once before its rate counts; what is over it is dropped.
 *
 * @limit requests of one peer at once before its rate counts
 */
export const REQUEST_BURST = 1024
/**
 * Requests that a peer may make for long.
 *
 * @limit requests of one peer a second
 */
export const REQUESTS_PER_SECOND = 128

/** Why what was asked has no answer, or no whole one. */
export type RequestFailure =
  | { readonly _tag: "TimedOut" }
  | { readonly _tag: "Cancelled" }
  | { readonly _tag: "Disconnected" }
  /** The other end has no method of this name. */
  | { readonly _tag: "UnknownMethod" }
  /** The other end will not answer, and says why. */
  | { readonly _tag: "Refused"; readonly code: Exclude<RefusalCode, "unknown method">; readonly message: string }
  /** What came is no answer to what was asked. */
  | { readonly _tag: "MalformedAnswer"; readonly what: string }
  /** As much waits for this peer as may wait. Nothing was sent. */
  | { readonly _tag: "TooManyRequests" }

/** What a peer did that no honest peer does. It has cost that frame, or that request, and no more: who listens decides. */
export type RequestFault = "unasked answer" | "part beyond credit" | "replayed request" | "too many requests"

export type RequestsInput<Peer> =
  | { readonly _tag: "PeerUp" | "PeerDown"; readonly peer: Peer }
  | { readonly _tag: "Received"; readonly peer: Peer; readonly frame: RequestFrame }
  /** `call` names it from here on; the caller counts them up. `maxBytes` bounds all parts of the answer together. */
  | {
      readonly _tag: "Ask"
      readonly call: number
      readonly peer: Peer
      readonly method: string
      readonly body: Uint8Array
      readonly timeoutMs: number
      readonly credit: number
      readonly maxBytes: number
    }
  | { readonly _tag: "More"; readonly call: number; readonly parts: number }
  /** What is asked is no longer waited for. With `malformed`, because what came made no sense. */
  | { readonly _tag: "Cancel"; readonly call: number; readonly malformed?: string }
  | { readonly _tag: "Part" | "Answer"; readonly serving: number; readonly body: Uint8Array }
  | { readonly _tag: "Refuse"; readonly serving: number; readonly code: RefusalCode; readonly message: string }
  | { readonly _tag: "Timeout" }

export type RequestsOutput<Peer> =
  | { readonly _tag: "Send"; readonly peer: Peer; readonly frame: RequestFrame }
  | { readonly _tag: "Parted"; readonly call: number; readonly body: Uint8Array; readonly last: boolean }
  | { readonly _tag: "Failed"; readonly call: number; readonly failure: RequestFailure }
  /** `serving` names it from here on. One part may be given now, and each further one once `credit` allows. */
  | {
      readonly _tag: "Serve"
      readonly serving: number
      readonly peer: Peer
      readonly method: string
      readonly body: Uint8Array
      readonly credit: number
    }
  | { readonly _tag: "Credited"; readonly serving: number; readonly parts: number }
  | {
      readonly _tag: "StopServing"
      readonly serving: number
      readonly reason: "cancelled" | "deadline" | "disconnected"
    }
  | { readonly _tag: "Faulted"; readonly peer: Peer; readonly fault: RequestFault }

interface Asked<Peer> {
  readonly call: number
  readonly peer: Peer
  readonly id: number
  credit: number
  bytesLeft: number
}

interface Served<Peer> {
  readonly serving: number
  readonly peer: Peer
  readonly id: number
  credit: number
}

/** What is kept of a peer while it is there. */
interface Talk<Peer> {
  /** The last id that went to it. */
  lastAsked: number
  /** The highest id that came from it. */
  lastServed: number
  readonly asked: Map<number, Asked<Peer>>
  readonly served: Map<number, Served<Peer>>
  tokens: number
  countedAt: Instant
}

export interface RequestsOptions {
  readonly maxAsked?: number | undefined
  readonly maxServed?: number | undefined
  readonly maxServedOfAll?: number | undefined
  readonly maxTimeoutMs?: number | undefined
}

export class Requests<Peer extends string | number> implements Machine<RequestsInput<Peer>, RequestsOutput<Peer>> {
  readonly #options: RequestsOptions
  readonly #talks: Map<Peer, Talk<Peer>> = new Map()
  readonly #calls: Map<number, Asked<Peer>> = new Map()
  readonly #servings: Map<number, Served<Peer>> = new Map()
  readonly #deadlines: Deadlines<Asked<Peer> | Served<Peer>> = new Deadlines()
  #nextServing = 0

  constructor(options: RequestsOptions = {}) {
    this.#options = options
  }

  /** How many peers are there, how much is asked of them and by them: all 0 once everybody has gone. */
  get counts(): {
    readonly peers: number
    readonly asked: number
    readonly served: number
    readonly deadlines: number
  } {
    return {
      peers: this.#talks.size,
      asked: this.#calls.size,
      served: this.#servings.size,
      deadlines: this.#deadlines.size
    }
  }

  nextTimeout(): Instant | undefined {
    return this.#deadlines.earliest()
  }

  handle(input: RequestsInput<Peer>, now: Now, out: Outbox<RequestsOutput<Peer>>): void {
    switch (input._tag) {
      case "PeerUp":
        return this.#up(input.peer, now)
      case "PeerDown":
        return this.#down(input.peer, out)
      case "Received":
        return this.#received(input.peer, input.frame, now, out)
      case "Ask":
        return this.#ask(input, now, out)
      case "More":
        return this.#more(input.call, input.parts, out)
      case "Cancel": {
        const malformed = input.malformed
        return this.#giveUp(
          input.call,
          malformed === undefined ? { _tag: "Cancelled" } : { _tag: "MalformedAnswer", what: malformed },
          out
        )
      }
      case "Part":
        return this.#part(input.serving, input.body, out)
      case "Answer": {
        const served = this.#finish(input.serving)
        if (served !== undefined) send(out, served.peer, { _tag: "answer", id: served.id, body: input.body })
        return
      }
      case "Refuse": {
        const served = this.#finish(input.serving)
        if (served === undefined) return
        return send(out, served.peer, { _tag: "refusal", id: served.id, code: input.code, message: input.message })
      }
      case "Timeout":
        return this.#timeout(now, out)
    }
  }

  #up(peer: Peer, now: Now): void {
    assert(!this.#talks.has(peer), "a peer came twice")
    this.#talks.set(peer, {
      lastAsked: 0,
      lastServed: 0,
      asked: new Map(),
      served: new Map(),
      tokens: REQUEST_BURST,
      countedAt: now.instant
    })
  }

  #down(peer: Peer, out: Outbox<RequestsOutput<Peer>>): void {
    const talk = this.#talks.get(peer)
    if (talk === undefined) return
    for (const asked of talk.asked.values()) this.#fail(asked, { _tag: "Disconnected" }, out)
    for (const served of talk.served.values()) {
      this.#finish(served.serving)
      out.push({ _tag: "StopServing", serving: served.serving, reason: "disconnected" })
    }
    this.#talks.delete(peer)
  }

  #ask(ask: RequestsInput<Peer> & { readonly _tag: "Ask" }, now: Now, out: Outbox<RequestsOutput<Peer>>): void {
    const { body, call, method, peer } = ask
    assert(!this.#calls.has(call), "a call was asked twice")
    const talk = this.#talks.get(peer)
    if (talk === undefined) return out.push({ _tag: "Failed", call, failure: { _tag: "Disconnected" } })
    if (talk.asked.size >= (this.#options.maxAsked ?? MAX_ASKED) || talk.lastAsked === 0xffffffff) {
      return out.push({ _tag: "Failed", call, failure: { _tag: "TooManyRequests" } })
    }
    const id = ++talk.lastAsked
    const timeoutMs = Math.ceil(Math.min(Math.max(ask.timeoutMs, 0), this.#options.maxTimeoutMs ?? MAX_TIMEOUT_MS))
    const credit = Math.min(Math.max(1, ask.credit), MAX_CREDIT)
    const asked: Asked<Peer> = { call, peer, id, credit, bytesLeft: ask.maxBytes }
    talk.asked.set(id, asked)
    this.#calls.set(call, asked)
    this.#deadlines.set(asked, after(now.instant, timeoutMs))
    send(out, peer, { _tag: "request", id, timeoutMs, credit, method, body })
  }

  #more(call: number, parts: number, out: Outbox<RequestsOutput<Peer>>): void {
    const asked = this.#calls.get(call)
    if (asked === undefined) return
    const more = Math.min(parts, MAX_CREDIT - asked.credit)
    if (more <= 0) return
    asked.credit += more
    send(out, asked.peer, { _tag: "credit", id: asked.id, more })
  }

  #received(peer: Peer, frame: RequestFrame, now: Now, out: Outbox<RequestsOutput<Peer>>): void {
    const talk = this.#talks.get(peer)
    if (talk === undefined) return
    switch (frame._tag) {
      case "request":
        return this.#serve(talk, peer, frame, now, out)
      case "part":
      case "answer":
      case "refusal": {
        const asked = talk.asked.get(frame.id)
        if (asked !== undefined) return this.#answered(asked, frame, out)
        // What came late is dropped without a word: we may have given up while it was under way.
        if (frame.id > talk.lastAsked || frame.id === 0) fault(out, peer, "unasked answer")
        return
      }
      case "cancel": {
        const served = talk.served.get(frame.id)
        if (served === undefined) return
        this.#finish(served.serving)
        return out.push({ _tag: "StopServing", serving: served.serving, reason: "cancelled" })
      }
      case "credit": {
        const served = talk.served.get(frame.id)
        if (served === undefined) return
        const parts = Math.min(frame.more, MAX_CREDIT - served.credit)
        served.credit += parts
        if (parts > 0) out.push({ _tag: "Credited", serving: served.serving, parts })
      }
    }
  }

  #answered(
    asked: Asked<Peer>,
    frame: RequestFrame & { readonly _tag: "part" | "answer" | "refusal" },
    out: Outbox<RequestsOutput<Peer>>
  ): void {
    if (frame._tag === "refusal") {
      const { code, message } = frame
      return this.#fail(
        asked,
        code === "unknown method" ? { _tag: "UnknownMethod" } : { _tag: "Refused", code, message },
        out
      )
    }
    if (asked.credit === 0) {
      fault(out, asked.peer, "part beyond credit")
      return this.#giveUp(asked.call, { _tag: "MalformedAnswer", what: "more parts than were asked for" }, out)
    }
    asked.credit -= 1
    asked.bytesLeft -= frame.body.length
    if (asked.bytesLeft < 0) {
      return this.#giveUp(asked.call, { _tag: "MalformedAnswer", what: "more bytes than are allowed" }, out)
    }
    const last = frame._tag === "answer"
    if (last) this.#drop(asked)
    out.push({ _tag: "Parted", call: asked.call, body: frame.body, last })
  }

  #serve(
    talk: Talk<Peer>,
    peer: Peer,
    frame: RequestFrame & { readonly _tag: "request" },
    now: Now,
    out: Outbox<RequestsOutput<Peer>>
  ): void {
    const since = (now.instant - talk.countedAt) / 1000
    talk.tokens = Math.min(REQUEST_BURST, talk.tokens + since * REQUESTS_PER_SECOND)
    talk.countedAt = now.instant
    if (talk.tokens < 1) return fault(out, peer, "too many requests")
    talk.tokens -= 1
    if (frame.id <= talk.lastServed) return fault(out, peer, "replayed request")
    talk.lastServed = frame.id
    const full =
      talk.served.size >= (this.#options.maxServed ?? MAX_SERVED) ||
      this.#servings.size >= (this.#options.maxServedOfAll ?? MAX_SERVED_OF_ALL)
    if (full) {
      return send(out, peer, { _tag: "refusal", id: frame.id, code: "busy", message: "too much is asked at once" })
    }
    const serving = this.#nextServing++
    const served: Served<Peer> = { serving, peer, id: frame.id, credit: frame.credit }
    talk.served.set(frame.id, served)
    this.#servings.set(serving, served)
    const timeoutMs = Math.min(frame.timeoutMs, this.#options.maxTimeoutMs ?? MAX_TIMEOUT_MS)
    this.#deadlines.set(served, after(now.instant, timeoutMs))
    out.push({ _tag: "Serve", serving, peer, method: frame.method, body: frame.body, credit: frame.credit })
  }

  #part(serving: number, body: Uint8Array, out: Outbox<RequestsOutput<Peer>>): void {
    const served = this.#servings.get(serving)
    if (served === undefined) return
    assert(served.credit > 0, "a part was given without credit")
    served.credit -= 1
    send(out, served.peer, { _tag: "part", id: served.id, body })
  }

  #timeout(now: Now, out: Outbox<RequestsOutput<Peer>>): void {
    for (let due = this.#deadlines.takeDue(now.instant); due !== undefined;) {
      if ("call" in due) {
        this.#giveUp(due.call, { _tag: "TimedOut" }, out)
      } else {
        this.#finish(due.serving)
        out.push({ _tag: "StopServing", serving: due.serving, reason: "deadline" })
        send(out, due.peer, { _tag: "refusal", id: due.id, code: "deadline", message: "it took too long" })
      }
      due = this.#deadlines.takeDue(now.instant)
    }
  }

  /** Ends what is asked from here, and tells the other end not to go on. */
  #giveUp(call: number, failure: RequestFailure, out: Outbox<RequestsOutput<Peer>>): void {
    const asked = this.#calls.get(call)
    if (asked === undefined) return
    send(out, asked.peer, { _tag: "cancel", id: asked.id })
    this.#fail(asked, failure, out)
  }

  #fail(asked: Asked<Peer>, failure: RequestFailure, out: Outbox<RequestsOutput<Peer>>): void {
    this.#drop(asked)
    out.push({ _tag: "Failed", call: asked.call, failure })
  }

  #drop(asked: Asked<Peer>): void {
    this.#calls.delete(asked.call)
    this.#talks.get(asked.peer)?.asked.delete(asked.id)
    this.#deadlines.set(asked, undefined)
  }

  #finish(serving: number): Served<Peer> | undefined {
    const served = this.#servings.get(serving)
    if (served === undefined) return undefined
    this.#servings.delete(serving)
    this.#talks.get(served.peer)?.served.delete(served.id)
    this.#deadlines.set(served, undefined)
    return served
  }
}

const send = <Peer>(out: Outbox<RequestsOutput<Peer>>, peer: Peer, frame: RequestFrame): void =>
  out.push({ _tag: "Send", peer, frame })

const fault = <Peer>(out: Outbox<RequestsOutput<Peer>>, peer: Peer, what: RequestFault): void =>
  out.push({ _tag: "Faulted", peer, fault: what })
