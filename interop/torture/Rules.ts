/**
 * The rules that all nodes of a day share: Core's regtest, on which Satwire's command line stands, with the heights at which bcoin's own
 * regtest begins to demand things. bcoin counts votes for segwit and CSV, Satwire is told where the count ends: so the first blocks are
 * bcoin's, and no reorganisation reaches below them.
 */
import { type ChainParams, encodeAddress, regtest } from "@satwire/primitives"
import { FIRST_SEGWIT_HEIGHT, bcoinRegtest } from "../BcoinRegtest.ts"

const { bip34Height, bip65Height, bip66Height } = bcoinRegtest

export const sharedRules: ChainParams = {
  ...regtest,
  bip34Height,
  bip65Height,
  bip66Height,
  csv: { _tag: "Buried", height: FIRST_SEGWIT_HEIGHT },
  segwit: { _tag: "Buried", height: FIRST_SEGWIT_HEIGHT }
}

/** Blocks before the day: all votes of bcoin's are counted, and coinbases ripe of which a reorganisation of twenty takes none back. */
export const PRELUDE_BLOCKS = 600

/** What Satwire's command line is told of these rules; chains with less work than the prelude has are of no interest. */
export const RULE_OPTIONS: ReadonlyArray<string> = [
  "-regtest",
  ...[
    `bip34@${bip34Height}`,
    `cltv@${bip65Height}`,
    `dersig@${bip66Height}`,
    `csv@${FIRST_SEGWIT_HEIGHT}`,
    `segwit@${FIRST_SEGWIT_HEIGHT}`
  ].map((rule) => `-testactivationheight=${rule}`),
  // Every block of regtest has a work of two.
  `-minimumchainwork=${(2 * PRELUDE_BLOCKS).toString(16)}`
]

/** An address for bcoin. */
export const bcoinAddress = (script: Uint8Array): string => encodeAddress(script, bcoinRegtest) ?? ""
