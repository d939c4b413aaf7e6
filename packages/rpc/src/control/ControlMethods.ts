/** The table of these methods. */
import type { Method } from "@satwire/json-rpc"
import type { Rpc } from "../RpcNode.ts"
import { getmemoryinfo, logging, stop, uptime } from "./Process.ts"
import { echo, echojson, mockscheduler, setmocktime, syncwithvalidationinterfacequeue } from "./Testing.ts"

/** Core's category "control" beside `help` and `getrpcinfo`, and what is hidden for tests. */
export const controlMethods: ReadonlyArray<Method<Rpc>> = [
  echo,
  echojson,
  getmemoryinfo,
  logging,
  mockscheduler,
  setmocktime,
  stop,
  syncwithvalidationinterfacequeue,
  uptime
]
