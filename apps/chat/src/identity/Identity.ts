/**
 * Who we are from one run to the next: the key that signs what we say, and that of the libp2p node by which peers find us again. One file that
 * nobody else may read.
 */
import { fromHex, toHex } from "@satwire/bytes"
import { type SchnorrKey, makeSchnorrKey, schnorrKey } from "@satwire/crypto"
import { seededRandom } from "@satwire/runtime"
import { makePrivateKey } from "@satwire/transport-libp2p"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ConfigError } from "@satwire/command-line"

export interface Identity {
  readonly key: SchnorrKey
  /** As `makePrivateKey` of `@satwire/transport-libp2p` gives it. */
  readonly peerKey: Uint8Array
}

const FILE = "identity.json"
const Stored = Schema.Struct({ version: Schema.Literal(1), key: Schema.String, peerKey: Schema.String })
const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Stored))

/** A new one, which is nobody's before. */
export const makeIdentity: Effect.Effect<Identity> = Effect.gen(function* () {
  return { key: makeSchnorrKey(yield* seededRandom), peerKey: yield* makePrivateKey }
})

/** That of a folder, which is made where there is none. */
export const loadIdentity = (folder: string): Effect.Effect<Identity, ConfigError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = (yield* Path.Path).join(folder, FILE)
    const failed = (what: string) => (error: PlatformError) =>
      new ConfigError({ message: `${path} cannot be ${what}: ${error.reason._tag}` })
    if (!(yield* Effect.mapError(files.exists(path), failed("read")))) {
      const secret = yield* Effect.map(seededRandom, (random) => secretOf(random.bytes.bind(random)))
      const peerKey = yield* makePrivateKey
      const text = JSON.stringify({ version: 1, key: toHex(secret.bytes), peerKey: toHex(peerKey) })
      yield* Effect.mapError(files.makeDirectory(folder, { recursive: true, mode: 0o700 }), failed("made"))
      yield* Effect.mapError(files.writeFileString(path, `${text}\n`, { flag: "wx", mode: 0o600 }), failed("written"))
      return { key: secret.key, peerKey }
    }
    const { mode } = yield* Effect.mapError(files.stat(path), failed("read"))
    if ((mode & 0o077) !== 0) {
      return yield* new ConfigError({ message: `others may read the key in ${path}: chmod 600 it` })
    }
    const text = yield* Effect.mapError(files.readFileString(path), failed("read"))
    const stored = Result.getOrUndefined(decode(text))
    const key = stored === undefined ? undefined : keyOf(stored.key)
    const peerKey = stored === undefined ? undefined : fromHex(stored.peerKey)
    if (key === undefined || peerKey === undefined) {
      return yield* new ConfigError({ message: `${path} holds no identity` })
    }
    return { key, peerKey }
  })

const SECRET_BYTES = 32

const keyOf = (hex: string): SchnorrKey | undefined => {
  const secret = fromHex(hex)
  return secret?.length === SECRET_BYTES ? schnorrKey(secret) : undefined
}

/** Almost any 32 bytes are a key. */
const secretOf = (draw: (length: number) => Uint8Array): { readonly bytes: Uint8Array; readonly key: SchnorrKey } => {
  for (;;) {
    const bytes = draw(SECRET_BYTES)
    const key = schnorrKey(bytes)
    if (key !== undefined) return { bytes, key }
  }
}
