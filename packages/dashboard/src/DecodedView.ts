/**
 * What a message says, as text by name, for people. It was a peer that wrote it: names and texts are cut, lists and depth are bounded, and
 * nothing of it is ever anything but text.
 */
import { Reader, decode, toHex as bytesToHex } from "@satwire/bytes"
import { platformSha256 } from "@satwire/crypto/node"
import { type NodeAddress, formatNode } from "@satwire/netaddress"
import { BlockView, HEADER_SIZE, TransactionView, headerHash, readHeader, toHex } from "@satwire/primitives"
import { type Headers, codecOf, decodeMessage, sanitizeUserAgent, serviceNames } from "@satwire/wire"
import * as Result from "effect/Result"
import type { MessageDetail, Shown } from "@satwire/dashboard-page"

/**
 * @limit values of one list of a message that a dashboard shows
 */
export const VALUES_SHOWN = 50
/**
 * @limit values of a whole message that a dashboard shows
 */
export const ALL_VALUES_SHOWN = 2000
/**
 * @limit bytes of a payload that a dashboard shows in hexadecimal
 */
export const HEX_BYTES_SHOWN = 1024
const TEXT_SHOWN = 256
const BYTES_SHOWN = 64
const DEEPEST = 8
const HASH_BYTES = 32

export const decodedView = (
  command: string,
  payload: Uint8Array | undefined
): Pick<MessageDetail, "decoded" | "hex" | "payloadBytes"> => {
  if (payload === undefined) return { decoded: null, hex: "", payloadBytes: 0 }
  const codec = codecOf(command)
  const decoded = codec === undefined ? undefined : decodeMessage(codec, new Reader(payload))
  return {
    decoded: decoded !== undefined && Result.isSuccess(decoded) ? new View().of(decoded.success.value) : null,
    hex: bytesToHex(payload.subarray(0, HEX_BYTES_SHOWN)),
    payloadBytes: payload.length
  }
}

/** One message, whose values are counted. */
class View {
  #left: number = ALL_VALUES_SHOWN

  of(message: { readonly _tag: string }): Shown {
    if (message._tag === "headers") return this.#headers(message as Headers)
    return this.#object(message, 0)
  }

  #value(name: string, value: unknown, depth: number): Shown {
    if (this.#left-- <= 0) return "…"
    if (typeof value === "bigint" && name === "services") return serviceNames(value).join(", ") || "none"
    if (value instanceof Uint8Array) return bytesShown(value)
    if (typeof value === "string") return sanitizeUserAgent(value.slice(0, TEXT_SHOWN))
    if (typeof value !== "object" || value === null) return String(value)
    if (depth > DEEPEST) return "…"
    if (value instanceof BlockView) return this.#block(value, depth)
    if (value instanceof TransactionView) return this.#transaction(value, depth)
    if (isNodeAddress(value)) return this.#address(value, depth)
    if (Symbol.iterator in value) return this.#list(value as Iterable<unknown>, depth)
    return this.#object(value, depth)
  }

  #object(value: object, depth: number): Shown {
    const fields = Object.entries(value).filter(([name, each]) => name !== "_tag" && each !== undefined)
    return Object.fromEntries(fields.map(([name, each]) => [name, this.#value(name, each, depth + 1)]))
  }

  #list(values: Iterable<unknown>, depth: number): Shown {
    const shown: Record<string, Shown> = {}
    let count = 0
    for (const value of values) {
      if (count < VALUES_SHOWN) shown[String(count)] = this.#value("", value, depth + 1)
      count++
    }
    if (count > VALUES_SHOWN) shown["…"] = `${count - VALUES_SHOWN} more`
    return count === 0 ? "none" : shown
  }

  #address(node: NodeAddress, depth: number): Shown {
    const { address: _, network, port, ...rest } = node
    const shown = this.#object(rest, depth)
    return {
      address: formatNode({ address: node.address, network, port }),
      ...(typeof shown === "string" ? {} : shown)
    }
  }

  #transaction(tx: TransactionView, depth: number): Shown {
    const shown = this.#object(tx.materialise(), depth)
    const ids = {
      txid: toHex(tx.txid(platformSha256)),
      wtxid: toHex(tx.wtxid(platformSha256)),
      weight: String(tx.weight)
    }
    return { ...ids, ...(typeof shown === "string" ? {} : shown) }
  }

  #block(block: BlockView, depth: number): Shown {
    const count = block.transactionCount
    const shown: Record<string, Shown> = {}
    for (let i = 0; i < Math.min(count, TRANSACTIONS_SHOWN); i++) {
      shown[String(i)] = this.#value("", block.transaction(i), depth + 1)
    }
    if (count > TRANSACTIONS_SHOWN) shown["…"] = `${count - TRANSACTIONS_SHOWN} more`
    return { hash: toHex(block.hash(platformSha256)), header: this.#object(block.header, depth), transactions: shown }
  }

  #headers({ count, headers }: Headers): Shown {
    const each = function* (): Generator<object> {
      for (let i = 0; i < count; i++) {
        const raw = headers.subarray(i * HEADER_SIZE, (i + 1) * HEADER_SIZE)
        const header = decode(raw, readHeader)
        if (i < VALUES_SHOWN && Result.isSuccess(header))
          yield { hash: headerHash(platformSha256, raw), ...header.success.value }
        else yield {}
      }
    }
    return { count: String(count), headers: this.#list(each(), 0) }
  }
}

const TRANSACTIONS_SHOWN = 5

const isNodeAddress = (value: object): value is NodeAddress =>
  "network" in value && "port" in value && "address" in value && value.address instanceof Uint8Array

/** 32 bytes are a hash, which people know from its last byte to its first. */
const bytesShown = (bytes: Uint8Array): string => {
  if (bytes.length === HASH_BYTES) return toHex(bytes)
  const shown = bytesToHex(bytes.subarray(0, BYTES_SHOWN))
  return bytes.length > BYTES_SHOWN ? `${shown}… (${bytes.length} bytes)` : shown
}
