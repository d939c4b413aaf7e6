/** Who may ask: a name and a password, or the hash of one as `-rpcauth` gives it. Compared in time that tells nothing of where they differ. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto"

export type Credential =
  | { readonly user: string; readonly password: string }
  /** `hash` is HMAC-SHA256 of the password under `salt`, as Core's `share/rpcauth` prints it. */
  | { readonly user: string; readonly salt: string; readonly hash: string }

const digest = (text: string): Uint8Array => createHash("sha256").update(text).digest()

const equal = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))

const SCHEME = /^Basic +(\S+) *$/i

/**
 * The same for one header after another, which is mostly the one before. What was right last is compared whole, in memory of one length, so that
 * how long that takes tells nothing of it either (measured: a tenth of a short call, of which digests were the most).
 */
export class Authorizations {
  readonly #credentials: ReadonlyArray<Credential>
  readonly #right: Uint8Array = new Uint8Array(KEPT_BYTES)
  readonly #asked: Buffer = Buffer.alloc(KEPT_BYTES)
  #user: string | undefined = undefined

  constructor(credentials: ReadonlyArray<Credential>) {
    this.#credentials = credentials
  }

  userOf(header: string): string | undefined {
    const isShort = 2 * header.length < KEPT_BYTES
    if (isShort) {
      this.#asked.fill(0).write(header, "utf16le")
      if (this.#user !== undefined && timingSafeEqual(this.#asked, this.#right)) return this.#user
    }
    const user = userOf(header, this.#credentials)
    if (user !== undefined && isShort) {
      this.#right.set(this.#asked)
      this.#user = user
    }
    return user
  }
}

/** The header of a cookie has 106 characters of two bytes. */
const KEPT_BYTES = 512

/** The user of an `Authorization` header, if one of these credentials is in it. All of them are looked at, whichever fits. */
export const userOf = (header: string, credentials: ReadonlyArray<Credential>): string | undefined => {
  const encoded = SCHEME.exec(header)?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, "base64").toString("utf8")
  const colon = text.indexOf(":")
  if (colon === -1) return undefined
  const user = text.slice(0, colon)
  const password = text.slice(colon + 1)
  let found: string | undefined
  for (const credential of credentials) {
    const isUser = equal(credential.user, user)
    const isPassword =
      "password" in credential
        ? equal(credential.password, password)
        : equal(credential.hash.toLowerCase(), createHmac("sha256", credential.salt).update(password).digest("hex"))
    if (isUser && isPassword) found = credential.user
  }
  return found
}
