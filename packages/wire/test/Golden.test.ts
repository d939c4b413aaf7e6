/** Each message once, its bytes written out by hand from its specification. */
import { fromHex, toHex } from "@satwire/bytes"
import { UnixSeconds } from "@satwire/machine"
import { ipv4InIpv6 } from "@satwire/netaddress"
import { BlockHash, BlockView, Satoshis, TransactionView, Txid, ZERO_HASH } from "@satwire/primitives"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import {
  type Command,
  FILTERCLEAR,
  GETADDR,
  HashList,
  Inventory,
  MEMPOOL,
  MSG_BLOCK,
  MSG_TX,
  MSG_WITNESS_BLOCK,
  MSG_WTX,
  type Message,
  type MessageOf,
  REQSKETCHEXT,
  SENDADDRV2,
  SENDHEADERS,
  VERACK,
  WTXIDRELAY,
  commands,
  decodePayload,
  encodePayload,
  headersMessage
} from "../src/index.ts"

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array(0)
const fill = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte)

const H11 = "11".repeat(32)
const H22 = "22".repeat(32)
const H00 = "00".repeat(32)
const HEADER_A = "aa".repeat(80)
const HEADER_B = "bb".repeat(80)
/** Version 2, one input, one output of 5,000 satoshis, a witness of one item, lock time 9. */
const TX = `02000000 0001 01 ${H11}03000000 01 51 fdffffff 01 8813000000000000 02 6a00 01 02 beef 09000000`

const tx = TransactionView.of({
  version: 2,
  inputs: [
    {
      previousOutput: { txid: Txid(fill(0x11)), index: 3 },
      scriptSig: Uint8Array.of(0x51),
      sequence: 0xfffffffd,
      witness: [Uint8Array.of(0xbe, 0xef)]
    }
  ],
  outputs: [{ amount: Satoshis(5000n), scriptPubKey: Uint8Array.of(0x6a, 0x00) }],
  lockTime: 9
})

/** A header whose fields tell each other apart, and its bytes. */
const header = {
  version: 0x20000000,
  previousBlock: BlockHash(fill(0x11)),
  merkleRoot: fill(0x22),
  time: 0x65d4c5f0,
  bits: 0x207fffff,
  nonce: 7
}
const HEADER = `00000020 ${H11} ${H22} f0c5d465 ffff7f20 07000000`

const GOLDEN: { readonly [C in Command]: readonly [MessageOf<C>, string] } = {
  version: [
    {
      _tag: "version",
      protocolVersion: 70016,
      services: 0x409n,
      time: 0x65d4c5f0n,
      receiver: { services: 1n, ip: ipv4InIpv6(Uint8Array.of(10, 0, 0, 1)), port: 8333 },
      sender: { services: 0n, ip: fill(0, 16), port: 0 },
      nonce: 0x0807060504030201n,
      userAgent: "/a:1/",
      startHeight: 100_000,
      relay: true
    },
    `80110100 0904000000000000 f0c5d46500000000
     0100000000000000 00000000000000000000ffff0a000001 208d
     0000000000000000 00000000000000000000000000000000 0000
     0102030405060708 05 2f613a312f a0860100 01`
  ],
  verack: [VERACK, ""],
  wtxidrelay: [WTXIDRELAY, ""],
  sendaddrv2: [SENDADDRV2, ""],
  ping: [{ _tag: "ping", nonce: 0xffeeddccbbaa9988n }, "8899aabbccddeeff"],
  pong: [{ _tag: "pong", nonce: 0xffeeddccbbaa9988n }, "8899aabbccddeeff"],
  getaddr: [GETADDR, ""],
  addr: [
    {
      _tag: "addr",
      addresses: [
        { time: UnixSeconds(1), services: 8n, ip: ipv4InIpv6(Uint8Array.of(1, 2, 3, 4)), port: 18444 },
        { time: UnixSeconds(0xffffffff), services: 2n ** 64n - 1n, ip: fill(0x20, 16), port: 1 }
      ]
    },
    `02 01000000 0800000000000000 00000000000000000000ffff01020304 480c
        ffffffff ffffffffffffffff 20202020202020202020202020202020 0001`
  ],
  addrv2: [
    {
      _tag: "addrv2",
      addresses: [
        { time: UnixSeconds(1), services: 9n, network: "ipv4", address: Uint8Array.of(1, 2, 3, 4), port: 8333 },
        { time: UnixSeconds(2), services: 0x409n, network: "ipv6", address: fill(0x20, 16), port: 8333 },
        { time: UnixSeconds(3), services: 0n, network: "torv3", address: fill(0x33), port: 8333 },
        { time: UnixSeconds(4), services: 0x10000n, network: "i2p", address: fill(0x44), port: 0 },
        { time: UnixSeconds(5), services: 2n ** 63n, network: "cjdns", address: fill(0xfc, 16), port: 8333 }
      ]
    },
    `05 01000000 09               01 04 01020304 208d
        02000000 fd0904           02 10 ${"20".repeat(16)} 208d
        03000000 00               04 20 ${"33".repeat(32)} 208d
        04000000 fe00000100       05 20 ${"44".repeat(32)} 0000
        05000000 ff0000000000000080 06 10 ${"fc".repeat(16)} 208d`
  ],
  sendheaders: [SENDHEADERS, ""],
  getheaders: [
    {
      _tag: "getheaders",
      protocolVersion: 70016,
      locator: [BlockHash(fill(0x11)), BlockHash(fill(0x22))],
      stopHash: ZERO_HASH
    },
    `80110100 02 ${H11} ${H22} ${H00}`
  ],
  headers: [headersMessage(bytes(HEADER_A + HEADER_B)), `02 ${HEADER_A} 00 ${HEADER_B} 00`],
  getblocks: [
    { _tag: "getblocks", protocolVersion: 60002, locator: [], stopHash: BlockHash(fill(0x22)) },
    `62ea0000 00 ${H22}`
  ],
  inv: [
    {
      _tag: "inv",
      inventory: Inventory.of([
        { type: MSG_TX, hash: fill(0x11) },
        { type: MSG_BLOCK, hash: fill(0x22) }
      ])
    },
    `02 01000000 ${H11} 02000000 ${H22}`
  ],
  getdata: [{ _tag: "getdata", inventory: Inventory.ofType(MSG_WITNESS_BLOCK, [fill(0x11)]) }, `01 02000040 ${H11}`],
  notfound: [{ _tag: "notfound", inventory: Inventory.ofType(MSG_WTX, [fill(0x22)]) }, `01 05000000 ${H22}`],
  block: [
    {
      _tag: "block",
      block: BlockView.of({ header, transactions: [tx.materialise()] })
    },
    `${HEADER} 01 ${TX}`
  ],
  tx: [{ _tag: "tx", tx }, TX],
  mempool: [MEMPOOL, ""],
  feefilter: [{ _tag: "feefilter", feeRateSatPerKvb: Satoshis(48_508n) }, "7cbd000000000000"],
  sendcmpct: [{ _tag: "sendcmpct", highBandwidth: true, version: 2n }, "01 0200000000000000"],
  cmpctblock: [
    {
      _tag: "cmpctblock",
      header,
      nonce: 0x0807060504030201n,
      shortIds: bytes("0a0b0c0d0e0f 1a1b1c1d1e1f 2a2b2c2d2e2f".replaceAll(" ", "")),
      prefilled: [
        { index: 0, tx },
        { index: 1, tx },
        { index: 4, tx }
      ]
    },
    `${HEADER} 0102030405060708 03 0a0b0c0d0e0f 1a1b1c1d1e1f 2a2b2c2d2e2f 03 00 ${TX} 00 ${TX} 02 ${TX}`
  ],
  getblocktxn: [
    { _tag: "getblocktxn", blockHash: BlockHash(fill(0x11)), indexes: [0, 1, 5, 6, 300, 0xffff] },
    `${H11} 06 00 00 03 00 fd2501 fdd2fe`
  ],
  blocktxn: [{ _tag: "blocktxn", blockHash: BlockHash(fill(0x11)), transactions: [tx, tx] }, `${H11} 02 ${TX} ${TX}`],
  getcfilters: [
    { _tag: "getcfilters", filterType: 0, startHeight: 1000, stopHash: BlockHash(fill(0x22)) },
    `00 e8030000 ${H22}`
  ],
  cfilter: [
    { _tag: "cfilter", filterType: 0, blockHash: BlockHash(fill(0x11)), filter: bytes("019dfca8") },
    `00 ${H11} 04 019dfca8`
  ],
  getcfheaders: [
    { _tag: "getcfheaders", filterType: 0, startHeight: 0, stopHash: BlockHash(fill(0x22)) },
    `00 00000000 ${H22}`
  ],
  cfheaders: [
    {
      _tag: "cfheaders",
      filterType: 0,
      stopHash: BlockHash(fill(0x22)),
      previousFilterHeader: fill(0),
      filterHashes: HashList.of([fill(0x11), fill(0x22)])
    },
    `00 ${H22} ${H00} 02 ${H11} ${H22}`
  ],
  getcfcheckpt: [{ _tag: "getcfcheckpt", filterType: 0, stopHash: BlockHash(fill(0x22)) }, `00 ${H22}`],
  cfcheckpt: [
    {
      _tag: "cfcheckpt",
      filterType: 0,
      stopHash: BlockHash(fill(0x22)),
      filterHeaders: HashList.of([fill(0x11)])
    },
    `00 ${H22} 01 ${H11}`
  ],
  filterload: [
    { _tag: "filterload", filter: bytes("b50f"), hashFunctions: 11, tweak: 0x80000001, flags: 1 },
    "02 b50f 0b000000 01000080 01"
  ],
  filteradd: [{ _tag: "filteradd", element: bytes("beef") }, "02 beef"],
  filterclear: [FILTERCLEAR, ""],
  merkleblock: [
    {
      _tag: "merkleblock",
      header,
      transactionCount: 7,
      hashes: HashList.of([fill(0x11), fill(0x22)]),
      flags: bytes("1d")
    },
    `${HEADER} 07000000 02 ${H11} ${H22} 01 1d`
  ],
  sendtxrcncl: [{ _tag: "sendtxrcncl", version: 1, salt: 0x0807060504030201n }, "01000000 0102030405060708"],
  reqrecon: [{ _tag: "reqrecon", setSize: 300, q: 1024 }, "2c01 0004"],
  sketch: [{ _tag: "sketch", sketch: bytes("0102030405060708") }, "08 01020304 05060708"],
  reqsketchext: [REQSKETCHEXT, ""],
  reconcildiff: [{ _tag: "reconcildiff", success: true, shortIds: [1, 0xfffffffe] }, "01 02 01000000 feffffff"],
  sendpackages: [{ _tag: "sendpackages", versions: 3n }, "0300000000000000"],
  getpkgtxns: [{ _tag: "getpkgtxns", wtxids: HashList.of([fill(0x11), fill(0x22)]) }, `02 ${H11} ${H22}`],
  pkgtxns: [{ _tag: "pkgtxns", transactions: [tx] }, `01 ${TX}`],
  ancpkginfo: [{ _tag: "ancpkginfo", wtxids: HashList.of([fill(0x22)]) }, `01 ${H22}`],
  feature: [{ _tag: "feature", featureId: "x-test", featureData: bytes("ff00") }, "06 782d74657374 02 ff00"],
  reject: [{ _tag: "reject", rejected: "tx", code: 0x42, reason: "no", hash: fill(0x11) }, `02 7478 42 02 6e6f ${H11}`]
}

describe.each(commands)("%s", (command) => {
  const golden: readonly [Message, string] = GOLDEN[command]
  const [message] = golden
  const hex = golden[1].replaceAll(/\s/gu, "")

  it("encodes to the bytes of its specification", () => {
    expect(toHex(encodePayload(message))).toBe(hex)
  })

  it("decodes from them", () => {
    expect(decodePayload(command, bytes(hex), { strict: true })).toEqual(
      Result.succeed({ value: message, bytesLeft: 0 })
    )
  })
})
