/** A small table of methods, and a way to send texts to it. */
import * as Effect from "effect/Effect"
import {
  type DispatchOptions,
  type Json,
  amount,
  defaulted,
  dispatcher,
  kind,
  method,
  methodTable,
  optional,
  parseJson,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import * as Result from "effect/Result"

const everything = [
  required("first", kind.integer, "A number"),
  defaulted("second", kind.string, "two", "A word", { aliases: ["zweites"] }),
  optional("third", kind.boolean, "A choice"),
  optional("options", kind.namedOptions([optional("fee", kind.amount, "A fee"), optional("deep", kind.json, "")]), "")
] as const

export const methods = [
  method({
    name: "tell",
    category: "util",
    about: "Tells what it was given.",
    params: everything,
    result: result.any("All of it"),
    examples: [[1, "it's"], [1, "", "a(b)#c"], { first: 1, second: "b" }],
    run: ({ first, second, third, options }) =>
      Effect.succeed({ first, second, third, fee: options?.fee, deep: options?.deep })
  }),
  method({
    name: "getbalance",
    category: "util",
    about: "A sum.",
    params: [],
    result: result.object("", { sum: result.amount("The sum"), big: result.number("More than 2^53") }),
    run: () => Effect.succeed({ sum: amount(2_099_999_999_999_999n), big: 18_446_744_073_709_551_615n })
  }),
  method({
    name: "fail",
    category: "hidden",
    about: "Fails.",
    params: [],
    result: result.none(),
    run: () => Effect.fail(rpcError("INVALID_ADDRESS_OR_KEY", "Block not found"))
  }),
  method({
    name: "bug",
    category: "hidden",
    about: "Is wrong.",
    params: [],
    result: result.none(),
    run: () => Effect.die(new Error("a secret of ours"))
  }),
  method({
    name: "stop",
    category: "control",
    about: "Can be called at any time.",
    params: [],
    result: result.string(""),
    duringWarmup: true,
    run: () => Effect.succeed("stopping")
  }),
  method({
    name: "lookup",
    category: "blockchain",
    about: "Takes what people write of the chain.",
    params: [
      required("hash", kind.hash, "A hash"),
      optional("list", kind.arrayOf(required("item", kind.amount, "One amount")), "Some amounts"),
      optional("raw", kind.hex, "Bytes"),
      optional("mode", kind.oneOf(["a", "b"]), "A mode")
    ],
    result: result.string(""),
    run: ({ hash, list }) => Effect.succeed(`${hash[0]} ${list?.join(" ") ?? ""}`)
  })
] as const

export interface Told {
  readonly status: number
  readonly body: Json
}

/** What a table of these methods answers to a text. */
export const ask = async (request: Json | undefined, text?: string, options?: DispatchOptions): Promise<Told> => {
  const answer = dispatcher(methodTable(methods), options)
  const body = new TextEncoder().encode(text ?? JSON.stringify(request))
  const reply = await Effect.runPromise(answer(body))
  return { status: reply.status, body: reply.body === "" ? null : Result.getOrThrow(parseJson(reply.body.trimEnd())) }
}
