/** What the chat needs of a network. Records are bytes to it; whoever brings one need not have written it. */
import * as Data from "effect/Data"
import type * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"

/** A record that has come. */
export interface Brought {
  /** Who has put it into the network, whoever passed it on: its author, if he is honest. */
  readonly peer: string
  readonly record: Uint8Array
}

interface HistoryFailedFields {
  readonly peer: string
  readonly message: string
}

const HistoryFailedBase: new (
  fields: HistoryFailedFields
) => Cause.YieldableError & { readonly _tag: "HistoryFailed" } & HistoryFailedFields = Data.TaggedError("HistoryFailed")

/** A peer did not hand over a history. */
export class HistoryFailed extends HistoryFailedBase {}

export interface ChatNetwork {
  /** Sends a record of ours to everybody who can be reached. */
  readonly publish: (record: Uint8Array) => Effect.Effect<void>
  /** What comes, from now on. Who reads slowly misses the oldest. */
  readonly brought: Stream.Stream<Brought>
  /** Asks a peer for the records of a room that he has. */
  readonly askHistory: (peer: string, room: string) => Effect.Effect<ReadonlyArray<Uint8Array>, HistoryFailed>
  /** Answers such questions of others as long as the scope. */
  readonly serveHistory: (
    answer: (room: string) => Effect.Effect<ReadonlyArray<Uint8Array>>
  ) => Effect.Effect<void, never, Scope.Scope>
  readonly peers: Effect.Effect<ReadonlyArray<string>>
  /** Peers that come, from now on. */
  readonly arrivals: Stream.Stream<string>
  /** Tells what a peer did wrong, which is for the network to weigh. */
  readonly fault: (peer: string, what: string) => Effect.Effect<void>
}
