/**
 * The seeds file: nodes that somebody has found before, one JSON object a line, as `satwire crawl` writes it and `Seeding` takes it.
 *
 * ```
 *   {"chain":"mainnet","network":"ipv4","address":"203.0.113.5","port":8333,"services":"0000000000000409","seen":1767225600}
 * ```
 *
 * What a line says besides is left to whoever reads it. Text in, values out: where the file lies and how it is read is `./effect`.
 */
import { type NodeAddress, formatHost, parseHost } from "@satwire/netaddress"
import { UnixSeconds } from "@satwire/machine"
import * as Result from "effect/Result"
import type { FixedSeed } from "./SeedingEvents.ts"

/**
 * All nodes that can be reached are some 20,000.
 *
 * @limit nodes of a seeds file
 */
export const MAX_SEEDS_IN_FILE = 100_000
/** A line with all that a crawl says of a node has some 400 characters. */
const MAX_LINE_LENGTH = 4096

/** A node of a seeds file. */
export interface KeptSeed extends FixedSeed {
  /** When it last answered. */
  readonly seen: UnixSeconds
}

/** The fields of a line. Names and meanings stay; new ones may join. */
export interface SeedLine {
  /** The network of coins, by the name of its `ChainParams`. */
  readonly chain: string
  /** How the address is reached: `ipv4`, `ipv6`, `torv3`, `i2p`, `cjdns`. */
  readonly network: string
  readonly address: string
  readonly port: number
  /** Sixteen hexadecimal digits, as in Core's `getpeerinfo`. */
  readonly services: string
  /** In seconds since 1970. */
  readonly seen: number
}

/** What is wrong with a seeds file, and where. */
export interface SeedsFileFault {
  /** Counted from 1. */
  readonly line: number
  /** What is wrong, as the end of a sentence. */
  readonly what: string
}

/** The line of a node, without its end. More fields may be given. */
export const seedLine = (chain: string, node: NodeAddress, services: bigint, seen: UnixSeconds): SeedLine => ({
  chain,
  network: node.network,
  address: formatHost(node),
  port: node.port,
  services: services.toString(16).padStart(16, "0"),
  seen
})

/** The nodes of a seeds file of this chain; or the first line that is wrong. Empty lines are passed over. */
export const parseSeedsFile = (text: string, chain: string): Result.Result<ReadonlyArray<KeptSeed>, SeedsFileFault> => {
  const seeds: Array<KeptSeed> = []
  let line = 0
  for (const written of text.split("\n")) {
    line++
    if (written.trim() === "") continue
    if (seeds.length === MAX_SEEDS_IN_FILE)
      return Result.fail({ line, what: `is one more than the ${MAX_SEEDS_IN_FILE} nodes that are taken` })
    const seed = parseLine(written, chain)
    if (typeof seed === "string") return Result.fail({ line, what: seed })
    seeds.push(seed)
  }
  return Result.succeed(seeds)
}

const parseLine = (written: string, chain: string): KeptSeed | string => {
  if (written.length > MAX_LINE_LENGTH) return `is longer than ${MAX_LINE_LENGTH} characters`
  const fields = parseObject(written)
  if (fields === undefined) return "is no JSON object"
  const { address, network, port, seen, services } = fields
  if (fields["chain"] !== chain) return `is of ${shown(fields["chain"])}, not of ${chain}`
  const host = typeof address === "string" ? parseHost(address) : undefined
  if (host === undefined) return `has the address ${shown(address)}, which is none`
  if (network !== host.network) return `has the network ${shown(network)} for an address of ${host.network}`
  if (!isWhole(port, 0xffff) || (port === 0 && network !== "i2p")) return `has the port ${shown(port)}, which is none`
  if (typeof services !== "string" || !/^[0-9a-f]{1,16}$/.test(services))
    return `has the services ${shown(services)}, which are not up to 16 hexadecimal digits`
  if (!isWhole(seen, 0xffff_ffff)) return `was seen at ${shown(seen)}, which is no time in seconds`
  return { ...host, port, services: BigInt(`0x${services}`), seen: UnixSeconds(seen) }
}

const parseObject = (written: string): { readonly [field: string]: unknown } | undefined => {
  try {
    const value: unknown = JSON.parse(written)
    return typeof value === "object" && value !== null ? (value as { readonly [field: string]: unknown }) : undefined
  } catch {
    return undefined
  }
}

const isWhole = (value: unknown, most: number): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most

/** What was written, as far as it fits into a sentence. */
const shown = (value: unknown): string => {
  if (value === undefined) return "nothing"
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
