/** How much a relay passes on, of all and of what one peer brings, as `Flow` of `@satwire/machine` says. What is beyond is delivered and goes no further. */
import { Flow, type Instant, partOf } from "@satwire/machine"
import { type RelayRates, SIGNED_COSTS } from "./RelayOptions.ts"

/** @param maxBytes of one message: one of each kind passes, however low the rates are set */
export const passing = (rates: RelayRates, part: number, maxBytes: number, now: Instant): Flow => {
  const { burstBytes, burstMessages, bytesPerSecond, messagesPerSecond } = rates
  const messages = partOf({ perSecond: messagesPerSecond, burst: burstMessages }, part, 1 + SIGNED_COSTS)
  return new Flow({ messages, bytes: partOf({ perSecond: bytesPerSecond, burst: burstBytes }, part, maxBytes) }, now)
}
