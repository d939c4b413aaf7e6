/** What a peer said of itself, as plain data for `--json` and as a table for people. */
import type { PeerInfo } from "@satwire/peer"
import { sanitizeUserAgent, serviceNames } from "@satwire/wire"
import { counted } from "../Numbers.ts"

/** The fields of `satwire peer --json`. Names and meanings stay; new ones may join. */
export interface PeerReport {
  /** Where it was reached, as `host:port`. */
  readonly address: string
  readonly network: string
  /** The protocol version that it speaks. */
  readonly version: number
  /** With everything left out that is no harmless ASCII. */
  readonly userAgent: string
  /** The service bits as 16 hexadecimal digits, as in Core's `getpeerinfo`. */
  readonly services: string
  readonly servicesNames: ReadonlyArray<string>
  /** The height of its best block. */
  readonly height: number
  /** Whether it wants transactions announced. */
  readonly relay: boolean
  /** What it asked for or said that it understands, by the names of the messages: `wtxidrelay`, `addrv2`, `sendheaders` … */
  readonly features: ReadonlyArray<string>
  /** `v1`, or `v2` for the encrypted one. */
  readonly transport: string
  /** Its clock minus ours. */
  readonly clockOffsetSeconds: number
  /** The round trip of one ping; `null` for a peer that is too old to answer one. */
  readonly pingMs: number | null
}

/** `said` are the commands that came after the handshake. */
export const peerReport = (
  where: Pick<PeerReport, "address" | "network">,
  info: PeerInfo,
  said: Iterable<string>,
  pingMs: number | undefined
): PeerReport => ({
  address: where.address,
  network: where.network,
  version: info.protocolVersion,
  userAgent: sanitizeUserAgent(info.userAgent),
  services: info.services.toString(16).padStart(16, "0"),
  servicesNames: serviceNames(info.services),
  height: info.startHeight,
  relay: info.relay,
  features: [
    ...(info.wtxidRelay ? ["wtxidrelay"] : []),
    ...(info.addrV2 ? ["addrv2"] : []),
    ...FEATURE_MESSAGES.filter((command) => [...said].includes(command))
  ],
  transport: info.transport,
  clockOffsetSeconds: info.timeOffsetSeconds,
  pingMs: pingMs === undefined ? null : Math.round(pingMs * 1000) / 1000
})

/** Messages by which a peer asks for something once and for all. */
const FEATURE_MESSAGES = ["sendheaders", "sendcmpct", "feefilter", "sendtxrcncl", "sendpackages"]

/** One line for each field. */
export const peerTable = (report: PeerReport): string => {
  const rows: ReadonlyArray<readonly [name: string, value: string]> = [
    ["address", `${report.address} (${report.network})`],
    ["version", String(report.version)],
    ["user agent", report.userAgent || "none"],
    ["services", namesOr(report.servicesNames, "none")],
    ["height", counted(report.height)],
    ["transactions", report.relay ? "wants them announced" : "does not want them announced"],
    ["features", namesOr(report.features, "none")],
    ["transport", report.transport === "v2" ? "v2, encrypted" : "v1, not encrypted"],
    ["clock", clock(report.clockOffsetSeconds)],
    ["ping", report.pingMs === null ? "not answered by so old a version" : `${report.pingMs.toFixed(1)} ms`]
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n")
}

const namesOr = (names: ReadonlyArray<string>, none: string): string => (names.length === 0 ? none : names.join(", "))

const clock = (offset: number): string =>
  offset === 0 ? "as ours" : `${counted(Math.abs(offset), "second")} ${offset > 0 ? "ahead of" : "behind"} ours`
