/** What two ends say first: which network they are of, who they are, what they can do. */
import * as Schema from "effect/Schema"
import { type Kind, kind } from "../Kind.ts"
import { Count, bytesUpTo, listUpTo, textUpTo } from "./Fields.ts"

export interface Handshake {
  /** The overlay: who is of another one has nothing to say here. */
  readonly network: string
  readonly version: number
  readonly nodeId: Uint8Array
  readonly agent: string
  /** What it does for others, by names that the overlay agrees on. */
  readonly roles: ReadonlyArray<string>
  readonly height: number
  /** Drawn for each handshake: who meets its own has dialled itself. */
  readonly nonce: Uint8Array
}

export const Handshake: Kind<Handshake> = kind(
  "handshake",
  Schema.Struct({
    network: textUpTo(64),
    version: Count,
    nodeId: bytesUpTo(64),
    agent: textUpTo(256),
    roles: listUpTo(textUpTo(32), 16),
    height: Count,
    nonce: bytesUpTo(32)
  }),
  { maxBytes: 2048 }
)
