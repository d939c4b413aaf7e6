/** Why a gateway opened no port. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

export type PortMappingReason =
  /** None is known, or none answered. */
  | "NoGateway"
  /** It says that it will not or cannot; `message` has its code. */
  | "Refused"
  /** It answered something else than was asked, or more than anybody needs to say. */
  | "Malformed"
  | "TimedOut"

interface PortMappingErrorFields {
  readonly reason: PortMappingReason
  readonly message: string
}

const PortMappingErrorBase: new (
  fields: PortMappingErrorFields
) => Cause.YieldableError & { readonly _tag: "PortMappingError" } & PortMappingErrorFields =
  Data.TaggedError("PortMappingError")

/** A gateway opened no port. */
export class PortMappingError extends PortMappingErrorBase {}

export const failure = (reason: PortMappingReason, message: string): PortMappingError =>
  new PortMappingError({ reason, message })
