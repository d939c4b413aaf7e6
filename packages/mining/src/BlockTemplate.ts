/**
 * A block that lacks nothing but its proof of work, on top of a header of a tree. For regtest and the playground: it takes the
 * transactions that it is given and selects none.
 *
 * On Core's regtest witnesses are active from genesis. On a network that deploys them by votes (BIP-0009), as bcoin's regtest does,
 * blocks vote while the deployment is started or locked in and commit to witnesses once it is active. They vote for CSV in the same way.
 */
import {
  type ChainView,
  type DeploymentState,
  DeploymentStates,
  MAX_TIMEWARP,
  VERSIONBITS_TOP_BITS,
  medianTimePast,
  nextBits
} from "@satwire/consensus"
import type { Sha256 } from "@satwire/crypto"
import {
  type Block,
  type BlockHash,
  type ChainParams,
  type Deployment,
  type Transaction,
  blockMerkleRoot,
  retargetPeriod,
  witnessCommitmentHash,
  witnessMerkleRoot
} from "@satwire/primitives"
import { ANYONE_CAN_SPEND } from "./AnyoneCanSpend.ts"
import { coinbase } from "./Coinbase.ts"

export interface TemplateOptions {
  readonly sha256: Sha256
  /** The number of the parent in the view. */
  readonly parent: number
  readonly parentHash: BlockHash
  /** Our clock in Unix seconds; the block's time is later where consensus demands it. */
  readonly unix: number
  /** Makes blocks of one parent, time and payee differ. */
  readonly extraNonce: number
  /** Who is paid. */
  readonly scriptPubKey?: Uint8Array
  /** What the block holds besides its coinbase, as they come. With witnesses only where segwit is active. */
  readonly transactions?: ReadonlyArray<Transaction>
  /** What the transactions pay in all. */
  readonly fees?: bigint
}

/** Makes templates for one network over one view of its headers; keeps what it learned of deployments. */
export class BlockTemplates {
  readonly #params: ChainParams
  readonly #view: ChainView
  readonly #csv: DeploymentStates
  readonly #segwit: DeploymentStates

  constructor(params: ChainParams, view: ChainView) {
    this.#params = params
    this.#view = view
    this.#csv = new DeploymentStates(params.csv, view)
    this.#segwit = new DeploymentStates(params.segwit, view)
  }

  /** Whether a block on top of `parent` may hold witnesses. */
  mayHoldWitnesses(parent: number): boolean {
    return this.#segwit.after(parent) === "active"
  }

  /** A block on top of `parent` whose nonce is still to be found. */
  make(options: TemplateOptions): Block {
    const { sha256, parent, parentHash, unix, extraNonce } = options
    const params = this.#params
    const view = this.#view
    const height = view.height(parent) + 1
    const time = Math.max(unix, minimumTime(params, view, parent))
    const segwit = this.#segwit.after(parent)
    const others = options.transactions ?? []
    // The coinbase counts as zero in the witness tree, so the others decide the commitment alone.
    const commitment =
      segwit === "active"
        ? witnessCommitmentHash(
            sha256,
            witnessMerkleRoot(sha256, [PLACE_OF_COINBASE, ...others]).root,
            new Uint8Array(32)
          )
        : undefined
    const first = coinbase({
      params,
      height,
      extraNonce,
      scriptPubKey: options.scriptPubKey ?? ANYONE_CAN_SPEND,
      fees: options.fees ?? 0n,
      commitment
    })
    const transactions = [first, ...others]
    const bits = nextBits(params, view, parent, time)
    const merkleRoot = blockMerkleRoot(sha256, transactions).root
    const version = VERSIONBITS_TOP_BITS | vote(params.csv, this.#csv.after(parent)) | vote(params.segwit, segwit)
    return { header: { version, previousBlock: parentHash, merkleRoot, time, bits, nonce: 0 }, transactions }
  }
}

/**
 * The earliest time that a child of `parent` may claim (Core `GetMinimumTime`). BIP-0094's limit on time warps is kept on every network:
 * a chain that obeys a rule too early breaks none.
 */
export const minimumTime = (params: ChainParams, view: ChainView, parent: number): number => {
  const afterMedian = (medianTimePast(view, parent) ?? view.time(parent)) + 1
  const beginsPeriod = (view.height(parent) + 1) % retargetPeriod(params) === 0
  return beginsPeriod ? Math.max(afterMedian, view.time(parent) - MAX_TIMEWARP) : afterMedian
}

/** The bit by which a block votes while the vote is open and, so that all can see it, until the rule holds (BIP-0009 §"Bit flags"). */
const vote = (deployment: Deployment, state: DeploymentState): number =>
  deployment._tag === "VersionBits" && (state === "started" || state === "lockedIn") ? 1 << deployment.bit : 0

const PLACE_OF_COINBASE: Transaction = { version: 0, inputs: [], outputs: [], lockTime: 0 }
