/** How a stream of messages ends where it does not end well, and whose doing it was. */
import { type CloseReason, describeClose } from "@satwire/transport"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import type { FramingFault } from "../Framing.ts"

interface FramingFailedFields {
  /** What the other end did. */
  readonly fault: FramingFault
  /** Whether who dialled should dial again and speak v1 (`shouldRetryAsV1`). */
  readonly retryAsV1: boolean
  /** One sentence. */
  readonly message: string
}

const FramingFailedBase: new (
  fields: FramingFailedFields
) => Cause.YieldableError & { readonly _tag: "FramingFailed" } & FramingFailedFields = Data.TaggedError("FramingFailed")

/** The other end sent what no transport of ours allows. The bytes that follow mean nothing, so the duplex was closed. */
export class FramingFailed extends FramingFailedBase {}

interface DuplexClosedFields {
  readonly reason: CloseReason
  /** Whether who dialled should dial again and speak v1 (`shouldRetryAsV1`). */
  readonly retryAsV1: boolean
  /** One sentence. */
  readonly message: string
}

const DuplexClosedBase: new (
  fields: DuplexClosedFields
) => Cause.YieldableError & { readonly _tag: "DuplexClosed" } & DuplexClosedFields = Data.TaggedError("DuplexClosed")

/** The duplex is closed: by the other end in the middle of something, by the network, or from here. */
export class DuplexClosed extends DuplexClosedBase {}

export type MessageStreamError = FramingFailed | DuplexClosed

export const framingFailed = (fault: FramingFault, retryAsV1: boolean): FramingFailed =>
  new FramingFailed({ fault, retryAsV1, message: `The other end broke the transport protocol: ${fault._tag}.` })

export const duplexClosed = (reason: CloseReason, retryAsV1: boolean): DuplexClosed =>
  new DuplexClosed({ reason, retryAsV1, message: describeClose(reason) })
