/** Who may vote from a height on, and with what weight. */
import * as Schema from "effect/Schema"
import { type Kind, type Method, kind, method } from "../Kind.ts"
import { Count, Key, listUpTo } from "./Fields.ts"

/**
 * @limit validators of a set of an overlay
 */
export const MAX_VALIDATORS = 4096

export interface ValidatorSet {
  /** The first height at which it counts. */
  readonly height: number
  readonly validators: ReadonlyArray<{ readonly key: Uint8Array; readonly power: number }>
}

export const ValidatorSet: Kind<ValidatorSet> = kind(
  "validator-set",
  Schema.Struct({ height: Count, validators: listUpTo(Schema.Struct({ key: Key, power: Count }), MAX_VALIDATORS) }),
  { maxBytes: 524_288, signed: "required" }
)

/** Asks for the set that counts at a height. */
export const ValidatorSetMethod: Method<{ readonly height: number }, ValidatorSet> = method(
  "validator-set",
  kind("validator-set-request", Schema.Struct({ height: Count }), { maxBytes: 64 }),
  ValidatorSet
)
