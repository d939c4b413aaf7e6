/** Errors of requests, as Effect has them. */
import type { RefusalCode, RequestFailure } from "@satwire/requests"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

interface RequestErrorFields {
  /** What happened: `TimedOut`, `Cancelled`, `Disconnected`, `UnknownMethod`, `Refused`, `MalformedAnswer` or `TooManyRequests`. */
  readonly reason: RequestFailure
  readonly peer: string
  readonly method: string
  /** One sentence. */
  readonly message: string
}

const RequestErrorBase: new (
  fields: RequestErrorFields
) => Cause.YieldableError & { readonly _tag: "RequestError" } & RequestErrorFields = Data.TaggedError("RequestError")

/** What was asked of a peer has no answer. */
export class RequestError extends RequestErrorBase {
  constructor(fields: Omit<RequestErrorFields, "message">) {
    super({ ...fields, message: `${fields.method} of ${fields.peer}: ${sentence(fields.reason)}` })
  }
}

const sentence = (reason: RequestFailure): string => {
  switch (reason._tag) {
    case "TimedOut":
      return "no answer in time"
    case "Cancelled":
      return "cancelled from here"
    case "Disconnected":
      return "the peer is not there, or went before it answered"
    case "UnknownMethod":
      return "the peer has no such method"
    case "Refused":
      return `the peer will not answer (${reason.code}): ${reason.message}`
    case "MalformedAnswer":
      return `what came is no answer: ${reason.what}`
    case "TooManyRequests":
      return "as much waits for this peer as may wait"
  }
}

interface RefusalFields {
  readonly code: RefusalCode
  /** What the asker is told: printable ASCII of at most 256 characters. */
  readonly message: string
}

const RefusalBase: new (fields: RefusalFields) => Cause.YieldableError & { readonly _tag: "Refusal" } & RefusalFields =
  Data.TaggedError("Refusal")

/** How a handler says that it does not answer. */
export class Refusal extends RefusalBase {}

/** A refusal in one word: `Effect.fail(refused("no blocks here"))`. */
export const refused = (message: string): Refusal => new Refusal({ code: "refused", message })

interface SendErrorFields {
  readonly peer: string
  readonly message: string
}

const SendErrorBase: new (
  fields: SendErrorFields
) => Cause.YieldableError & { readonly _tag: "SendError" } & SendErrorFields = Data.TaggedError("SendError")

/** A message was not sent: the peer is gone, or takes too little of what is sent to it. */
export class SendError extends SendErrorBase {
  constructor(peer: string) {
    super({ peer, message: `${peer} is gone, or takes too little of what is sent to it` })
  }
}
