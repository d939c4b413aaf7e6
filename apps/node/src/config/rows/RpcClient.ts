/** How `satwire rpc` and `satwire events` ask a node: the options of `bitcoin-cli`. */
import { ASKERS, type CommandName, type RowsOf, one, onOff } from "../OptionRow.ts"
import { type HostPort, remote, seconds, trueOrFalse } from "../Values.ts"

const RPC: ReadonlyArray<CommandName> = ["rpc"]

export interface RpcClientSettings {
  readonly rpcconnect: HostPort
  readonly rpcclienttimeout: number
  readonly rpcwait: boolean | undefined
  readonly rpcwaittimeout: number
  readonly named: boolean | undefined
  readonly stdin: boolean | undefined
}

export const rpcClientRows: RowsOf<RpcClientSettings> = {
  rpcconnect: one({
    name: "rpcconnect",
    value: remote,
    metavar: "<host[:port]>",
    allowed: "host, host:port or [IPv6 address]:port",
    doc: "The node that is asked.",
    default: "127.0.0.1",
    perNetwork: true,
    commands: ASKERS
  }),
  rpcclienttimeout: one({
    name: "rpcclienttimeout",
    value: seconds(0, 999_999_999),
    metavar: "<seconds>",
    allowed: "a number of seconds from 0 on",
    doc: "How long an answer may take, in seconds; 0 is as long as it likes.",
    default: "900",
    commands: RPC
  }),
  rpcwait: onOff({
    name: "rpcwait",
    value: trueOrFalse,
    doc: "Waits until the node is there and has warmed up.",
    defaultDoc: "off",
    commands: RPC
  }),
  rpcwaittimeout: one({
    name: "rpcwaittimeout",
    value: seconds(0, 999_999_999),
    metavar: "<seconds>",
    allowed: "a number of seconds from 0 on",
    doc: "How long --rpcwait waits, in seconds; 0 is for ever.",
    default: "0",
    commands: RPC
  }),
  named: onOff({
    name: "named",
    value: trueOrFalse,
    doc: "Takes arguments as name=value; those without a name are taken in their order.",
    defaultDoc: "off",
    from: "flags",
    commands: RPC
  }),
  stdin: onOff({
    name: "stdin",
    value: trueOrFalse,
    doc: "Reads more arguments from standard input, one a line: what others should not see on the command line.",
    defaultDoc: "off",
    from: "flags",
    commands: RPC
  })
}
