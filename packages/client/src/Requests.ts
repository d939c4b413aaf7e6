/**
 * Questions to one peer and the answers to them, as a machine: what may be asked at once, which message answers what, how long to wait, and
 * what an answer has to prove. What nobody asked for passes through.
 *
 * ```
 *   Ask ─▶ waits in its line ─▶ Send ─▶ in flight ─▶ Answered | Failed
 *                                           ▲
 *   Received(message) ──────────────────────┴──▶ Unclaimed(message)
 * ```
 *
 * Answers carry no number. Blocks and transactions are known by their hashes, so many are in flight at once; of everything else one is.
 */
import { equals } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import { type Instant, type Machine, type Now, type Outbox, after, earliest } from "@satwire/machine"
import { HEADER_MERKLE_ROOT, HEADER_PREVIOUS, HEADER_SIZE } from "@satwire/primitives"
import type { Block, CFilter, Headers, Message, NotFound, Tx } from "@satwire/wire"
import { type Answer, type Request, type RequestFault, firstMessage, mostFilters } from "./Request.ts"

/**
 * How many blocks are asked of a peer at once (Core's `MAX_BLOCKS_IN_TRANSIT_PER_PEER`, net_processing.cpp); more wait.
 *
 * @limit blocks asked of a peer at once by a session
 */
export const MAX_BLOCKS_ASKED = 16
/**
 * How many transactions are asked of a peer at once (Core's `MAX_PEER_TX_REQUEST_IN_FLIGHT`, node/txdownloadman.h); more wait.
 *
 * @limit transactions asked of a peer at once by a session
 */
export const MAX_TRANSACTIONS_ASKED = 100

export type RequestsInput =
  /** A question, with a number of the asker's that nothing else has meanwhile. Its time begins when it is sent. */
  | { readonly _tag: "Ask"; readonly id: number; readonly request: Request; readonly timeoutMs: number }
  /** Nobody waits for this answer any more. */
  | { readonly _tag: "Cancel"; readonly id: number }
  | { readonly _tag: "Received"; readonly message: Message }
  | { readonly _tag: "Timeout" }

export type RequestsOutput =
  | { readonly _tag: "Send"; readonly message: Message }
  | { readonly _tag: "Answered"; readonly id: number; readonly answer: Answer }
  | { readonly _tag: "Failed"; readonly id: number; readonly fault: RequestFault }
  /** A message that answers nothing. */
  | { readonly _tag: "Unclaimed"; readonly message: Message }

interface Asked {
  readonly id: number
  readonly request: Request
  readonly timeoutMs: number
  /** When it counts as unanswered; `undefined` while it waits in its line. */
  deadline: Instant | undefined
  /** Nobody waits for the answer any more, and what answers the next question is known by its not being this one's. */
  isAbandoned: boolean
  /** Filters that have come of the run that was asked for. */
  filters: Array<CFilter> | undefined
}

type LineName = Request["_tag"]

const CAPACITY: { readonly [Name in LineName]?: number } = {
  Block: MAX_BLOCKS_ASKED,
  Transaction: MAX_TRANSACTIONS_ASKED
}

export class Requests implements Machine<RequestsInput, RequestsOutput> {
  readonly #sha256: Sha256
  /** By line, in the order in which they were asked; those in flight come first. */
  readonly #lines: Map<LineName, Array<Asked>> = new Map()

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** How many questions are in flight or wait. */
  get size(): number {
    let size = 0
    for (const line of this.#lines.values()) size += line.length
    return size
  }

  handle(input: RequestsInput, now: Now, out: Outbox<RequestsOutput>): void {
    switch (input._tag) {
      case "Ask": {
        const { id, request, timeoutMs } = input
        const line = this.#line(request._tag)
        line.push({ id, request, timeoutMs, deadline: undefined, isAbandoned: false, filters: undefined })
        this.#lines.set(request._tag, line)
        return this.#sendMore(request._tag, now, out)
      }
      case "Cancel":
        for (const [name, line] of this.#lines) {
          const asked = line.find(({ id }) => id === input.id)
          if (asked === undefined) continue
          // Of these one is in flight at a time, and its answer may still come.
          if (CAPACITY[name] === undefined && asked.deadline !== undefined) asked.isAbandoned = true
          else this.#done(name, asked, now, out)
        }
        return
      case "Received":
        if (!this.#claim(input.message, now, out)) out.push({ _tag: "Unclaimed", message: input.message })
        return
      case "Timeout":
        for (const line of this.#lines.values()) {
          for (const asked of line.filter(({ deadline }) => (deadline ?? Infinity) <= now.instant)) {
            this.#fail(asked, { _tag: "TimedOut", afterMs: asked.timeoutMs }, now, out)
          }
        }
    }
  }

  nextTimeout(): Instant | undefined {
    let next: Instant | undefined = undefined
    for (const line of this.#lines.values()) for (const { deadline } of line) next = earliest(next, deadline)
    return next
  }

  #line(name: LineName): Array<Asked> {
    return this.#lines.get(name) ?? []
  }

  /** Sends what a line has room for. */
  #sendMore(name: LineName, now: Now, out: Outbox<RequestsOutput>): void {
    for (const asked of this.#line(name).slice(0, CAPACITY[name] ?? 1)) {
      if (asked.deadline !== undefined) continue
      asked.deadline = after(now.instant, asked.timeoutMs)
      out.push({ _tag: "Send", message: firstMessage(asked.request) })
    }
  }

  /** Takes a question out of its line. */
  #done(name: LineName, asked: Asked, now: Now, out: Outbox<RequestsOutput>): void {
    const line = this.#line(name).filter((other) => other !== asked)
    if (line.length === 0) this.#lines.delete(name)
    else this.#lines.set(name, line)
    this.#sendMore(name, now, out)
  }

  #answer(asked: Asked, answer: Answer, now: Now, out: Outbox<RequestsOutput>): true {
    if (!asked.isAbandoned) out.push({ _tag: "Answered", id: asked.id, answer })
    this.#done(asked.request._tag, asked, now, out)
    return true
  }

  #fail(asked: Asked, fault: RequestFault, now: Now, out: Outbox<RequestsOutput>): true {
    if (!asked.isAbandoned) out.push({ _tag: "Failed", id: asked.id, fault })
    this.#done(asked.request._tag, asked, now, out)
    return true
  }

  /** The question in flight that `matches`. */
  #inFlight<Name extends LineName>(
    name: Name,
    matches: (request: Extract<Request, { _tag: Name }>) => boolean
  ): (Asked & { readonly request: Extract<Request, { _tag: Name }> }) | undefined {
    // A line has questions of its own kind alone.
    const line = this.#line(name) as Array<Asked & { readonly request: Extract<Request, { _tag: Name }> }>
    return line.find(({ request, deadline }) => deadline !== undefined && matches(request))
  }

  /** Whether a message answers something, which is dealt with then. */
  #claim(message: Message, now: Now, out: Outbox<RequestsOutput>): boolean {
    switch (message._tag) {
      case "headers":
        return this.#headers(message, now, out)
      case "block":
        return this.#block(message, now, out)
      case "tx":
        return this.#transaction(message, now, out)
      case "notfound":
        return this.#notFound(message, now, out)
      case "addr":
      case "addrv2": {
        // One address alone is the peer telling of itself (as Core's addr-fetch connections judge).
        const asked = message.addresses.length > 1 ? this.#inFlight("Addresses", () => true) : undefined
        return asked !== undefined && this.#answer(asked, message, now, out)
      }
      case "cfilter":
        return this.#filter(message, now, out)
      case "cfheaders": {
        const asked = this.#inFlight("FilterHeaders", ({ stopHash }) => equals(stopHash, message.stopHash))
        return asked !== undefined && this.#answer(asked, message, now, out)
      }
      case "cfcheckpt": {
        const asked = this.#inFlight("FilterCheckpoints", ({ stopHash }) => equals(stopHash, message.stopHash))
        return asked !== undefined && this.#answer(asked, message, now, out)
      }
      default:
        return false
    }
  }

  /** Headers that continue nothing of the locator announce something, and answer nothing. */
  #headers(message: Headers, now: Now, out: Outbox<RequestsOutput>): boolean {
    const asked = this.#inFlight("Headers", ({ locator }) => {
      if (message.count === 0 || locator.length === 0) return true
      const previous = message.headers.subarray(HEADER_PREVIOUS, HEADER_PREVIOUS + 32)
      return locator.some((hash) => equals(hash, previous))
    })
    if (asked === undefined) return false
    if (!isLinked(message, this.#sha256)) {
      return this.#fail(asked, { _tag: "BadAnswer", what: "headers that are not linked to each other" }, now, out)
    }
    return this.#answer(asked, message, now, out)
  }

  #block({ block }: Block, now: Now, out: Outbox<RequestsOutput>): boolean {
    const hash = block.hash(this.#sha256)
    const asked = this.#inFlight("Block", (request) => equals(request.hash, hash))
    if (asked === undefined) return false
    const { root, mutated } = block.merkleRoot(this.#sha256)
    const claimed = block.rawHeader.subarray(HEADER_MERKLE_ROOT, HEADER_MERKLE_ROOT + 32)
    if (mutated || !equals(root, claimed)) {
      const what = "a block whose transactions are not those of its merkle root"
      return this.#fail(asked, { _tag: "BadAnswer", what }, now, out)
    }
    return this.#answer(asked, block, now, out)
  }

  #transaction({ tx }: Tx, now: Now, out: Outbox<RequestsOutput>): boolean {
    if (this.#line("Transaction").length === 0) return false
    const txid = tx.txid(this.#sha256)
    const asked = this.#inFlight("Transaction", (request) => equals(request.txid, txid))
    return asked !== undefined && this.#answer(asked, tx, now, out)
  }

  #notFound({ inventory }: NotFound, now: Now, out: Outbox<RequestsOutput>): boolean {
    let claimed = false
    for (let i = 0; i < inventory.count; i++) {
      const hash = inventory.hashAt(i)
      const asked =
        this.#inFlight("Block", (request) => equals(request.hash, hash)) ??
        this.#inFlight("Transaction", (request) => equals(request.txid, hash))
      if (asked === undefined) continue
      claimed = true
      this.#fail(asked, { _tag: "NotFound" }, now, out)
    }
    return claimed
  }

  /** One of a run, whose last is known by its block. */
  #filter(message: CFilter, now: Now, out: Outbox<RequestsOutput>): boolean {
    const asked = this.#inFlight("Filters", () => true)
    if (asked === undefined) return false
    const filters = (asked.filters ??= [])
    filters.push(message)
    if (equals(message.blockHash, asked.request.stopHash)) return this.#answer(asked, filters, now, out)
    if (filters.length < mostFilters) return true
    return this.#fail(asked, { _tag: "BadAnswer", what: `${filters.length} filters without the last` }, now, out)
  }
}

const isLinked = ({ headers, count }: Headers, sha256: Sha256): boolean => {
  const hash = new Uint8Array(32)
  for (let i = 1; i < count; i++) {
    const start = HEADER_SIZE * i
    sha256.sha256d(headers, start - HEADER_SIZE, start, hash, 0)
    if (!equals(hash, headers.subarray(start + HEADER_PREVIOUS, start + HEADER_PREVIOUS + 32))) return false
  }
  return true
}
