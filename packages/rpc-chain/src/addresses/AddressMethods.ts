/** Addresses, scripts and descriptors, and what is asked of any node. */
import { fromHex } from "@satwire/bytes"
import type { Sha256 } from "@satwire/crypto"
import {
  type JsonObject,
  type Method,
  type RpcError,
  defaulted,
  kind,
  method,
  optional,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import {
  type AddressFault,
  type OutputScript,
  ScriptWalk,
  decodeAddress,
  encodeAddress,
  recognizeOutput
} from "@satwire/primitives"
import { ripemd160 } from "@noble/hashes/legacy.js"
import { type NodeContext, type NodeContextShape, withNode } from "../NodeContext.ts"
import { type Descriptor, descriptorChecksum, readDescriptor } from "../transactions/Descriptor.ts"
import { isUnspendable } from "../transactions/ScriptAsm.ts"
import { scriptJson } from "../transactions/TransactionJson.ts"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { hexOf } from "../Hex.ts"

const OP_HASH160 = 0xa9
const OP_EQUAL = 0x87
const OP_CHECKSIGADD = 0xba

const digest = (sha256: Sha256, bytes: Uint8Array): Uint8Array => {
  const out = new Uint8Array(32)
  sha256.sha256(bytes, 0, bytes.length, out, 0)
  return out
}
const hash160 = (sha256: Sha256, bytes: Uint8Array): Uint8Array => ripemd160(digest(sha256, bytes))
const scriptHash = (sha256: Sha256, script: Uint8Array): Uint8Array =>
  Uint8Array.of(OP_HASH160, 20, ...hash160(sha256, script), OP_EQUAL)
const witnessKeyHash = (hash: Uint8Array): Uint8Array => Uint8Array.of(0, 20, ...hash)

const COMPRESSED = 33
const CAN_BE_WRAPPED: ReadonlySet<OutputScript["_tag"]> = new Set([
  "multisig",
  "nonstandard",
  "p2pk",
  "p2pkh",
  "p2wpkh",
  "p2wsh"
])
const CAN_BE_WITNESS: ReadonlySet<OutputScript["_tag"]> = new Set(["multisig", "nonstandard", "p2pk", "p2pkh"])

const hasOnlyOperations = (script: Uint8Array): boolean => {
  const walk = new ScriptWalk(script)
  while (walk.next()) if (walk.opcode >= OP_CHECKSIGADD) return false
  return !walk.isCut
}

/** The script that pays to this one by its witness, where that can be spent. */
const witnessScript = (script: Uint8Array, sha256: Sha256): Uint8Array | undefined => {
  const output = recognizeOutput(script)
  if (!CAN_BE_WITNESS.has(output._tag)) return undefined
  if (output._tag === "p2pk") {
    return output.publicKey.length === COMPRESSED ? witnessKeyHash(hash160(sha256, output.publicKey)) : undefined
  }
  if (output._tag === "p2pkh") return witnessKeyHash(output.hash)
  if (output._tag === "multisig" && output.publicKeys.some(({ length }) => length !== COMPRESSED)) return undefined
  return Uint8Array.of(0, 32, ...digest(sha256, script))
}

const wrappedJson = (script: Uint8Array, { params, sha256 }: NodeContextShape): JsonObject => {
  const canBe = CAN_BE_WRAPPED.has(recognizeOutput(script)._tag) && !isUnspendable(script) && hasOnlyOperations(script)
  if (!canBe) return {}
  const inWitness = witnessScript(script, sha256)
  return {
    p2sh: encodeAddress(scriptHash(sha256, script), params),
    segwit:
      inWitness === undefined
        ? undefined
        : { ...scriptJson(inWitness, params), "p2sh-segwit": encodeAddress(scriptHash(sha256, inWitness), params) }
  }
}

const SCRIPT_FIELDS = {
  asm: result.string("Its operations"),
  desc: result.string("Its descriptor, as far as that can be told of it"),
  address: result.optional(result.string("Its address, where it has one")),
  type: result.string("Its form")
}

const decodescript = method({
  name: "decodescript",
  category: "rawtransactions",
  about: "Returns what a script is, and how an output pays to it by its hash.",
  params: [required("hexstring", kind.string, "The script's bytes")],
  result: result.object("", {
    ...SCRIPT_FIELDS,
    p2sh: result.optional(result.string("The address of its hash")),
    segwit: result.optional(
      result.object("The script that pays to its witness", {
        ...SCRIPT_FIELDS,
        hex: result.hex("Its bytes"),
        "p2sh-segwit": result.string("The address of that one's hash")
      })
    )
  }),
  examples: [["hexstring"]],
  run: ({ hexstring }) =>
    withNode((context) =>
      Effect.gen(function* () {
        const script = fromHex(hexstring)
        if (script === undefined) {
          const message = `argument must be hexadecimal string (not '${hexstring}')`
          return yield* rpcError("INVALID_PARAMETER", message)
        }
        return { ...scriptJson(script, context.params, false), ...wrappedJson(script, context) }
      })
    )
})

const ADDRESS_FAULTS: Readonly<Record<AddressFault, string>> = {
  tooLong: "Bech32 string too long",
  checksum: "Invalid checksum or length of Base58 address (P2PKH or P2SH), or invalid Bech32 checksum",
  network: "Invalid or unsupported prefix for Segwit (Bech32) or Base58 address",
  encoding: "Version 0 witness address must use Bech32 checksum, and any other Bech32m checksum",
  version: "Invalid Bech32 address witness version",
  length: "Invalid Bech32 address program size"
}

const witnessJson = (script: Uint8Array): JsonObject => {
  const output = recognizeOutput(script)
  switch (output._tag) {
    case "p2wpkh":
    case "p2wsh":
    case "p2tr":
    case "anchor":
    case "witness_unknown": {
      const version = (script[0] as number) === 0 ? 0 : (script[0] as number) - 0x50
      return { iswitness: true, witness_version: version, witness_program: hexOf(script.subarray(2)) }
    }
    default:
      return { iswitness: false }
  }
}

const SCRIPT_HASHES: ReadonlySet<OutputScript["_tag"]> = new Set(["p2sh", "p2wsh", "p2tr"])

const validateaddress = method({
  name: "validateaddress",
  category: "util",
  about: "Returns whether a text is an address of this network, and what it stands for.",
  params: [required("address", kind.string, "The address")],
  result: result.object("", {
    isvalid: result.boolean("Whether it is one"),
    address: result.optional(result.string("The address")),
    scriptPubKey: result.optional(result.hex("The output's script")),
    isscript: result.optional(result.boolean("Whether it is the hash of a script")),
    iswitness: result.optional(result.boolean("Whether it is spent by a witness")),
    witness_version: result.optional(result.number("The version of that")),
    witness_program: result.optional(result.hex("What stands behind the version")),
    error: result.optional(result.string("Why it is none")),
    error_locations: result.optional(result.array("Not told by this node", result.number("")))
  }),
  examples: [["bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"]],
  run: ({ address }) =>
    withNode(({ params }) =>
      Effect.sync(() => {
        const script = decodeAddress(address, params)
        if (Result.isFailure(script)) {
          return { isvalid: false, error_locations: [], error: ADDRESS_FAULTS[script.failure] }
        }
        return {
          isvalid: true,
          address: encodeAddress(script.success, params),
          scriptPubKey: hexOf(script.success),
          isscript: SCRIPT_HASHES.has(recognizeOutput(script.success)._tag),
          ...witnessJson(script.success)
        }
      })
    )
})

const descriptorOf = (text: string, { params }: NodeContextShape): Effect.Effect<Descriptor, RpcError> =>
  Effect.mapError(Effect.fromResult(readDescriptor(text, params)), (why) => rpcError("INVALID_ADDRESS_OR_KEY", why))

const descriptor = required("descriptor", kind.string, "The descriptor: raw(…) or addr(…)")

const getdescriptorinfo = method({
  name: "getdescriptorinfo",
  category: "util",
  about: "Returns what a descriptor is, and its checksum.",
  params: [descriptor],
  result: result.object("", {
    descriptor: result.string("With its checksum"),
    checksum: result.string("The checksum of what was given"),
    isrange: result.boolean("Whether it stands for many scripts"),
    issolvable: result.boolean("Whether it says how it is spent"),
    hasprivatekeys: result.boolean("Whether it has keys in it")
  }),
  examples: [["raw(51)"]],
  run: ({ descriptor }) =>
    withNode((context) =>
      Effect.map(descriptorOf(descriptor, context), ({ text }) => {
        const checksum = descriptorChecksum(text) ?? ""
        return {
          descriptor: `${text}#${checksum}`,
          checksum,
          isrange: false,
          issolvable: false,
          hasprivatekeys: false
        }
      })
    )
})

const deriveaddresses = method({
  name: "deriveaddresses",
  category: "util",
  about: "Returns the addresses of a descriptor, which must have its checksum.",
  params: [descriptor, optional("range", kind.json, "For descriptors of many scripts, which are not read here")],
  result: result.array("", result.string("An address")),
  examples: [["raw(0014751e76e8199196d454941c45d1b3a323f1433bd6)#t687veyk"]],
  run: ({ descriptor, range }) =>
    withNode((context) =>
      Effect.gen(function* () {
        const { hasChecksum, script } = yield* descriptorOf(descriptor, context)
        if (!hasChecksum) return yield* rpcError("INVALID_ADDRESS_OR_KEY", "Missing checksum")
        if (range !== undefined) {
          return yield* rpcError("INVALID_PARAMETER", "Range should not be specified for an un-ranged descriptor")
        }
        const address = encodeAddress(script, context.params)
        if (address !== undefined) return [address]
        const message = "Descriptor does not have a corresponding address"
        return yield* rpcError("INVALID_ADDRESS_OR_KEY", message)
      })
    )
})

const MAX_TARGET = 1008
const estimatesmartfee = method({
  name: "estimatesmartfee",
  category: "util",
  about: "Returns that there is not enough data: this node makes no estimates.",
  params: [
    required("conf_target", kind.integer, "In how many blocks, from 1 to 1008"),
    defaulted("estimate_mode", kind.string, "economical", "economical or conservative")
  ],
  result: result.object("", {
    feerate: result.optional(result.amount("Never told")),
    errors: result.array("", result.string("Why")),
    blocks: result.number("As asked")
  }),
  examples: [[6]],
  run: ({ conf_target }) =>
    conf_target < 1 || conf_target > MAX_TARGET
      ? rpcError("INVALID_PARAMETER", `Invalid conf_target, must be between 1 and ${MAX_TARGET}`)
      : Effect.succeed({ errors: ["Insufficient data or no feerate found"], blocks: conf_target })
})

const getindexinfo = method({
  name: "getindexinfo",
  category: "util",
  about: "Returns the indexes that there are: none.",
  params: [optional("index_name", kind.string, "Of this one")],
  result: result.record("By name", result.any("")),
  examples: [[]],
  run: () => Effect.succeed({})
})

const getzmqnotifications = method({
  name: "getzmqnotifications",
  category: "util",
  about: "Returns who is told of what over ZeroMQ: nobody.",
  params: [],
  result: result.array("", result.any("")),
  examples: [[]],
  run: () => Effect.succeed([])
})

const getprioritisedtransactions = method({
  name: "getprioritisedtransactions",
  category: "mining",
  about: "Returns which transactions a miner prefers: none.",
  params: [],
  result: result.record("By transaction id", result.any("")),
  examples: [[]],
  run: () => Effect.succeed({})
})

export const addressMethods: ReadonlyArray<Method<NodeContext>> = [
  decodescript,
  validateaddress,
  getdescriptorinfo,
  deriveaddresses,
  estimatesmartfee,
  getindexinfo,
  getzmqnotifications,
  getprioritisedtransactions
]
