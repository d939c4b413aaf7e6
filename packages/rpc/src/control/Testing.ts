/** Methods that are for tests alone: Core lists none of them. Source: Bitcoin Core 31.99 `rpc/node.cpp`, `rpc/blockchain.cpp`. */
import {
  type Json,
  type Method,
  type Param,
  type RpcError,
  kind,
  method,
  optional,
  required,
  result,
  rpcError
} from "@satwire/json-rpc"
import * as Effect from "effect/Effect"
import { type MockClock, Rpc } from "../RpcNode.ts"

/** Core's: more seconds do not fit its nanoseconds. */
const LAST_MOCKTIME = 9_223_372_036n
const MOST_SECONDS_FORWARD = 3600n
const MS = 1000

/** The clock that can be set, on regtest. */
const mockable = (name: string): Effect.Effect<MockClock, RpcError, Rpc> =>
  Effect.flatMap(Rpc, ({ clock, params }) =>
    params.name === "regtest" && clock !== undefined
      ? Effect.succeed(clock)
      : Effect.fail(rpcError("MISC_ERROR", `${name} is for regression testing (-regtest mode) only`))
  )

export const setmocktime: Method<Rpc> = method({
  name: "setmocktime",
  category: "hidden",
  about: "Set the local time to given timestamp (-regtest only)",
  params: [required("timestamp", kind.int64, "Seconds since 1970. Pass 0 to go back to using the system time.")],
  result: result.none(),
  run: ({ timestamp }) =>
    Effect.gen(function* () {
      const clock = yield* mockable("setmocktime")
      if (timestamp < 0n || timestamp > LAST_MOCKTIME) {
        const message = `Mocktime must be in the range [0, ${LAST_MOCKTIME}], not ${timestamp}.`
        return yield* Effect.fail(rpcError("INVALID_PARAMETER", message))
      }
      return yield* Effect.as(clock.setMockTime(Number(timestamp)), null)
    })
})

export const mockscheduler: Method<Rpc> = method({
  name: "mockscheduler",
  category: "hidden",
  about: "Bump the scheduler into the future (-regtest only)",
  params: [required("delta_time", kind.int64, "Number of seconds to forward the scheduler into the future.")],
  result: result.none(),
  run: ({ delta_time }) =>
    Effect.gen(function* () {
      const clock = yield* mockable("mockscheduler")
      if (delta_time <= 0n || delta_time > MOST_SECONDS_FORWARD) {
        const message = "delta_time must be between 1 and 3600 seconds (1 hr)"
        return yield* Effect.fail(rpcError("MISC_ERROR", message))
      }
      return yield* Effect.as(clock.elapse(Number(delta_time) * MS), null)
    })
})

export const syncwithvalidationinterfacequeue: Method<Rpc> = method({
  name: "syncwithvalidationinterfacequeue",
  category: "hidden",
  about:
    "Waits for what was told of blocks and transactions to be heard everywhere, which here it is at the end of each turn.",
  params: [],
  result: result.none(),
  examples: [[]],
  run: () => Effect.as(Effect.yieldNow, null)
})

const ARGUMENTS: ReadonlyArray<Param<string, Json | undefined>> = Array.from({ length: 10 }, (_, i) =>
  optional(`arg${i}`, kind.json, "")
)

const echoing = (name: string): Method<Rpc> =>
  method({
    name,
    category: "hidden",
    about:
      "Simply echo back the input arguments. This command is for testing.\n" +
      "It fails as a bug does where arg9 is 'trigger_internal_bug'. echojson differs for bitcoin-cli, which converts its arguments.",
    params: ARGUMENTS,
    result: result.array("What was passed in", result.any("")),
    run: (args) => {
      if (args["arg9"] === "trigger_internal_bug") return Effect.die(new Error("a bug that was asked for"))
      const given = ARGUMENTS.map(({ name }) => args[name] ?? null)
      // A `null` at the end is as if it was not given.
      return Effect.succeed(given.slice(0, given.findLastIndex((value) => value !== null) + 1))
    }
  })

export const echo: Method<Rpc> = echoing("echo")
export const echojson: Method<Rpc> = echoing("echojson")
