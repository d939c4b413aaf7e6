/**
 * Where an application plugs in: what it has of these, the ready kinds and methods are answered and handled by. Without one, what it would
 * answer is refused, and what it would handle is dropped.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { OverlayFact } from "./Facts.ts"
import type { Kind } from "./Kind.ts"
import type { OverlayShape, Received } from "./Overlay.ts"
import { type Refusal, refused } from "./RequestError.ts"
import { Block } from "./kinds/Block.ts"
import { BlockMethod, type BlockRequest } from "./kinds/BlockRequest.ts"
import { NatInfo } from "./kinds/NatInfo.ts"
import { type NetworkStatus, StatusMethod } from "./kinds/NetworkStatus.ts"
import { PingMethod } from "./kinds/Ping.ts"
import { Proposal } from "./kinds/Proposal.ts"
import { Transaction } from "./kinds/Transaction.ts"
import { TransactionMethod, type TransactionRequest } from "./kinds/TransactionRequest.ts"
import { ValidatorSet, ValidatorSetMethod } from "./kinds/ValidatorSet.ts"
import { Vote } from "./kinds/Vote.ts"

/** Blocks and transactions: what is asked for and what comes unasked. Nothing that comes was validated. */
export interface ChainStoreShape {
  readonly block: (request: BlockRequest, peer: string) => Effect.Effect<Block, Refusal>
  readonly transaction: (request: TransactionRequest, peer: string) => Effect.Effect<Transaction, Refusal>
  readonly onBlock: (received: Received<Block>) => Effect.Effect<void>
  readonly onTransaction: (received: Received<Transaction>) => Effect.Effect<void>
}

/** Votes and proposals, each signed by whoever sent it; the validator's own signature is the engine's to verify. */
export interface ConsensusEngineShape {
  readonly onVote: (received: Received<Vote>) => Effect.Effect<void>
  readonly onProposal: (received: Received<Proposal>) => Effect.Effect<void>
}

export interface ValidatorManagerShape {
  /** The set that counts at a height. */
  readonly validators: (height: number, peer: string) => Effect.Effect<ValidatorSet, Refusal>
  readonly onValidatorSet: (received: Received<ValidatorSet>) => Effect.Effect<void>
}

/** Who watches: what happens, and what this node says of itself. */
export interface MonitorShape {
  readonly onFact: (fact: OverlayFact) => Effect.Effect<void>
  readonly onNatInfo: (received: Received<NatInfo>) => Effect.Effect<void>
  readonly status: (peer: string) => Effect.Effect<NetworkStatus, Refusal>
}

const nothing = (): Effect.Effect<void> => Effect.void

export const ChainStore: Context.Reference<ChainStoreShape> = Context.Reference("@satwire/overlay/ChainStore", {
  defaultValue: (): ChainStoreShape => ({
    block: () => Effect.fail(refused("no blocks are given here")),
    transaction: () => Effect.fail(refused("no transactions are given here")),
    onBlock: nothing,
    onTransaction: nothing
  })
})

export const ConsensusEngine: Context.Reference<ConsensusEngineShape> = Context.Reference(
  "@satwire/overlay/ConsensusEngine",
  { defaultValue: (): ConsensusEngineShape => ({ onVote: nothing, onProposal: nothing }) }
)

export const ValidatorManager: Context.Reference<ValidatorManagerShape> = Context.Reference(
  "@satwire/overlay/ValidatorManager",
  {
    defaultValue: (): ValidatorManagerShape => ({
      validators: () => Effect.fail(refused("no validators are told here")),
      onValidatorSet: nothing
    })
  }
)

export const Monitor: Context.Reference<MonitorShape> = Context.Reference("@satwire/overlay/Monitor", {
  defaultValue: (): MonitorShape => ({
    onFact: nothing,
    onNatInfo: nothing,
    status: () => Effect.fail(refused("no status is told here"))
  })
})

/**
 * Answers and handles by the hooks of this context, and answers pings, until the scope closes. Messages of a kind are handled one after
 * another; a hook that is slow misses the oldest, and one that dies is logged and has the next.
 */
export const serveHooks = (overlay: OverlayShape): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const chain = yield* ChainStore
    const engine = yield* ConsensusEngine
    const manager = yield* ValidatorManager
    const monitor = yield* Monitor
    yield* overlay.serve(PingMethod, (ping) => Effect.succeed(ping))
    yield* overlay.serve(BlockMethod, chain.block)
    yield* overlay.serve(TransactionMethod, chain.transaction)
    yield* overlay.serve(ValidatorSetMethod, ({ height }, peer) => manager.validators(height, peer))
    yield* overlay.serve(StatusMethod, (_, peer) => monitor.status(peer))
    const handled = <A>(kind: Kind<A>, handle: (received: Received<A>) => Effect.Effect<void>) =>
      each(overlay.messages(kind), handle)
    yield* handled(Block, chain.onBlock)
    yield* handled(Transaction, chain.onTransaction)
    yield* handled(Vote, engine.onVote)
    yield* handled(Proposal, engine.onProposal)
    yield* handled(ValidatorSet, manager.onValidatorSet)
    yield* handled(NatInfo, monitor.onNatInfo)
    yield* each(overlay.facts, monitor.onFact)
  })

const each = <A>(stream: Stream.Stream<A>, handle: (value: A) => Effect.Effect<void>) =>
  stream.pipe(
    Stream.runForEach((value) =>
      Effect.catchCause(handle(value), (cause) => Effect.logError("a hook of an overlay failed", cause))
    ),
    Effect.forkScoped({ startImmediately: true })
  )
