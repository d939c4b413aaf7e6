/** Which headers and blocks are fetched and kept, and which transactions. */
import { NODE, type RowsOf, list, one, oneOrNone, onOff } from "../OptionRow.ts"
import { type Beginning, addressText, beginning, path, pruneTarget, trueOrFalse, wholeNumber } from "../Values.ts"

export interface BlocksSettings {
  readonly headerskeleton: string | undefined
  readonly trustedheaders: string | undefined
  readonly fetchblocks: boolean | undefined
  readonly blocksfrom: Beginning | undefined
  readonly blocksto: number | undefined
  readonly blocksfor: ReadonlyArray<string>
  readonly prune: number
  readonly blocksonly: boolean | undefined
  readonly maxmempool: number
}

export const blocksRows: RowsOf<BlocksSettings> = {
  headerskeleton: oneOrNone({
    name: "headerskeleton",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "Heights and hashes, as `satwire headers skeleton` writes them: headers come along them from all peers at once. A wrong file costs time, nothing else.",
    defaultDoc: "what --trustedheaders names",
    perNetwork: true,
    commands: NODE
  }),
  trustedheaders: oneOrNone({
    name: "trustedheaders",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "Heights and hashes, as in --headerskeleton, that you trust: no chain is followed that has another header there.",
    defaultDoc: "none",
    perNetwork: true,
    commands: NODE
  }),
  fetchblocks: onOff({
    name: "fetchblocks",
    value: trueOrFalse,
    doc: "Whether blocks are fetched, checked as far as that needs no coins, and kept, and not headers alone.",
    defaultDoc: "1 on regtest and where one of the next four is given, else 0",
    commands: NODE
  }),
  blocksfrom: oneOrNone({
    name: "blocksfrom",
    value: beginning,
    metavar: "<height or day>",
    allowed: "a height, or a day as 2024-04-20",
    doc: "The first block that is fetched: by its height, or those from two hours before a day (UTC) on, such as a wallet's birthday.",
    defaultDoc: "the first",
    perNetwork: true,
    commands: NODE
  }),
  blocksto: oneOrNone({
    name: "blocksto",
    value: wholeNumber(0, 999_999_999),
    metavar: "<height>",
    allowed: "a height",
    doc: "The last block that is fetched.",
    defaultDoc: "all that come",
    perNetwork: true,
    commands: NODE
  }),
  blocksfor: list({
    name: "blocksfor",
    value: addressText,
    metavar: "<address>",
    allowed: "an address of the chosen network",
    doc: "Fetches only blocks that pay to this address or spend from it, as filters of two peers or of those of --connect say (BIP-0157); may be given several times.",
    defaultDoc: "all blocks",
    perNetwork: true,
    commands: NODE
  }),
  prune: one({
    name: "prune",
    value: pruneTarget,
    metavar: "<MiB>",
    allowed: "0, 1, or a whole number of at least 550",
    doc: "Removes old blocks when all take more than this; the last 288 stay. 0 keeps all, 1 all until `pruneblockchain` says which.",
    default: "0",
    commands: NODE
  }),
  blocksonly: onOff({
    name: "blocksonly",
    value: trueOrFalse,
    doc: "Whether it does without the transactions of others; on regtest it then has those that JSON-RPC hands in, and passes them on. On a public network others' are kept and not passed on, as nothing verifies them yet.",
    defaultDoc: "0 on regtest, else 1",
    commands: NODE
  }),
  maxmempool: one({
    name: "maxmempool",
    value: wholeNumber(5, 100_000),
    metavar: "<MB>",
    allowed: "a whole number of at least 5",
    doc: "Transactions that wait for a block take at most so many millions of bytes of memory.",
    default: "300",
    commands: NODE
  })
}
