/** What a command is on the network: which network, and under which user agent. */
import { encode, fromHex, varBytesLength } from "@satwire/bytes"
import { sha256d } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"
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
  const usual = networks[network]
  if (usual === undefined) throw new Error(`NETWORK_NAMES names ${network}, which primitives does not have`)
  if (settings.signetchallenge !== undefined && network !== "signet") {
    const message = `signetchallenge is for signet alone, and this is ${network}`
    return Result.fail(new ConfigError({ message }))
  }
  const params = settings.signetchallenge === undefined ? usual : signetOf(usual, settings.signetchallenge)
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

/** A signet with another challenge: its magic is the beginning of the hash of that (BIP-0325), and nobody is known there. */
const signetOf = (params: ChainParams, challenge: string): ChainParams => {
  // The option's Schema has let it pass.
  const script = fromHex(challenge) ?? new Uint8Array(0)
  const sized = encode(varBytesLength(script), (w) => w.varBytes(script))
  const hash = sha256d(platformSha256, sized)
  const magic = new DataView(hash.buffer, hash.byteOffset).getUint32(0, true)
  return {
    ...params,
    magic,
    signetChallenge: challenge.toLowerCase(),
    dnsSeeds: [],
    minimumChainWork: 0n,
    assumeValid: undefined
  }
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
