/** How `satwire rpc` fails by itself. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

interface RpcAnsweredErrorFields {
  /** The error's code without its sign; a system keeps eight bits of it. */
  readonly exitCode: number
  /** All that is printed. */
  readonly message: string
}

const RpcAnsweredErrorBase: new (
  fields: RpcAnsweredErrorFields
) => Cause.YieldableError & { readonly _tag: "RpcAnsweredError" } & RpcAnsweredErrorFields =
  Data.TaggedError("RpcAnsweredError")

/** A node answered with an error, which is said and ended with as `bitcoin-cli` does. */
export class RpcAnsweredError extends RpcAnsweredErrorBase {}

interface NoCredentialsFields {
  readonly message: string
  /** Whether the file may still come, with the node. */
  readonly isMissing: boolean
}
const NoCredentialsBase: new (
  fields: NoCredentialsFields
) => Cause.YieldableError & { readonly _tag: "NoCredentials" } & NoCredentialsFields = Data.TaggedError("NoCredentials")

/** There is no file with a password that can be read, and none was given. */
export class NoCredentials extends NoCredentialsBase {}
