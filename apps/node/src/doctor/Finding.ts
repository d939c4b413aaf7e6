/** What the doctor found about one thing: how it is, and what to do where it is not well. */

export interface Finding {
  /** What was looked at, in a word: the troubleshooting page has a section of this name. */
  readonly check: "Clock" | "Disk" | "Ports" | "DNS seeds" | "Reachability" | "Handshakes" | "Headers"
  /** `unknown` where it could not be looked at. */
  readonly state: "well" | "unwell" | "unsure" | "unknown"
  /** One sentence. */
  readonly text: string
  /** One sentence, where there is something to do. */
  readonly advice?: string | undefined
}

const SIGNS: { readonly [State in Finding["state"]]: string } = {
  well: "ok     ",
  unwell: "PROBLEM",
  unsure: "note   ",
  unknown: "skipped"
}

/** As lines for a person. */
export const findingLines = ({ advice, check, state, text }: Finding): ReadonlyArray<string> => [
  `${SIGNS[state]}  ${check.padEnd(13)} ${text}`,
  ...(advice === undefined ? [] : [`${" ".repeat(23)} → ${advice}`])
]

/** Where more is written about it. */
export const TROUBLESHOOTING = "docs/troubleshooting.md"
