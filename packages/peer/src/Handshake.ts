/**
 * The version handshake as a table: what each message does in each mode. What a row does not name falls to its `otherwise`. The
 * diagram in the README is drawn from it.
 *
 * Source: Bitcoin Core 28.1 `net_processing.cpp` (`ProcessMessage`), BIP-0031, BIP-0130, BIP-0152, BIP-0155, BIP-0339, BIP-0434.
 */
import type { Message } from "@satwire/wire"
import { DEFAULT_PEER_CONNECT_TIMEOUT_MS, TIMEOUT_INTERVAL_MS } from "./Timeouts.ts"

export type ModeTag = "AwaitingVersion" | "AwaitingVerack" | "Ready"

export type Action =
  /** Read their `version`; answer ours (inbound), our features and `verack`; go to AwaitingVerack. */
  | "acceptVersion"
  /** Go to Ready. */
  | "becomeReady"
  /** They announce and request transactions by wtxid (BIP-0339). */
  | "noteWtxidRelay"
  /** They understand `addrv2` (BIP-0155). */
  | "noteAddrV2"
  /** They would reconcile sets of transactions (BIP-0330); end the connection where that contradicts what was said. */
  | "noteReconciliation"
  /** They understand something by name (BIP-0434); end the connection where both speak an older version than that. */
  | "noteFeature"
  /** Core takes it in before `verack` already: keep the last of its kind and deliver it once we are ready. */
  | "keepForReady"
  /** End the connection: the message had its place before `verack`. */
  | "refuseLate"
  /** The same, where we speak of reconciliation at all. */
  | "refuseLateReconciliation"
  | "answerPing"
  | "takePong"
  /** Hand the message to the managers that care. */
  | "deliver"
  | "ignore"

export type Row = { readonly [Command in Message["_tag"]]?: Action } & { readonly otherwise: Action }

export const HANDSHAKE: { readonly [Mode in ModeTag]: Row } = {
  AwaitingVersion: {
    version: "acceptVersion",
    otherwise: "ignore"
  },
  AwaitingVerack: {
    verack: "becomeReady",
    wtxidrelay: "noteWtxidRelay",
    sendaddrv2: "noteAddrV2",
    sendtxrcncl: "noteReconciliation",
    feature: "noteFeature",
    sendheaders: "keepForReady",
    sendcmpct: "keepForReady",
    otherwise: "ignore"
  },
  Ready: {
    version: "ignore",
    verack: "ignore",
    wtxidrelay: "refuseLate",
    sendaddrv2: "refuseLate",
    feature: "refuseLate",
    sendtxrcncl: "refuseLateReconciliation",
    ping: "answerPing",
    pong: "takePong",
    otherwise: "deliver"
  }
}

/** What a message does in a mode. */
export const actionFor = (mode: ModeTag, command: Message["_tag"]): Action => {
  const row: Row = HANDSHAKE[mode]
  return row[command] ?? row.otherwise
}

/** Where an action leads; every other one stays in its mode. */
const NEXT: { readonly [A in Action]?: ModeTag } = { acceptVersion: "AwaitingVerack", becomeReady: "Ready" }
/** When an action ends the connection. */
const ENDS: { readonly [A in Action]?: string } = {
  acceptVersion: "too old, our own, without the services we want, or a feeler's",
  noteReconciliation: "contradicts itself",
  noteFeature: "below version 70017",
  refuseLate: "too late",
  refuseLateReconciliation: "too late, if we offer it"
}

const HALF_DONE = `${DEFAULT_PEER_CONNECT_TIMEOUT_MS / 1000} s after it was opened`
const SILENCE = `${TIMEOUT_INTERVAL_MS / 60_000} min without a pong, or of silence`

/** The table as a diagram in Mermaid's language, for the README. */
export const handshakeDiagram = (): string => {
  const lines = ["stateDiagram-v2", "  [*] --> AwaitingVersion"]
  for (const mode of Object.keys(HANDSHAKE) as ReadonlyArray<ModeTag>) {
    for (const [command, action] of Object.entries(HANDSHAKE[mode]) as ReadonlyArray<[string, Action]>) {
      const label = `${command === "otherwise" ? "anything else" : command} / ${action}`
      if (action !== "refuseLate") lines.push(`  ${mode} --> ${NEXT[action] ?? mode}: ${label}`)
      if (ENDS[action] !== undefined) lines.push(`  ${mode} --> [*]: ${label} (${ENDS[action]})`)
    }
    lines.push(`  ${mode} --> [*]: ${mode === "Ready" ? SILENCE : HALF_DONE}`)
  }
  return lines.join("\n")
}
