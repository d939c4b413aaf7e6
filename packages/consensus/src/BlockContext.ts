/**
 * What a block at its place in the chain must satisfy, as plain data that a worker can be given. Whoever has the headers makes it.
 */
import { fromHex } from "@satwire/bytes"
import type { ChainParams } from "@satwire/primitives"
import type { ChainView } from "./ChainView.ts"
import { medianTimePast } from "./MedianTime.ts"
import { isVerifiable } from "./SignetChallenge.ts"
import { DeploymentStates } from "./VersionBits.ts"

export interface BlockContext {
  readonly height: number
  /** Whether the coinbase must begin with the height (BIP-0034). */
  readonly hasHeight: boolean
  /**
   * What lock times that are times are held against: the median time past of the parent, before BIP-0113 the block's own time. `undefined`
   * where the median is not known: then they are not judged.
   */
  readonly lockTimeCutoff: number | undefined
  /** Whether segwit is active, so that the coinbase's commitment counts (BIP-0141). */
  readonly hasWitness: boolean
  /** The script that the block must satisfy on a signet (BIP-0325). */
  readonly signetChallenge: Uint8Array | undefined
}

/** Makes contexts for one network over one view of its headers; keeps what it learned of deployments. */
export class BlockContexts {
  readonly #params: ChainParams
  readonly #view: ChainView
  readonly #csv: DeploymentStates
  readonly #segwit: DeploymentStates
  readonly #challenge: Uint8Array | undefined

  /** @throws RangeError for a signet whose challenge has a form that is not verified here */
  constructor(params: ChainParams, view: ChainView) {
    this.#params = params
    this.#view = view
    this.#csv = new DeploymentStates(params.csv, view)
    this.#segwit = new DeploymentStates(params.segwit, view)
    this.#challenge = challengeOf(params)
  }

  /** For a block on top of `parent` whose header claims `time`. */
  after(parent: number, time: number): BlockContext {
    const height = this.#view.height(parent) + 1
    return {
      height,
      hasHeight: height >= this.#params.bip34Height,
      lockTimeCutoff: this.#csv.after(parent) === "active" ? medianTimePast(this.#view, parent) : time,
      hasWitness: this.#segwit.after(parent) === "active",
      signetChallenge: this.#challenge
    }
  }
}

const challengeOf = ({ name, signetChallenge }: ChainParams): Uint8Array | undefined => {
  if (signetChallenge === undefined) return undefined
  const challenge = fromHex(signetChallenge)
  if (challenge === undefined) throw new RangeError(`the challenge of ${name} is not hexadecimal`)
  if (isVerifiable(challenge)) return challenge
  throw new RangeError(`the challenge of ${name} has a form that is not verified here: ${signetChallenge}`)
}
