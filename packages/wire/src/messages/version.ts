import type { Reader } from "@satwire/bytes"
import { type Codec, defineCodec } from "../Codec.ts"
import { NET_ADDRESS_SIZE, NO_ADDRESS, type NetAddress, readNetAddress, writeNetAddress } from "../NetAddress.ts"
import { MAX_SUBVERSION_LENGTH, readUserAgent, userAgentSize, writeUserAgent } from "../UserAgent.ts"

/** The first message of either side: what it speaks, who it is and what it offers. */
export interface Version {
  readonly _tag: "version"
  readonly protocolVersion: number
  /** Service bits: see `serviceNames`. */
  readonly services: bigint
  /** The sender's clock in seconds since 1970, over the whole of its 64 signed bits. */
  readonly time: bigint
  /** The address at which the sender sees the receiver. */
  readonly receiver: NetAddress
  /** Long unused: Core writes zeros. */
  readonly sender: NetAddress
  /** Drawn anew for each connection, so that a node knows when it met itself. */
  readonly nonce: bigint
  /** One character for each byte that was sent. Sanitize it before showing it. */
  readonly userAgent: string
  /** The height of the sender's chain, as it claims. */
  readonly startHeight: number
  /** Whether the sender wants to be told of transactions (BIP-0037). */
  readonly relay: boolean
}

const FIXED_SIZE = 20 + 2 * NET_ADDRESS_SIZE + 8 + 5
const MAX_USER_AGENT_SIZE = 3 + MAX_SUBVERSION_LENGTH

/**
 * What follows the receiver's address may be missing from any of four places on, as Core reads it (28.1 `net_processing.cpp`,
 * `NetMsgType::VERSION`). Written, it is always whole.
 */
const decode = (r: Reader): Version => {
  const protocolVersion = r.i32("protocol version")
  const services = r.u64("services")
  const time = r.i64("time")
  const receiver = readNetAddress(r)
  const hasSender = r.left > 0
  const sender = hasSender ? readNetAddress(r) : NO_ADDRESS
  const nonce = hasSender ? r.u64("nonce") : 0n
  const userAgent = r.left > 0 ? readUserAgent(r) : ""
  const startHeight = r.left > 0 ? r.i32("start height") : -1
  const relay = r.left > 0 ? r.bool("relay") : true
  return { _tag: "version", protocolVersion, services, time, receiver, sender, nonce, userAgent, startHeight, relay }
}

export const version: Codec<Version> = defineCodec<Version>({
  command: "version",
  spec: "Bitcoin Core 28.1",
  maxSize: FIXED_SIZE + MAX_USER_AGENT_SIZE,
  // Core reads a longer user agent with `LIMITED_STRING`, which throws, and what throws is dropped.
  overLimit: "ignore",
  size: (m) => FIXED_SIZE + userAgentSize(m.userAgent),
  encode(w, m) {
    w.i32(m.protocolVersion)
    w.u64(m.services)
    w.i64(m.time)
    writeNetAddress(w, m.receiver)
    writeNetAddress(w, m.sender)
    w.u64(m.nonce)
    writeUserAgent(w, m.userAgent)
    w.i32(m.startHeight)
    w.bool(m.relay)
  },
  decode
})
