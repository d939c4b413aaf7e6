/**
 * When each direction of a connection last moved, and until when it may rest.
 *
 * Source: Bitcoin Core 28.1 `net.cpp` (`InactivityCheck`).
 */
import { type Instant, after, earliest, wholeMs } from "@satwire/machine"
import { TIMEOUT_INTERVAL_MS } from "./Timeouts.ts"

export class Silence {
  #lastReceived: Instant | undefined = undefined
  #lastSent: Instant | undefined = undefined

  get lastReceived(): Instant | undefined {
    return this.#lastReceived
  }

  get lastSent(): Instant | undefined {
    return this.#lastSent
  }

  received(instant: Instant): void {
    this.#lastReceived = wholeMs(instant)
  }

  sent(instant: Instant): void {
    this.#lastSent = wholeMs(instant)
  }

  /**
   * Which side has been silent for too long, if any.
   *
   * @param deaf whether we do not read of our own will, so that not hearing is nobody's fault
   */
  tooLong(instant: Instant, deaf: boolean): "receive" | "send" | undefined {
    if (instant >= (until(this.#lastSent) ?? Infinity)) return "send"
    if (!deaf && instant >= (until(this.#lastReceived) ?? Infinity)) return "receive"
    return undefined
  }

  nextTimeout(deaf: boolean): Instant | undefined {
    return earliest(until(this.#lastSent), deaf ? undefined : until(this.#lastReceived))
  }
}

const until = (last: Instant | undefined): Instant | undefined =>
  last === undefined ? undefined : after(last, TIMEOUT_INTERVAL_MS)
