/** Asks for one block by its hash or by its height. */
import * as Schema from "effect/Schema"
import { type Kind, type Method, kind, method } from "../Kind.ts"
import { Block } from "./Block.ts"
import { Count, Hash } from "./Fields.ts"

export type BlockRequest = { readonly hash: Uint8Array } | { readonly height: number }

export const BlockRequest: Kind<BlockRequest> = kind(
  "block-request",
  Schema.Union([Schema.Struct({ hash: Hash }), Schema.Struct({ height: Count })]),
  { maxBytes: 128 }
)

export const BlockMethod: Method<BlockRequest, Block> = method("block", BlockRequest, Block)
