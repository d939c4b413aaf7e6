/** What a network manager refuses, beside the errors of what it is made of. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

interface NetworkErrorFields {
  /**
   * `NotRunning`: it was not started, or has been stopped. `Closed`: its holder has closed it, for good. `Full`: there are as many peers as may be. `Banned`: that peer is. `BadOptions`: it cannot be
   * what it is told to be. `UnknownKind`: no kind of that name was named. `Off`: what is asked for was not switched on. `DataDirectory`: it
   * cannot be used, or another process does.
   */
  readonly reason: "NotRunning" | "Closed" | "Full" | "Banned" | "BadOptions" | "UnknownKind" | "Off" | "DataDirectory"
  /** One sentence. */
  readonly message: string
}

const NetworkErrorBase: new (
  fields: NetworkErrorFields
) => Cause.YieldableError & { readonly _tag: "NetworkError" } & NetworkErrorFields = Data.TaggedError("NetworkError")

export class NetworkError extends NetworkErrorBase {}

export const notRunning: NetworkError = new NetworkError({
  reason: "NotRunning",
  message: "the network is not started"
})

export const closed: NetworkError = new NetworkError({
  reason: "Closed",
  message:
    "the network is closed and cannot be started again: make another one, or stop and start this one before it is closed"
})
