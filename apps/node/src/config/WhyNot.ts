/** Why a file could not be had, in words for the one who asked for it. */
import type { PlatformError } from "effect/PlatformError"

const WORDS: Readonly<Record<string, string>> = {
  EACCES: "this user has not the right to",
  EPERM: "this user has not the right to",
  EISDIR: "it is a directory",
  ENOENT: "there is no such directory",
  ENOSPC: "the disk is full",
  EROFS: "the disk can only be read"
}

/** The system's own word for what went wrong. */
export const codeOf = ({ reason }: PlatformError): string => {
  const { cause } = reason
  return cause instanceof Error && "code" in cause ? String(cause.code) : reason._tag
}

export const whyNot = (error: PlatformError): string => WORDS[codeOf(error)] ?? codeOf(error)
