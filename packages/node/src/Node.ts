/**
 * The node as an Effect service: `NodeCore` with its sockets, its files, its timer and its clock.
 *
 * ```
 *   Dialer, Listener ─▶ Connections ─▶ MachineService(NodeCore) ─▶ facts
 *                            ▲               │ HeadersAccepted
 *                            │ hold          ▼
 *                            └────────── HeaderStore
 * ```
 *
 * Closing its scope keeps every header that was accepted and closes every connection, and is done when no handle is left. A failure
 * does the same by itself, before it is told.
 */
import { type HeadersRefused, restoreHeaders } from "@satwire/header-stream/effect"
import type { Sha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
import type { Subnet } from "@satwire/connections"
import { HeaderTree } from "@satwire/header-sync"
import { NetGroups } from "@satwire/netaddress"
import { NodeCore, type NodeCoreInput, type NodeCoreOutput, type Queries } from "@satwire/node-core"
import { type BlockHash, HEADER_SIZE } from "@satwire/primitives"
import { type MachineFailed, machineService, seededRandom } from "@satwire/runtime"
import type { HeaderStore, StoreError } from "@satwire/store"
import {
  type Connection,
  type Dialer,
  type Endpoint,
  type ListenError,
  type Listener,
  type Listening,
  formatEndpoint
} from "@satwire/transport"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Take from "effect/Take"
import { seedAsker } from "./AskSeeds.ts"
import { Connections } from "./Connections.ts"
import { type Dialling, dialling, endpointOf } from "./Dialling.ts"
import { coreOptions } from "./CoreOptions.ts"
import { keepListening } from "./KeepListening.ts"
import { keepHeaders } from "./KeptHeaders.ts"
import { type KeptPeers, keptPeers } from "./KeptPeers.ts"
import type { NodeFact } from "./NodeFact.ts"
import type { NodeOptions } from "./NodeOptions.ts"

/**
 * How many facts are kept for a slow reader; the oldest make room.
 *
 * @limit facts kept for a slow reader
 */
export const FACTS_KEPT = 4096
/**
 * How many of the last facts a new reader begins with, so that who reads from the start on misses nothing of it.
 *
 * @limit facts that a new reader begins with
 */
export const FACTS_REPLAYED = 16

/**
 * How many connections that others opened may be on their way out beside those that may stay; more are cut off at once.
 *
 * @limit inbound connections that are ending, beside those that may stay
 */
const ENDING_AT_MOST = 64

/** Why a node cannot go on. */
export type NodeFailure = MachineFailed | StoreError

/** Why a node did not start. */
export type NodeStartError = StoreError | HeadersRefused | ListenError

export interface NodeShape {
  /** Where it can be found, if it listens. */
  readonly listening: Endpoint | undefined
  /**
   * The last {@link FACTS_REPLAYED} facts, and what happens from then on; it ends when the node has, in whatever way. A reader that is
   * more than {@link FACTS_KEPT} facts behind loses the oldest, without a word: facts are news, and state is asked for by `query`.
   */
  readonly facts: Stream.Stream<NodeFact>
  /** Reads state, as of now. */
  readonly query: <Name extends keyof Queries>(name: Name) => Effect.Effect<Queries[Name]>
  /** Keeps a connection to this address from now on; also to one that was given up before. */
  readonly connect: (endpoint: Endpoint) => Effect.Effect<void>
  /** Keeps a connection to this address no more, and ends the one that there is. */
  readonly release: (endpoint: Endpoint) => Effect.Effect<void>
  /**
   * Bans a subnet for so long; its peers are let go. The ban is on disk when this is done, where bans are kept there;
   * where it fails the ban holds all the same, and is saved when it can be.
   */
  readonly ban: (subnet: Subnet, seconds: number) => Effect.Effect<void, StoreError>
  readonly unban: (subnet: Subnet) => Effect.Effect<void, StoreError>
  /** Whether there are connections at all: where not, all end and none begins. */
  readonly setNetworkActive: (isActive: boolean) => Effect.Effect<void>
  /**
   * Takes in headers from elsewhere: `count` raw headers, each the child of the one before, in one turn. They are copied. What is refused
   * is told as the fact `SubmitRefused`; dies of a `RangeError` where there are fewer bytes than that.
   */
  readonly submitHeaders: (headers: Uint8Array, count: number) => Effect.Effect<void>
  /**
   * Says that a header is invalid, and so all that follow it: the best chain is another then (Core's `invalidateblock`). It holds until it is
   * taken back or the node ends. Gives whether there is such a header; that of genesis cannot be invalid and counts as none.
   */
  readonly invalidateHeader: (hash: BlockHash) => Effect.Effect<boolean>
  /** Takes back that a header, or one before or after it, is invalid (Core's `reconsiderblock`). Gives whether there is such a header. */
  readonly reconsiderHeader: (hash: BlockHash) => Effect.Effect<boolean>
  /** Has a block mined on the best tip, which is told as `BlockMade`. Without the mining role it does nothing. */
  readonly makeBlock: Effect.Effect<void>
  /** Never succeeds. Fails when the node cannot go on; by then everything that it held is closed. */
  readonly failure: Effect.Effect<never, NodeFailure>
}

const NodeBase: Context.ServiceClass<Node, "@satwire/node/Node", NodeShape> = Context.Service<Node, NodeShape>()(
  "@satwire/node/Node"
)

export class Node extends NodeBase {
  /** A node that runs while the layer's scope is open. */
  static readonly layer = (options: NodeOptions): Layer.Layer<Node, NodeStartError, Dialer | Listener | HeaderStore> =>
    Layer.effect(Node, makeNode(options))
}

/** A node that runs while the scope is open. A base that contradicts itself is a defect, as it is the caller's mistake. */
export const makeNode = (
  options: NodeOptions,
  sha256: Sha256 = platformSha256
): Effect.Effect<NodeShape, NodeStartError, Dialer | Listener | HeaderStore | Scope.Scope> =>
  Effect.gen(function* () {
    const facts = yield* PubSub.sliding<Take.Take<NodeFact>>({ capacity: FACTS_KEPT, replay: FACTS_REPLAYED })
    const endFacts = PubSub.end(facts, Exit.void)
    yield* Effect.addFinalizer(() => endFacts)
    const running = yield* Scope.fork(yield* Effect.scope)
    const broken = yield* Deferred.make<never, NodeFailure>()
    const failed = yield* Deferred.make<never, NodeFailure>()
    const node = yield* runningNode({
      options,
      sha256,
      tell(fact) {
        // Where the buffer of some reader is full only the effect makes room, at once.
        if (!PubSub.publishUnsafe(facts, [fact])) Effect.runSync(PubSub.publish(facts, [fact]))
      },
      fail: (cause) => void Deferred.doneUnsafe(broken, Exit.failCause(cause))
    }).pipe(
      Scope.provide(running),
      Effect.onError((cause) => Scope.close(running, Exit.failCause(cause)))
    )
    const stop = (cause: Cause.Cause<NodeFailure>): Effect.Effect<unknown> =>
      Scope.close(running, Exit.failCause(cause)).pipe(
        Effect.andThen(Deferred.failCause(failed, cause)),
        Effect.andThen(endFacts),
        Effect.uninterruptible
      )
    yield* Effect.forkScoped(Effect.catchCause(Deferred.await(broken), stop))
    return { ...node, facts: Stream.fromPubSubTake(facts), failure: Deferred.await(failed) }
  })

interface Running {
  readonly options: NodeOptions
  readonly sha256: Sha256
  readonly tell: (fact: NodeFact) => void
  /** The node cannot go on. */
  readonly fail: (cause: Cause.Cause<NodeFailure>) => void
}

/** The node while all is well. */
const runningNode = ({
  options,
  sha256,
  tell,
  fail
}: Running): Effect.Effect<
  Omit<NodeShape, "facts" | "failure">,
  NodeStartError,
  Dialer | Listener | HeaderStore | Scope.Scope
> =>
  Effect.gen(function* () {
    const random = yield* seededRandom
    const { params, base, trustedHeaders } = options
    const tree =
      base === undefined
        ? HeaderTree.fromGenesis(params, random.fork(), trustedHeaders)
        : HeaderTree.fromBase(params, base, sha256, random.fork(), trustedHeaders)
    const loaded = yield* restoreHeaders(tree, sha256)
    const groups = options.groups ?? new NetGroups()
    const peers = yield* keptPeers({
      knowsAddresses: options.addresses !== undefined,
      groups,
      saved: (what, count) => tell({ _tag: "PeersSaved", what, count }),
      unsaved: (what, error, retryInMs) => tell({ _tag: "PeersUnsaved", what, error, retryInMs })
    })
    const core = new NodeCore({ ...coreOptions(options, peers, groups, random.fork()), tree, sha256, random })
    const connections: Connections = new Connections(
      (input) => service.submit(input),
      (peer, address) => edge.tell({ _tag: "PeerDisconnected", peer, address })
    )
    const keep = yield* keepHeaders({
      stored: (count) => tell({ _tag: "HeadersStored", count }),
      behind(isBehind) {
        connections.hold(isBehind)
        tell({ _tag: "StoreBehind", isBehind })
      },
      full: (error, retryInMs) => tell({ _tag: "StoreFull", error, retryInMs }),
      roomAgain: () => tell({ _tag: "StoreHasRoom" }),
      failed: fail
    })
    yield* Effect.addFinalizer(() => connections.closeAll)
    const service = yield* machineService({
      machine: core,
      timeout: { _tag: "Timeout" } as const,
      perform: (output) => perform(output, edge)
    })
    const dials = yield* dialling({
      connections,
      submit: service.submit,
      tell,
      dialTimeoutMs: options.dialTimeoutMs
    })
    const askSeed = yield* seedAsker(service.submit)
    const edge: Edge = {
      askSeed,
      connections,
      dials,
      peers,
      between: service.between,
      keep: (headers, count) => service.between(() => keep(headers, count)),
      tell: (fact) => service.between(() => tell(fact))
    }
    yield* Effect.forkScoped(Effect.catchCause(service.failure, (cause) => Effect.sync(() => fail(cause))))
    tell({ _tag: "HeadersLoaded", ...loaded, height: tree.height(tree.best) })
    for (const endpoint of options.connect) service.submit({ _tag: "Keep", endpoint: formatEndpoint(endpoint) })
    const listening = yield* listen(options, connections, tell)
    return { listening: listening?.endpoint, ...doors(core, service.submit, peers, tree) }
  })

/** What can be asked of a running node. */
const doors = (
  core: NodeCore,
  submit: (input: NodeCoreInput) => void,
  peers: KeptPeers,
  tree: HeaderTree
): Omit<NodeShape, "facts" | "failure" | "listening"> => {
  const submitted = (input: NodeCoreInput): Effect.Effect<void> => Effect.sync(() => submit(input))
  const banned = (input: NodeCoreInput): Effect.Effect<void, StoreError> =>
    Effect.andThen(submitted(input), peers.saveBans)
  const judged = (_tag: "InvalidateHeader" | "ReconsiderHeader") => (hash: BlockHash) =>
    Effect.sync(() => {
      const isThere = tree.find(hash) > 0
      if (isThere) submit({ _tag, hash })
      return isThere
    })
  return {
    query: (name) => Effect.sync(() => core.query(name)),
    connect: (endpoint) => submitted({ _tag: "Keep", endpoint: formatEndpoint(endpoint) }),
    release: (endpoint) => submitted({ _tag: "Release", endpoint: formatEndpoint(endpoint) }),
    ban: (subnet, seconds) => banned({ _tag: "Ban", subnet, seconds }),
    unban: (subnet) => banned({ _tag: "Unban", subnet }),
    setNetworkActive: (isActive) => submitted({ _tag: "NetworkActive", isActive }),
    submitHeaders: (headers, count) =>
      Effect.sync(() => {
        checkLength(headers, count)
        if (count > 0) submit({ _tag: "SubmitHeaders", headers, count })
      }),
    invalidateHeader: judged("InvalidateHeader"),
    reconsiderHeader: judged("ReconsiderHeader"),
    makeBlock: submitted({ _tag: "MakeBlock" })
  }
}

/** A mistake of the caller's, which must not look like one of the machine. */
const checkLength = (headers: Uint8Array, count: number): void => {
  if (Number.isInteger(count) && count >= 0 && headers.length >= count * HEADER_SIZE) return
  throw new RangeError(`${headers.length} bytes are not ${count} headers`)
}

/** Where outputs go. What may wake fibers happens between turns. */
interface Edge {
  readonly askSeed: (query: Extract<NodeCoreOutput, { readonly _tag: "QuerySeed" }>) => void
  readonly connections: Connections
  readonly dials: Dialling
  readonly peers: KeptPeers
  readonly between: (action: () => void) => void
  readonly keep: (headers: Uint8Array, count: number) => void
  readonly tell: (fact: NodeFact) => void
}

/** Does what the machine asks for, keeps what it accepted, and tells the rest. */
const perform = (output: NodeCoreOutput, to: Edge): void => {
  switch (output._tag) {
    case "Write":
    case "Pause":
    case "Close":
      return to.connections.perform(output)
    case "HeadersAccepted": {
      const { headers, count, from } = output
      to.keep(headers, count)
      return to.tell({ _tag: "HeadersAccepted", count, from })
    }
    case "Dial":
      return to.between(() => to.dials.dial(output))
    case "DialEnded": {
      const { dial, endpoint, kind, retryInMs } = output
      const error = to.dials.failure(dial)
      return to.tell({ _tag: "DialFailed", endpoint: endpointOf(endpoint), kind, error, retryInMs })
    }
    case "GivenUp":
      return to.tell({ _tag: "PeerGivenUp", endpoint: endpointOf(output.endpoint), because: output.because })
    case "AnchorsChanged":
      return to.between(() => to.peers.anchorsChanged(output.anchors))
    case "AddressesLearned":
    case "PeerIntroduced":
      to.between(to.peers.addressesChanged)
      return to.tell(output)
    case "QuerySeed":
      return to.between(() => to.askSeed(output))
    default:
      return to.tell(output)
  }
}

const listen = (
  options: NodeOptions,
  connections: Connections,
  tell: (fact: NodeFact) => void
): Effect.Effect<Listening | undefined, ListenError, Listener | Scope.Scope> => {
  if (options.listen === undefined) return Effect.succeed(undefined)
  const accept = (connection: Connection): void => {
    if (connections.inbound < options.maxInbound + ENDING_AT_MOST) connections.add(connection)
    else connection.destroy()
  }
  return keepListening(options.listen, accept, tell)
}
