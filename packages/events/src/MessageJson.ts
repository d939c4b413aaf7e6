/**
 * Any message of the wire as JSON can say it, for people to look at. Runs in a browser.
 *
 * It knows no message: it walks what is there. Specification: hashes are hexadecimal as people read them (reversed), other bytes hexadecimal as
 * they are, services are named, any other bigint is a text of digits, a stranger's text is harmless ASCII. Lists show their first {@link SHOWN_ITEMS} and
 * their count, bytes their first {@link SHOWN_BYTES}. A transaction has its ids and sizes beside what stands in it, a block its hash, sizes and
 * txids. Rationale: a block in full is megabytes, and nobody reads them.
 */
import { Reader, toHex as plainHex } from "@satwire/bytes"
import { type Sha256, portableSha256 } from "@satwire/crypto"
import { type NetAddr, formatHost, hasRightLength, ipv4Of } from "@satwire/netaddress"
import { BlockView, HEADER_SIZE, TransactionView, headerHash, readHeader, toHex } from "@satwire/primitives"
import {
  HashList,
  Inventory,
  MSG_ANCPKGINFO,
  MSG_BLOCK,
  MSG_CMPCT_BLOCK,
  MSG_FILTERED_BLOCK,
  MSG_PKGTXNS,
  MSG_TX,
  MSG_WITNESS_BLOCK,
  MSG_WITNESS_TX,
  MSG_WTX,
  type Message,
  commands,
  decodePayload,
  sanitize,
  serviceNames
} from "@satwire/wire"
import * as Result from "effect/Result"
import type { Json } from "./Event.ts"

/**
 * @limit items of a list that are shown of a decoded message
 */
export const SHOWN_ITEMS = 50
/**
 * @limit bytes of a field that are shown of a decoded message
 */
export const SHOWN_BYTES = 256
/**
 * @limit values that are shown of a decoded message; the rest is cut off
 */
export const SHOWN_VALUES = 2000
const DEPTH = 8
const HASH_SIZE = 32

/** What a message says. Its `_tag` is left out: it is the command. */
export const messageJson = (message: Message, sha256: Sha256 = portableSha256): Json => {
  const walk = new Walk(sha256)
  // Raw headers are the one thing that does not say what it is.
  if (message._tag === "headers") return walk.headers(message.headers, message.count)
  const { _tag, ...fields } = message
  return walk.object(fields, DEPTH)
}

const COMMANDS: ReadonlySet<string> = new Set(commands)
const isCommand = (label: string): label is Message["_tag"] => COMMANDS.has(label)

/** What a payload says; `undefined` where it does not decode, or the command is none. */
export const payloadJson = (
  command: string,
  payload: Uint8Array,
  sha256: Sha256 = portableSha256
): Json | undefined => {
  if (!isCommand(command)) return undefined
  const decoded = decodePayload(command, payload)
  return Result.isSuccess(decoded) ? messageJson(decoded.success.value, sha256) : undefined
}

/** By the names of the BIPs. */
const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [MSG_TX, "MSG_TX"],
  [MSG_BLOCK, "MSG_BLOCK"],
  [MSG_FILTERED_BLOCK, "MSG_FILTERED_BLOCK"],
  [MSG_CMPCT_BLOCK, "MSG_CMPCT_BLOCK"],
  [MSG_WTX, "MSG_WTX"],
  [MSG_PKGTXNS, "MSG_PKGTXNS"],
  [MSG_ANCPKGINFO, "MSG_ANCPKGINFO"],
  [MSG_WITNESS_TX, "MSG_WITNESS_TX"],
  [MSG_WITNESS_BLOCK, "MSG_WITNESS_BLOCK"]
])

const typeName = (type: number): string => TYPE_NAMES.get(type) ?? String(type)

/** Fields whose 32 bytes are a hash, by the words that the wire has for them. */
const HASH_NAME = /hash|hashes|txid|wtxid|locator|root|previous|filterheader/i

const cut = (of: number): Json => `… ${of} in all`

class Walk {
  readonly #sha256: Sha256
  #left = SHOWN_VALUES

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  object(value: object, depth: number): Json {
    const shown: Record<string, Json> = {}
    for (const [name, field] of Object.entries(value)) {
      if (field === undefined || typeof field === "function") continue
      shown[name] = this.#value(name, field, depth)
    }
    return shown
  }

  headers(raw: Uint8Array, count: number): Json {
    return this.#list(count, (i) => this.#header(raw.subarray(HEADER_SIZE * i, HEADER_SIZE * (i + 1))))
  }

  #value(name: string, value: unknown, depth: number): Json {
    this.#left -= 1
    switch (typeof value) {
      case "string":
        return sanitize(value)
      case "bigint":
        return name === "services" ? serviceNames(value) : String(value)
      case "boolean":
        return value
      case "number":
        return Number.isFinite(value) ? value : String(value)
      default:
        return value === null || typeof value !== "object" ? null : this.#compound(name, value, depth)
    }
  }

  #compound(name: string, value: object, depth: number): Json {
    if (value instanceof Uint8Array) return bytesJson(name, value)
    if (value instanceof HashList) return this.#list(value.count, (i) => toHex(value.at(i)))
    if (value instanceof Inventory) {
      return this.#list(value.count, (i) => ({ type: typeName(value.typeAt(i)), hash: toHex(value.hashAt(i)) }))
    }
    if (value instanceof BlockView) return this.#block(value)
    if (value instanceof TransactionView) return this.#transaction(value, depth)
    if (depth === 0) return "…"
    const list = Array.isArray(value)
      ? value
      : ArrayBuffer.isView(value) && "length" in value
        ? Array.from(value as Uint32Array)
        : undefined
    if (list !== undefined) return this.#list(list.length, (i) => this.#value(name, list[i], depth - 1))
    const host = hostOf(value)
    const shown = this.object(value, depth - 1)
    return host === undefined ? shown : { ...(shown as object), ...host }
  }

  /** All of a short list; of a long one the beginning and how many there are. */
  #list(count: number, item: (i: number) => Json): Json {
    const shown: Array<Json> = []
    for (let i = 0; i < count && i < SHOWN_ITEMS && this.#left > 0; i++) {
      this.#left -= 1
      shown.push(item(i))
    }
    if (shown.length < count) shown.push(cut(count))
    return shown
  }

  #header(raw: Uint8Array): Json {
    const { merkleRoot, previousBlock, ...header } = readHeader(new Reader(raw))
    const hash = toHex(headerHash(this.#sha256, raw))
    return { hash, previousBlock: toHex(previousBlock), merkleRoot: toHex(merkleRoot), ...header }
  }

  #block(block: BlockView): Json {
    const { bytes, rawHeader, strippedSize, transactionCount, weight } = block
    const txids = this.#list(transactionCount, (i) => toHex(block.transaction(i).txid(this.#sha256)))
    return { header: this.#header(rawHeader), transactionCount, sizeBytes: bytes.length, strippedSize, weight, txids }
  }

  #transaction(tx: TransactionView, depth: number): Json {
    const { bytes, hasWitness, weight } = tx
    const txid = toHex(tx.txid(this.#sha256))
    const wtxid = toHex(tx.wtxid(this.#sha256))
    const fields = depth === 0 ? {} : (this.object(tx.materialise(), depth - 1) as object)
    return { txid, wtxid, hasWitness, sizeBytes: bytes.length, weight, ...fields }
  }
}

const bytesJson = (name: string, bytes: Uint8Array): Json => {
  if (bytes.length === HASH_SIZE && HASH_NAME.test(name)) return toHex(bytes)
  return bytes.length <= SHOWN_BYTES
    ? plainHex(bytes)
    : `${plainHex(bytes.subarray(0, SHOWN_BYTES))}… ${bytes.length} bytes in all`
}

/** An address as people write it, in place of its bytes. */
const hostOf = (value: object): { readonly [name: string]: Json } | undefined => {
  if ("ip" in value && value.ip instanceof Uint8Array && value.ip.length === 16) {
    const ipv4 = ipv4Of(value.ip)
    const host: NetAddr =
      ipv4 === undefined ? { network: "ipv6", address: value.ip } : { network: "ipv4", address: ipv4 }
    return { ip: formatHost(host) }
  }
  if ("network" in value && "address" in value && value.address instanceof Uint8Array) {
    const host = value as NetAddr
    return hasRightLength(host) ? { address: formatHost(host) } : undefined
  }
  return undefined
}
