/** Calls that wait until the chain is as they say. */
import { equals } from "@satwire/bytes"
import {
  type JsonObject,
  type Method,
  defaulted,
  kind,
  method,
  optional,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import type { HeaderDetails } from "@satwire/node-core"
import { toHex } from "@satwire/primitives"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type NodeContext, type NodeContextShape, withNode } from "../NodeContext.ts"

/** What is told where the end of the chain, or of the pool, is another. */
const MOVES: ReadonlySet<string> = new Set(["BlockTipChanged", "TipChanged"])

/** Waits until the end of the followed chain is as wanted, or so long; gives what it is then. With 0 it waits for ever. */
export const tipOnce = (
  { node }: NodeContextShape,
  isWanted: (tip: HeaderDetails) => boolean,
  timeoutMs: number
): Effect.Effect<HeaderDetails> => {
  const look = node.lookup("tip")
  // Facts tell that something moved, and state is looked up: so nothing is missed before the first of them is heard.
  const seen = Stream.merge(
    Stream.fromEffect(look),
    node.facts.pipe(
      Stream.filter(({ _tag }) => MOVES.has(_tag)),
      Stream.mapEffect(() => look)
    )
  )
  const found = Stream.runHead(Stream.filter(seen, isWanted))
  const bounded = timeoutMs === 0 ? found : Effect.map(Effect.timeoutOption(found, timeoutMs), Option.flatten)
  return Effect.flatMap(bounded, Option.match({ onNone: () => look, onSome: Effect.succeed }))
}

const tipJson = ({ hash, height }: HeaderDetails): JsonObject => ({ hash: toHex(hash), height })

const TIP = result.object("", { hash: result.hex("The block hash"), height: result.number("Its height") })
const timeout = defaulted("timeout", kind.integer, 0, "Milliseconds until it answers in any case; never with 0")

const waitingFor = (
  context: NodeContextShape,
  timeoutMs: number,
  isWanted: (tip: HeaderDetails) => boolean
): Effect.Effect<JsonObject, ReturnType<typeof rpcError>> =>
  timeoutMs < 0
    ? Effect.fail(rpcError("MISC_ERROR", "Negative timeout"))
    : Effect.map(tipOnce(context, isWanted, timeoutMs), tipJson)

const waitfornewblock = method({
  name: "waitfornewblock",
  category: "blockchain",
  about: "Waits until the followed chain has another end, and returns it.",
  params: [timeout, optional("current_tip", kind.hash, "What it is to differ from", { default: "what it is now" })],
  result: TIP,
  examples: [[1000]],
  waits: true,
  run: ({ current_tip, timeout }) =>
    withNode((context) =>
      Effect.flatMap(context.node.lookup("tip"), (tip) => {
        const before = current_tip ?? tip.hash
        return waitingFor(context, timeout, ({ hash }) => !equals(hash, before))
      })
    )
})

const waitforblock = method({
  name: "waitforblock",
  category: "blockchain",
  about: "Waits until a block is the end of the followed chain.",
  params: [required("blockhash", kind.hash, "The block hash"), timeout],
  result: TIP,
  examples: [["0000000000079f8ef3d2c688c244eb7a4570b24c9ed7b4a8c619eb02596f8862", 1000]],
  waits: true,
  run: ({ blockhash, timeout }) =>
    withNode((context) => waitingFor(context, timeout, ({ hash }) => equals(hash, blockhash)))
})

const waitforblockheight = method({
  name: "waitforblockheight",
  category: "blockchain",
  about: "Waits until the followed chain has at least this height.",
  params: [required("height", kind.integer, "The height"), timeout],
  result: TIP,
  examples: [[100, 1000]],
  waits: true,
  run: ({ height, timeout }) => withNode((context) => waitingFor(context, timeout, (tip) => tip.height >= height))
})

export const waitMethods: ReadonlyArray<Method<NodeContext>> = [waitfornewblock, waitforblock, waitforblockheight]
