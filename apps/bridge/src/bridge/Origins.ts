/**
 * Which pages may use the bridge. Every browser names the origin of the page that asks; a program that is no browser names none, or any it
 * likes. So the list protects the bridge from pages that it was not set up for, and from nothing else.
 */

/** An entry that lets every page in. */
export const ANY_ORIGIN = "*"
/** An entry that lets in who names no origin: a program. */
export const NO_ORIGIN = "none"

/** The entry that `text` writes, in the form in which browsers write origins; `undefined` where it is none. */
export const parseOrigin = (text: string): string | undefined => {
  if (text === ANY_ORIGIN || text === NO_ORIGIN) return text
  const isBare = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+$/i.test(text)
  const { origin } = isBare && URL.canParse(text) ? new URL(text) : { origin: "null" }
  // Of an unknown scheme (an extension of a browser) the origin is what stands there.
  if (origin === "null") return isBare && URL.canParse(text) ? text.toLowerCase() : undefined
  return origin
}

export class Origins {
  readonly #entries: ReadonlySet<string>

  constructor(entries: ReadonlyArray<string>) {
    this.#entries = new Set(entries)
  }

  allows(origin: string | undefined): boolean {
    if (origin === undefined) return this.#entries.has(NO_ORIGIN)
    return this.#entries.has(ANY_ORIGIN) || this.#entries.has(origin.toLowerCase())
  }
}
