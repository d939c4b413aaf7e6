/**
 * bcoin's regtest as chain parameters. It shares magic, genesis, proof of work and the subsidy with Core's regtest, so the two would
 * even talk to each other; ports, addresses and the heights of the rules are its own. Source: bcoin 1.0.2
 * `lib/protocol/networks.js`, and what its RPC answers (`test/BcoinRegtest.test.ts`).
 *
 * Segwit and CSV come by version bits. Every block that bcoin mines votes while a vote is open, so with nobody else mining: blocks
 * 1..143 have version 0x20000000 (defined), 144..431 have 0x30000003 (started, then locked in from 288), and from 432 on both are
 * active: 0x20000000 again, with a witness commitment in each coinbase. The third vote of 0x30000003 is bit 28, `testdummy`;
 * `segsignal`, bit 4, never starts.
 */
import { type ChainParams, type Deployment, regtest } from "@satwire/primitives"

const vote = (bit: number): Deployment => ({
  _tag: "VersionBits",
  bit,
  startTime: 0,
  timeout: 0xffff_ffff,
  period: 144,
  threshold: 108
})

/** The first height whose block is bound by segwit and CSV, if bcoin mined every block below it. */
export const FIRST_SEGWIT_HEIGHT = 432

export const bcoinRegtest: ChainParams = {
  ...regtest,
  name: "bcoin-regtest",
  directory: "bcoin-regtest",
  defaultPort: 48_444,
  powTargetTimespan: 14 * 24 * 60 * 60,
  bip34Height: 100_000_000,
  bip65Height: 1351,
  bip66Height: 1251,
  csv: vote(0),
  segwit: vote(1),
  base58: { pubkeyAddress: 0x3c, scriptAddress: 0x26, secretKey: 0x5a },
  bech32Hrp: "rb"
}
