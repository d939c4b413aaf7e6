/**
 * From what a node tells to spans of a trace: what has a beginning and an end.
 *
 * ```
 *   PeerConnecting ──dial──▶ PeerConnected ──handshake──▶ PeerReady      or DialFailed, or PeerDisconnected
 *   Presynced, TipChanged ──headers: presync | redownload | sync──▶ another of them, or no more for a while
 * ```
 *
 * Nothing of it is there where nobody asked for traces, and no message makes one: a peer that sends much makes no more spans.
 */
import type { NodeFact } from "@satwire/node"
import { describeDisconnect } from "@satwire/node-core"
import { formatEndpoint } from "@satwire/transport"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"

/** Without another one for so long, headers have come to an end for now. */
const QUIET_NS = 5_000_000_000n
/**
 * More are not traced: each is a connection that is being made.
 *
 * @limit dials and handshakes that are traced at a time
 */
export const SPANS_OPEN = 1000

type Attributes = Readonly<Record<string, string | number | undefined>>

interface Stretch {
  readonly span: Tracer.Span
  last: bigint
  height: number
}

export class FactSpans {
  readonly #tracer: Tracer.Tracer
  readonly #showsAddresses: boolean
  /** Dials by address, handshakes by the number of their connection. */
  readonly #open: Map<string | number, Tracer.Span> = new Map()
  #headers: Stretch | undefined = undefined

  constructor(tracer: Tracer.Tracer, showsAddresses: boolean) {
    this.#tracer = tracer
    this.#showsAddresses = showsAddresses
  }

  /** @param now nanoseconds since 1970 */
  observe(fact: NodeFact, now: bigint): void {
    switch (fact._tag) {
      case "PeerConnecting": {
        const address = formatEndpoint(fact.endpoint)
        return this.#begin(address, "dial", now, { ...this.#address(address), "peer.kind": fact.kind })
      }
      case "DialFailed":
        return this.#end(formatEndpoint(fact.endpoint), now, fact.error.message)
      case "PeerConnected": {
        const { address, direction, kind, peer } = fact
        if (direction === "outbound") this.#end(address, now)
        const about = { ...this.#address(address), "peer.id": peer, "peer.kind": kind, "peer.direction": direction }
        return this.#begin(peer, "handshake", now, about)
      }
      case "PeerReady": {
        this.#open.get(fact.peer)?.attribute("peer.transport", fact.info.transport)
        return this.#end(fact.peer, now)
      }
      case "PeerDisconnecting":
        return this.#end(fact.peer, now, describeDisconnect(fact.reason))
      case "PeerDisconnected":
        return this.#end(fact.peer, now, "the connection ended")
      case "Presynced":
        return this.#came(`headers: ${fact.phase}`, fact.height, now)
      case "TipChanged":
        return this.#came("headers: sync", fact.tip.height, now)
      default:
        return
    }
  }

  /** Ends what has come to an end without a word. */
  look(now: bigint): void {
    if (this.#headers !== undefined && now - this.#headers.last >= QUIET_NS) this.#endHeaders()
  }

  /** Ends all that is under way. */
  close(now: bigint): void {
    this.#endHeaders()
    for (const key of this.#open.keys()) this.#end(key, now, "the node was stopped")
  }

  #address(address: string): Attributes {
    return this.#showsAddresses ? { "peer.address": address } : {}
  }

  #begin(key: string | number, name: string, now: bigint, attributes: Attributes): void {
    if (this.#open.size >= SPANS_OPEN) return
    this.#open.set(key, this.#span(name, now, attributes))
  }

  #end(key: string | number, now: bigint, why?: string): void {
    const span = this.#open.get(key)
    if (span === undefined) return
    this.#open.delete(key)
    span.end(now, why === undefined ? Exit.void : Exit.fail(new Error(why)))
  }

  #came(name: string, height: number, now: bigint): void {
    if (this.#headers?.span.name !== name) {
      this.#endHeaders()
      this.#headers = { span: this.#span(name, now, { "headers.from": height }), last: now, height }
      return
    }
    this.#headers.last = now
    this.#headers.height = height
  }

  #endHeaders(): void {
    if (this.#headers === undefined) return
    const { height, last, span } = this.#headers
    span.attribute("headers.to", height)
    span.end(last, Exit.void)
    this.#headers = undefined
  }

  #span(name: string, startTime: bigint, attributes: Attributes): Tracer.Span {
    const span = this.#tracer.span({
      name,
      startTime,
      parent: Option.none(),
      annotations: Context.empty(),
      links: [],
      kind: "internal",
      root: true,
      sampled: true
    })
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) span.attribute(key, value)
    return span
  }
}
