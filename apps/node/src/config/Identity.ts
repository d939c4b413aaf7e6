/** What a command is on the network: which network, and under which user agent. */
import { type ChainParams, networks } from "@satwire/primitives"
import { MAX_SUBVERSION_LENGTH } from "@satwire/wire"
import * as Result from "effect/Result"
import { VERSION } from "../Version.ts"
import { ConfigError } from "./ConfigError.ts"
import type { Resolution } from "./Settings.ts"
import type { ActivationHeight } from "./Values.ts"

export interface Identity {
  readonly params: ChainParams
  /** BIP-0014. */
  readonly userAgent: string
}

export const identityOf = ({ network, settings }: Resolution): Result.Result<Identity, ConfigError> => {
  const { minimumchainwork, uacomment } = settings
  const params = networks[network]
  if (params === undefined) throw new Error(`NETWORK_NAMES names ${network}, which primitives does not have`)
  const comments = uacomment.length === 0 ? "" : `(${uacomment.join("; ")})`
  const userAgent = `/satwire:${VERSION}${comments}/`
  if (userAgent.length > MAX_SUBVERSION_LENGTH) {
    const message = `the user agent ${userAgent} has ${userAgent.length} characters, but must have at most ${MAX_SUBVERSION_LENGTH}: give fewer or shorter --uacomment`
    return Result.fail(new ConfigError({ message }))
  }
  const minimumChainWork = minimumchainwork ?? params.minimumChainWork
  if (settings.testactivationheight.length > 0 && isPublic(params)) {
    const message = `testactivationheight is for regtest alone, and this is ${params.name}`
    return Result.fail(new ConfigError({ message }))
  }
  const rules = settings.testactivationheight.map(activatedAt)
  return Result.succeed({ params: Object.assign({ ...params, minimumChainWork }, ...rules), userAgent })
}

/** The field of the parameters that says from when on a rule holds. */
const activatedAt = ({ height, rule }: ActivationHeight): Partial<ChainParams> => {
  switch (rule) {
    case "segwit":
      return { segwit: { _tag: "Buried", height } }
    case "csv":
      return { csv: { _tag: "Buried", height } }
    case "bip34":
      return { bip34Height: height }
    case "dersig":
      return { bip66Height: height }
    case "cltv":
      return { bip65Height: height }
  }
}

/** Whether strangers are on it, whom an unfinished node must not mislead. */
export const isPublic = (params: ChainParams): boolean => params.name !== "regtest"
