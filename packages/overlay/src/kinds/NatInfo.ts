/** What a peer sees of us and tells of itself about address translation: told and not believed. */
import * as Schema from "effect/Schema"
import { type Kind, kind } from "../Kind.ts"
import { Addresses, textUpTo } from "./Fields.ts"

export interface NatInfo {
  /** Under which address it sees us. */
  readonly observed: string
  readonly reachability: "public" | "private" | "unknown"
  /** Where it says that it can be reached. */
  readonly listening: ReadonlyArray<string>
}

export const NatInfo: Kind<NatInfo> = kind(
  "nat-info",
  Schema.Struct({
    observed: textUpTo(256),
    reachability: Schema.Literals(["public", "private", "unknown"]),
    listening: Addresses
  }),
  { maxBytes: 8192 }
)
