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
import { HeaderTree } from "@satwire/header-sync"
import type { Now, Random } from "@satwire/machine"
import { NetGroups } from "@satwire/netaddress"
import { NodeCore, type NodeCoreInput, type NodeCoreOutput } from "@satwire/node-core"
import { machineService, seededRandom } from "@satwire/runtime"
import type { HeaderStore, StoreError } from "@satwire/store"
import {
  type Connection,
  type Dialer,
  type ListenError,
  type Listener,
  type Listening,
  formatEndpoint
} from "@satwire/transport"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
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
import { type PrunedBefore, blocksHere } from "./KeptBlocks.ts"
import { type KeptPeers, keptPeers } from "./KeptPeers.ts"
import { type KeptStores, type Running, keepStores } from "./KeptStores.ts"
import { Messages } from "./Messages.ts"
import type { NodeFact } from "./NodeFact.ts"
import type { NodeOptions } from "./NodeOptions.ts"
import { Submissions } from "./Submissions.ts"
import { FACTS_KEPT, FACTS_REPLAYED, type NodeFailure, type NodeShape, doors } from "./NodeShape.ts"

/**
 * How many connections that others opened may be on their way out beside those that may stay; more are cut off at once.
 *
 * @limit inbound connections that are ending, beside those that may stay
 */
const ENDING_AT_MOST = 64

/** Why a node did not start. */
export type NodeStartError = StoreError | HeadersRefused | PrunedBefore | ListenError

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

/** The node while all is well. */
const runningNode = (
  running: Running
): Effect.Effect<Omit<NodeShape, "facts" | "failure">, NodeStartError, Dialer | Listener | HeaderStore | Scope.Scope> =>
  Effect.gen(function* () {
    const { options, sha256, tell, fail } = running
    const random = yield* seededRandom
    const tree = treeOf(options, sha256, random.fork())
    const loaded = yield* restoreHeaders(tree, sha256)
    const groups = options.groups ?? new NetGroups()
    const peers = yield* keptPeers({
      knowsAddresses: options.addresses !== undefined,
      groups,
      saved: (what, count) => tell({ _tag: "PeersSaved", what, count }),
      unsaved: (what, error, retryInMs) => tell({ _tag: "PeersUnsaved", what, error, retryInMs })
    })
    const blocks = options.blocks === undefined ? undefined : yield* blocksHere(tree, sha256, options.blocks)
    const unixMs = yield* Clock.clockWith((clock) => Effect.succeed(() => clock.currentTimeMillisUnsafe()))
    const messages: Messages = new Messages((action) => service.between(action), unixMs)
    const core = new NodeCore({
      ...coreOptions(options, peers, groups, random.fork(), blocks),
      tree,
      sha256,
      random,
      watch: messages
    })
    const submit = (input: NodeCoreInput): void => service.submit(input)
    const connections: Connections = new Connections(submit, (peer, address) =>
      edge.tell({ _tag: "PeerDisconnected", peer, address })
    )
    const submissions = new Submissions()
    const stores = yield* keepStores(running, { tree, blocks, connections, submissions, submit })
    yield* Effect.addFinalizer(() => connections.closeAll)
    const service = yield* machineService({
      machine: core,
      timeout: { _tag: "Timeout" } as const,
      perform: (output) => perform(output, edge)
    })
    const dials = yield* dialling({ connections, submit, tell, dialTimeoutMs: options.dialTimeoutMs })
    const askSeed = yield* seedAsker(service.submit)
    const edge: Edge = {
      submissions,
      askSeed,
      connections,
      dials,
      peers,
      stores,
      between: service.between,
      now: service.now,
      tell: (fact) => service.between(() => tell(fact))
    }
    yield* Effect.forkScoped(Effect.catchCause(service.failure, (cause) => Effect.sync(() => fail(cause))))
    tell({ _tag: "HeadersLoaded", ...loaded, height: tree.height(tree.best) })
    const height = core.query("blocks")?.tip.height
    if (blocks !== undefined && height !== undefined) tell({ _tag: "BlocksLoaded", count: blocks.kept.length, height })
    for (const endpoint of options.connect) service.submit({ _tag: "Keep", endpoint: formatEndpoint(endpoint) })
    const listening = yield* listen(options, connections, tell)
    return {
      listening: listening?.endpoint,
      turns: Effect.sync(service.turns),
      messages: messages.stream,
      ...doors({ core, ...service, peers, groups, sha256, submissions, tree, ...stores })
    }
  })

/** A tree of the one header that it begins with. */
const treeOf = ({ base, params, trustedHeaders }: NodeOptions, sha256: Sha256, random: Random): HeaderTree =>
  base === undefined
    ? HeaderTree.fromGenesis(params, random, trustedHeaders)
    : HeaderTree.fromBase(params, base, sha256, random, trustedHeaders)

/** Where outputs go. What may wake fibers happens between turns. */
interface Edge {
  readonly askSeed: (query: Extract<NodeCoreOutput, { readonly _tag: "QuerySeed" }>) => void
  readonly connections: Connections
  readonly dials: Dialling
  readonly peers: KeptPeers
  readonly stores: KeptStores
  readonly submissions: Submissions
  readonly between: (action: () => void) => void
  readonly now: () => Now
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
      to.between(() => to.stores.headers.keep({ headers, count }))
      return to.tell({ _tag: "HeadersAccepted", count, from })
    }
    case "CheckBlock":
    case "StoreBlock":
    case "ReadBlock":
      return to.between(() => to.stores.blocks?.perform(output))
    case "BlockTipChanged":
      to.between(() => {
        to.stores.blocks?.moved(output.tip)
        to.stores.changes.tell()
      })
      return to.tell(output)
    case "CompactReconstructed": {
      const { since, ...reconstructed } = output
      return to.tell({ ...reconstructed, tookMs: to.now().instant - since })
    }
    case "TransactionSubmitted":
      to.between(() => to.submissions.transactions.heard(output.wtxid, output.rule))
      return to.tell(output)
    case "BlockSubmitted":
      to.between(() => to.submissions.blocks.heard(output.hash, output.rule))
      return to.tell(output)
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
  const accept = (connection: Connection): void => {
    if (connections.inbound < options.maxInbound + ENDING_AT_MOST) connections.add(connection)
    else connection.destroy()
  }
  return Effect.gen(function* () {
    const { alsoListen = [], listen: first } = options
    const listening = first === undefined ? undefined : yield* keepListening(first, accept, tell)
    for (const endpoint of alsoListen) yield* keepListening(endpoint, accept, tell)
    return listening
  })
}
