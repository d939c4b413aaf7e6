/** Which network, where everything lies, and what stands for several options at once. */
import { EVERYBODY, NODE, type OptionRow, type RowsOf, list, one, oneOrNone, onOff } from "../OptionRow.ts"
import { PRESET_NAMES, type PresetName } from "../Presets.ts"
import {
  NETWORK_CHOICES,
  NETWORK_NAMES,
  type NetworkName,
  activationHeight,
  type ActivationHeight,
  network,
  oneOf,
  path,
  scriptHex,
  trueOrFalse,
  wholeNumber,
  work
} from "../Values.ts"

/** Core's shorthands for `-chain`. */
const shorthand = (name: string, doc: string, aliases: ReadonlyArray<string> = []): OptionRow<boolean> =>
  onOff({ name, aliases, value: trueOrFalse, doc, defaultDoc: "off", commands: EVERYBODY })

export interface NetworkSettings {
  readonly network: NetworkName | undefined
  readonly regtest: boolean | undefined
  readonly signet: boolean | undefined
  readonly testnet: boolean | undefined
  readonly testnet4: boolean | undefined
  readonly datadir: string
  readonly conf: string
  readonly includeconf: ReadonlyArray<string>
  readonly preset: PresetName | undefined
  readonly "print-config": boolean | undefined
  readonly pid: string
  readonly signetchallenge: string | undefined
  readonly minimumchainwork: bigint | undefined
  readonly testactivationheight: ReadonlyArray<ActivationHeight>
  readonly mocktime: number
}

export const networkRows: RowsOf<NetworkSettings> = {
  network: oneOrNone({
    name: "network",
    aliases: ["chain"],
    value: network,
    completes: NETWORK_CHOICES,
    metavar: "<name>",
    allowed: `one of ${NETWORK_NAMES.join(", ")} (main and test, Core's names, mean the first two)`,
    doc: `The network: ${NETWORK_NAMES.join(", ")}.`,
    defaultDoc: "mainnet",
    commands: EVERYBODY
  }),
  regtest: shorthand("regtest", "The same as --network=regtest: a private network where anybody mines."),
  signet: shorthand("signet", "The same as --network=signet."),
  testnet: shorthand("testnet", "The same as --network=testnet3.", ["testnet3"]),
  testnet4: shorthand("testnet4", "The same as --network=testnet4."),
  datadir: one({
    name: "datadir",
    value: path,
    completes: "directory",
    metavar: "<directory>",
    allowed: "a directory",
    doc: "Where everything is kept; other networks than mainnet have a folder of their own in it, as in Core's.",
    default: "~/.satwire",
    commands: EVERYBODY
  }),
  conf: one({
    name: "conf",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "The configuration file, in the format of bitcoin.conf; a relative path starts at the data directory. Where there is no satwire.conf, bitcoin.conf is read.",
    default: "satwire.conf",
    from: "flags and environment",
    negatable: true,
    commands: EVERYBODY
  }),
  includeconf: list({
    name: "includeconf",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "Another configuration file, whose lines follow those of the first; a relative path starts at the data directory. Stands in a file alone.",
    defaultDoc: "none",
    from: "file",
    commands: EVERYBODY
  }),
  preset: oneOrNone({
    name: "preset",
    value: oneOf(PRESET_NAMES),
    completes: PRESET_NAMES,
    metavar: "<name>",
    allowed: `one of ${PRESET_NAMES.join(", ")}`,
    doc: "Other defaults for --maxconnections, --timeout and --pinginterval: development (50, 10 s, 60 s) or production (1000, 30 s, 300 s).",
    defaultDoc: "none",
    commands: NODE
  }),
  "print-config": onOff({
    name: "print-config",
    aliases: ["printconfig"],
    value: trueOrFalse,
    doc: "Prints every setting and where it comes from, in the format of bitcoin.conf, and ends.",
    defaultDoc: "off",
    from: "flags",
    commands: NODE
  }),
  pid: one({
    name: "pid",
    value: path,
    completes: "file",
    metavar: "<file>",
    allowed: "a file",
    doc: "Where the number of the process stands while it runs; a relative path starts at the network's data directory. 0 writes none.",
    default: "satwire.pid",
    negatable: true,
    commands: NODE
  }),
  signetchallenge: oneOrNone({
    name: "signetchallenge",
    value: scriptHex,
    metavar: "<hex>",
    allowed: "an even number of hexadecimal digits",
    doc: "The script that blocks of a signet of your own satisfy (BIP-0325); it has no DNS seeds.",
    defaultDoc: "that of the signet that all share",
    commands: EVERYBODY
  }),
  minimumchainwork: oneOrNone({
    name: "minimumchainwork",
    value: work,
    metavar: "<hex>",
    allowed: "at most 64 hexadecimal digits",
    doc: "Chains with less work than this are not followed.",
    defaultDoc: "the network's, as in Core's release",
    commands: NODE
  }),
  testactivationheight: list({
    name: "testactivationheight",
    value: activationHeight,
    metavar: "<name@height>",
    allowed: "one of segwit, bip34, dersig, cltv, csv, then @ and a height, such as segwit@100",
    doc: "From which height on a rule of consensus holds, on regtest alone; may be given several times.",
    defaultDoc: "the network's",
    commands: NODE
  }),
  mocktime: one({
    name: "mocktime",
    value: wholeNumber(0, 0xffff_ffff),
    metavar: "<seconds>",
    allowed: "a whole number of seconds since 1970, or 0",
    doc: "Holds the clock at this time, in seconds since 1970, for tests; 0 is the time of the machine.",
    default: "0",
    commands: NODE
  })
}
