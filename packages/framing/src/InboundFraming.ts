/**
 * The transport of a connection that somebody else opened: whichever they speak. The first byte that is not a v1 `version`'s makes it v2,
 * sixteen that are make it v1; until then nothing is held but a count, because what has come is known.
 *
 * Source: BIP-0324 §"Overall handshake pseudocode" (`respond_v2_handshake`); Bitcoin Core 28.1 `V2Transport::ProcessReceivedMaybeV1Bytes`.
 */
import type { Sha256 } from "@satwire/crypto"
import type { Framing, FramingEvent } from "./Framing.ts"
import { type Sendable, sendingOf } from "./RawMessage.ts"
import { V1Framing } from "./V1Framing.ts"
import { V1_HEADER_SIZE } from "./V1Header.ts"
import { V1_PREFIX_SIZE, v1Prefix } from "./V1Prefix.ts"
import { V2Framing, type V2Options } from "./V2Framing.ts"

export interface InboundOptions extends Omit<V2Options, "initiating"> {
  /** For v1. */
  readonly sha256: Sha256
}

export class InboundFraming implements Framing {
  readonly #options: InboundOptions
  /** How many bytes of the prefix have come. */
  #matched = 0
  #v1: V1Framing | undefined = undefined
  #v2: V2Framing | undefined = undefined
  /** What is to be sent once it is known how. */
  #waiting: Array<Sendable> | undefined = undefined

  constructor(options: InboundOptions) {
    this.#options = options
  }

  get transport(): "v1" | "v2" | "detecting" {
    return this.#framing?.transport ?? "detecting"
  }

  get sessionId(): Uint8Array | undefined {
    return this.#v2?.sessionId
  }

  /** They dialled. */
  get isUnanswered(): boolean {
    return false
  }

  /** As {@link V2Framing.needsExchange}. */
  get needsExchange(): boolean {
    return this.#v2?.needsExchange ?? false
  }

  /** As {@link V2Framing.exchange}. */
  exchange(): void {
    this.#v2?.exchange()
  }

  get settled(): V1Framing | V2Framing | undefined {
    return this.#framing
  }

  receive(chunk: Uint8Array): void {
    const framing = this.#framing ?? this.#detect(chunk)
    framing?.receive(chunk)
  }

  next(): FramingEvent | undefined {
    return this.#framing?.next()
  }

  release(): void {
    this.#framing?.release()
  }

  get bufferedBytes(): number {
    return this.#framing?.bufferedBytes ?? 0
  }

  send(message: Sendable): number {
    if (this.#framing !== undefined) return this.#framing.send(message)
    this.#waiting = [...(this.#waiting ?? []), message]
    return V1_HEADER_SIZE + sendingOf(message).sizeBytes
  }

  takeOutput(): Uint8Array | undefined {
    return this.#framing?.takeOutput()
  }

  get #framing(): V1Framing | V2Framing | undefined {
    return this.#v1 ?? this.#v2
  }

  /** Detecting ─▶ v1 or v2, once this chunk tells which. What came before it is the beginning of the prefix. */
  #detect(chunk: Uint8Array): Framing | undefined {
    const prefix = v1Prefix(this.#options.magic)
    const before = this.#matched
    let at = 0
    while (at < chunk.length && this.#matched < V1_PREFIX_SIZE && chunk[at] === prefix[this.#matched]) {
      this.#matched += 1
      at += 1
    }
    if (this.#matched === V1_PREFIX_SIZE) this.#v1 = new V1Framing(this.#options)
    else if (at < chunk.length) this.#v2 = new V2Framing({ ...this.#options, initiating: false })
    const framing = this.#framing
    if (framing === undefined) return undefined
    if (before > 0) framing.receive(prefix.slice(0, before))
    for (const message of this.#waiting ?? []) framing.send(message)
    this.#waiting = undefined
    return framing
  }
}
