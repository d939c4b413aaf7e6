/**
 * The first words of both ends: which protocol, who one is, and what one can; then the proof of the key, by who is named by one.
 *
 * ```
 *   hello   "satwire-overlay" │ version u8 │ capabilities u8 │ challenge 32 │ length u8 │ node id
 *   proof   BIP-0340 signature over the other end's challenge, both node ids and our own challenge
 * ```
 *
 * Specification: a node id of 64 hexadecimal digits is a key and must be proven; any other is a claim. Rationale: messages to a key would
 * otherwise reach whoever says its name.
 *
 * It does not encrypt, and who sits between two nodes may carry a proof across: that is the transport's business (TLS, libp2p's noise).
 */
import { type SchnorrKey, type Signatures, taggedHash } from "@satwire/crypto"
import { MAX_NODE_ID_BYTES } from "@satwire/envelope"
import { concat, equals, fromHex, toHex } from "@satwire/bytes"

export const SESSION_VERSION = 1
const MAGIC = Uint8Array.from("satwire-overlay", (letter) => letter.charCodeAt(0))
const CHALLENGE_BYTES = 32
const HEAD_BYTES = MAGIC.length + 2 + CHALLENGE_BYTES + 1

/** What an end can read beyond plain envelopes: bits. */
export const Capability = { deflate: 1, delta: 2 } as const

export interface Hello {
  readonly nodeId: string
  readonly capabilities: number
  readonly challenge: Uint8Array
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))

export const encodeHello = ({ nodeId, capabilities, challenge }: Hello): Uint8Array =>
  concat([MAGIC, Uint8Array.of(SESSION_VERSION, capabilities), challenge, Uint8Array.of(nodeId.length), ascii(nodeId)])

export type HelloFault = "OtherProtocol" | "OtherVersion" | "BadHello"

/** The hello of a frame, or what is wrong with it. */
export const decodeHello = (bytes: Uint8Array): Hello | HelloFault => {
  if (!equals(bytes.subarray(0, MAGIC.length), MAGIC)) return "OtherProtocol"
  if (bytes[MAGIC.length] !== SESSION_VERSION) return "OtherVersion"
  const length = bytes[HEAD_BYTES - 1] ?? 0
  if (length === 0 || length > MAX_NODE_ID_BYTES || bytes.length !== HEAD_BYTES + length) return "BadHello"
  const name = bytes.subarray(HEAD_BYTES)
  if (!name.every((code) => code > 0x20 && code < 0x7f)) return "BadHello"
  return {
    nodeId: String.fromCharCode(...name),
    capabilities: bytes[MAGIC.length + 1] as number,
    challenge: bytes.slice(MAGIC.length + 2, HEAD_BYTES - 1)
  }
}

/** The key that a node id is, or `undefined` where it is a name. */
export const keyOf = (nodeId: string): Uint8Array | undefined => {
  const key = nodeId.length === 64 ? fromHex(nodeId) : undefined
  return key !== undefined && toHex(key) === nodeId ? key : undefined
}

const provenHash = taggedHash("satwire/overlay-session/1")
const proven = (prover: Hello, verifier: Hello): Uint8Array =>
  provenHash(concat([verifier.challenge, prover.challenge, ascii(`${prover.nodeId} ${verifier.nodeId}`)]))

export const prove = (key: SchnorrKey, ours: Hello, theirs: Hello, auxiliary: Uint8Array): Uint8Array =>
  key.sign(proven(ours, theirs), auxiliary)

/** Whether `proof` shows that who said `theirs` holds the key of its node id. */
export const isProven = (signatures: Signatures, proof: Uint8Array, theirs: Hello, ours: Hello): boolean => {
  const key = keyOf(theirs.nodeId)
  return key !== undefined && signatures.verifySchnorr(proof, proven(theirs, ours), key)
}
