/** What the codes of Node's socket errors (Deno gives the same) mean here. */
import { type CloseReason, type DialReason, type ListenReason, Reset, TimedOut } from "@satwire/transport"

/** The code of whatever a socket reported. */
export const codeOf = (thrown: unknown): string => {
  const code = typeof thrown === "object" && thrown !== null && "code" in thrown ? thrown.code : undefined
  return typeof code === "string" ? code : "UNKNOWN"
}

/** Its words, without a stack. */
export const wordsOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

const DIAL_REASONS: Partial<Record<string, DialReason>> = {
  ECONNREFUSED: "Refused",
  EHOSTUNREACH: "Unreachable",
  ENETUNREACH: "Unreachable",
  EHOSTDOWN: "Unreachable",
  ENETDOWN: "Unreachable",
  EADDRNOTAVAIL: "Unreachable",
  EAFNOSUPPORT: "Unreachable",
  ETIMEDOUT: "TimedOut",
  ENOTFOUND: "NameNotFound",
  EAI_AGAIN: "NameNotFound",
  EAI_FAIL: "NameNotFound",
  EAI_NODATA: "NameNotFound",
  EAI_NONAME: "NameNotFound",
  ECONNRESET: "Reset",
  ECONNABORTED: "Reset",
  EPIPE: "Reset"
}

export const dialReasonOf = (code: string): DialReason => own(DIAL_REASONS, code) ?? "Other"

const LISTEN_REASONS: Partial<Record<string, ListenReason>> = {
  EADDRINUSE: "AddressInUse",
  EADDRNOTAVAIL: "AddressNotAvailable",
  /** What Deno says for the same. */
  EINVAL: "AddressNotAvailable",
  EAFNOSUPPORT: "AddressNotAvailable",
  ENOTFOUND: "AddressNotAvailable",
  EAI_AGAIN: "AddressNotAvailable",
  EACCES: "PermissionDenied",
  EPERM: "PermissionDenied"
}

export const listenReasonOf = (code: string): ListenReason => own(LISTEN_REASONS, code) ?? "Other"

const DROPPED = new Set(["ECONNRESET", "ECONNABORTED", "EPIPE"])

/** Why a connection that stood is no more. */
export const closeReasonOf = (thrown: unknown): CloseReason => {
  const code = codeOf(thrown)
  if (DROPPED.has(code)) return Reset
  if (code === "ETIMEDOUT") return TimedOut
  return { _tag: "Failed", code, message: wordsOf(thrown) }
}

const own = <A>(table: Partial<Record<string, A>>, key: string): A | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined
