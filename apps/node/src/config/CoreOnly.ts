/**
 * Bitcoin Core's options that mean nothing here: they are let pass, on the command line and in a file, and the log names them once, so that
 * a `bitcoin.conf` and a script that were written for Core go on working. What Core has and this program has as well stands in `rows/`.
 *
 * Source: Bitcoin Core 31.99 `init.cpp`, `init/common.cpp`, `chainparamsbase.cpp`, `wallet/init.cpp`, `dummywallet.cpp`, and some that earlier
 * releases had.
 */

/** The hidden flag that takes their names, one each. */
export const CORE_OPTION = "core-option"

/** By what they are about. */
export const CORE_ONLY_GROUPS: ReadonlyArray<readonly [about: string, names: ReadonlyArray<string>]> = [
  [
    "how the process runs",
    [
      "alertnotify",
      "allowignoredconf",
      "blocknotify",
      "daemon",
      "daemonwait",
      "settings",
      "shutdownnotify",
      "startupnotify",
      "sysperms"
    ]
  ],
  [
    "its database of coins, indexes and scripts, which do not exist here yet",
    [
      "assumevalid",
      "blockfilterindex",
      "blocksdir",
      "blocksxor",
      "checkblockindex",
      "checkblocks",
      "checklevel",
      "checkpoints",
      "coinstatsindex",
      "dbbatchsize",
      "dbcache",
      "dbcrashratio",
      "fastprune",
      "loadblock",
      "maxsigcachesize",
      "par",
      "peerblockfilters",
      "prevoutfetchthreads",
      "reindex",
      "reindex-chainstate",
      "stopafterblockimport",
      "stopatheight",
      "txindex",
      "txospenderindex",
      "txreconciliation",
      "vbparams",
      "maxtipage"
    ]
  ],
  [
    "which transactions are taken and passed on",
    [
      "acceptnonstdtxn",
      "acceptstalefeeestimates",
      "bytespersigop",
      "checkmempool",
      "datacarrier",
      "datacarriersize",
      "dustrelayfee",
      "incrementalrelayfee",
      "limitancestorcount",
      "limitancestorsize",
      "limitclustercount",
      "limitclustersize",
      "limitdescendantcount",
      "limitdescendantsize",
      "maxorphantx",
      "mempoolexpiry",
      "mempoolfullrbf",
      "mempoolreplacement",
      "minrelaytxfee",
      "permitbaremultisig",
      "persistmempool",
      "persistmempoolv1",
      "privatebroadcast",
      "whitelistforcerelay",
      "whitelistrelay"
    ]
  ],
  [
    "connections",
    [
      "blockreconstructionextratxn",
      "checkaddrman",
      "feefilter",
      "fixedseeds",
      "i2pacceptincoming",
      "listenonion",
      "maxreceivebuffer",
      "maxsendbuffer",
      "natpmp",
      "signetseednode",
      "torcontrol",
      "torpassword",
      "upnp"
    ]
  ],
  [
    "mining",
    ["blockmaxsize", "blockmaxweight", "blockmintxfee", "blockreservedweight", "blockversion", "printpriority"]
  ],
  [
    "JSON-RPC and other doors",
    [
      "deprecatedrpc",
      "ipcbind",
      "ipcconnect",
      "ipcfd",
      "rest",
      "rpcdoccheck",
      "zmqpubhashblock",
      "zmqpubhashblockhwm",
      "zmqpubhashtx",
      "zmqpubhashtxhwm",
      "zmqpubrawblock",
      "zmqpubrawblockhwm",
      "zmqpubrawtx",
      "zmqpubrawtxhwm",
      "zmqpubsequence",
      "zmqpubsequencehwm"
    ]
  ],
  [
    "how lines of its log begin, and tests of its own",
    ["loglevelalways", "logratelimit", "logsourcelocations", "logthreadnames", "test"]
  ],
  [
    "its wallet",
    [
      "addresstype",
      "avoidpartialspends",
      "changetype",
      "consolidatefeerate",
      "dblogsize",
      "disablewallet",
      "discardfee",
      "fallbackfee",
      "flushwallet",
      "keypool",
      "maxapsfee",
      "maxtxfee",
      "mintxfee",
      "paytxfee",
      "privdb",
      "rescan",
      "salvagewallet",
      "signer",
      "spendzeroconfchange",
      "swapbdbendian",
      "txconfirmtarget",
      "unsafesqlitesync",
      "upgradewallet",
      "wallet",
      "walletbroadcast",
      "walletcrosschain",
      "walletdir",
      "walletnotify",
      "walletrbf",
      "walletrejectlongchains",
      "zapwallettxes"
    ]
  ],
  ["its window", ["choosedatadir", "lang", "min", "resetguisettings", "splash", "uiplatform"]]
]

const NAMES: ReadonlySet<string> = new Set(CORE_ONLY_GROUPS.flatMap(([, names]) => names))

/** Every such name. */
export const coreOnlyNames = (): IterableIterator<string> => NAMES.keys()

/** The name of Core's option that this one is, with `no` before it or not; `undefined` where it is none that means nothing here. */
export const coreOnlyName = (name: string): string | undefined => {
  if (NAMES.has(name)) return name
  const positive = /^no-?(.+)$/.exec(name)?.[1]
  return positive !== undefined && NAMES.has(positive) ? positive : undefined
}

/** What whoever gave them may want to know. */
export const coreOnlySentence = (names: ReadonlyArray<string>): string => {
  const sentence = `Options of Bitcoin Core that mean nothing here: ${names.join(", ")}.`
  return names.some((name) => name.startsWith("daemon"))
    ? `${sentence} To run in the background, let systemd or nohup start it.`
    : sentence
}
