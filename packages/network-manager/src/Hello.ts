/** What two managers say to each other first. Nothing of it is proven, and everything is bounded. */
import { type Kind, type Method, kind, method } from "@satwire/overlay"
import * as Schema from "effect/Schema"
import { MAX_METADATA_ENTRIES, MAX_METADATA_LENGTH, MAX_NAME_LENGTH } from "./NetworkOptions.ts"

export interface Hello {
  readonly nodeId: string
  readonly metadata: Readonly<Record<string, string>>
}

const name = Schema.String.check(Schema.isMaxLength(MAX_NAME_LENGTH))
const value = Schema.String.check(Schema.isMaxLength(MAX_METADATA_LENGTH))
const few = Schema.makeFilter(
  (entries: Readonly<Record<string, string>>) =>
    Object.keys(entries).length <= MAX_METADATA_ENTRIES || `at most ${MAX_METADATA_ENTRIES} entries`
)

const HelloKind: Kind<Hello> = kind(
  "network-hello",
  Schema.Struct({ nodeId: name, metadata: Schema.Record(name, value).check(few) }),
  { maxBytes: 16_384 }
)

export const HelloMethod: Method<Hello, Hello> = method("network-hello", HelloKind, HelloKind)
