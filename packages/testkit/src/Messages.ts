/**
 * A generator for every message of the protocol. The table has the shape of wire's own: a message without a generator does not compile,
 * and a test that walks one walks the other.
 */
import type { UnixSeconds } from "@satwire/machine"
import type { Network } from "@satwire/netaddress"
import { type BlockHash, BlockView, TransactionView } from "@satwire/primitives"
import {
  type AddrV2Entry,
  type BlockQuery,
  type Command,
  FILTERCLEAR,
  type FilterQuery,
  GETADDR,
  HashList,
  Inventory,
  MAX_FEATURE_DATA_SIZE,
  MAX_FEATURE_ID_SIZE,
  MAX_REJECT_MESSAGE_LENGTH,
  MAX_SUBVERSION_LENGTH,
  MIN_FEATURE_ID_SIZE,
  MEMPOOL,
  MSG_BLOCK,
  MSG_TX,
  MSG_WITNESS_BLOCK,
  MSG_WTX,
  type Message,
  type MessageOf,
  type NetAddress,
  REQSKETCHEXT,
  SENDADDRV2,
  SENDHEADERS,
  VERACK,
  WTXIDRELAY,
  headersMessage
} from "@satwire/wire"
import * as fc from "fast-check"
import {
  arbitraryAmount,
  arbitraryBlock,
  arbitraryBytes,
  arbitraryHash,
  arbitraryHeader,
  arbitraryI32,
  arbitraryTransaction,
  arbitraryU32
} from "./Arbitraries.ts"

const exactBytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })

const u64: fc.Arbitrary<bigint> = fc.oneof(
  fc.constantFrom(0n, 1n, 0xffffffffn, 0x100000000n, 2n ** 53n + 1n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
)
const time = arbitraryU32 as fc.Arbitrary<UnixSeconds>
const port = fc.nat(0xffff)

const byte = fc.nat(0xff)
const u16 = fc.nat(0xffff)

/** A string of one character for each byte. */
const byteString = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => String.fromCharCode(...bytes))

/** Mostly short lists, now and then one whose count takes three bytes. */
const list = <A>(item: fc.Arbitrary<A>): fc.Arbitrary<Array<A>> =>
  fc.oneof(
    { weight: 19, arbitrary: fc.array(item, { maxLength: 6 }) },
    { weight: 1, arbitrary: fc.array(item, { minLength: 253, maxLength: 260 }) }
  )

const netAddress: fc.Arbitrary<NetAddress> = fc.record({ services: u64, ip: exactBytes(16), port })

const userAgent: fc.Arbitrary<string> = fc.oneof(fc.constant("/Satoshi:28.1.0/"), byteString(0, MAX_SUBVERSION_LENGTH))

/** An address that BIP-0155 does not tell to ignore: its first byte is one that the network's addresses have. */
const addrV2Entry: fc.Arbitrary<AddrV2Entry> = fc
  .constantFrom<readonly [Network, number, number | undefined]>(
    ["ipv4", 4, undefined],
    ["ipv6", 16, 0x2a],
    ["torv3", 32, undefined],
    ["i2p", 32, undefined],
    ["cjdns", 16, 0xfc]
  )
  .chain(([network, length, first]) =>
    fc.record({
      time,
      services: u64,
      network: fc.constant(network),
      address: exactBytes(length).map((bytes) =>
        first === undefined ? bytes : Uint8Array.of(first, ...bytes.slice(1))
      ),
      port
    })
  )

const inventory: fc.Arbitrary<Inventory> = list(
  fc.record({
    type: fc.oneof(fc.constantFrom(MSG_TX, MSG_BLOCK, MSG_WTX, MSG_WITNESS_BLOCK), arbitraryU32),
    hash: arbitraryHash
  })
).map((entries) => Inventory.of(entries))

const blockQuery: fc.Arbitrary<BlockQuery> = fc.record({
  protocolVersion: arbitraryI32,
  locator: fc.array(arbitraryHash as fc.Arbitrary<BlockHash>, { maxLength: 33 }),
  stopHash: arbitraryHash as fc.Arbitrary<BlockHash>
})

const blockHash = arbitraryHash as fc.Arbitrary<BlockHash>
const hashes = (maxLength: number): fc.Arbitrary<HashList> =>
  fc
    .oneof(
      { weight: 9, arbitrary: fc.array(arbitraryHash, { maxLength: Math.min(6, maxLength) }) },
      { weight: 1, arbitrary: fc.array(arbitraryHash, { minLength: Math.min(40, maxLength), maxLength }) }
    )
    .map((list) => HashList.of(list))

const filterQuery: fc.Arbitrary<FilterQuery> = fc.record({
  filterType: byte,
  startHeight: arbitraryU32,
  stopHash: blockHash
})

const transaction: fc.Arbitrary<TransactionView> = arbitraryTransaction.map((tx) => TransactionView.of(tx))
const transactions: fc.Arbitrary<Array<TransactionView>> = fc.array(transaction, { maxLength: 3 })

/** Rising numbers of 16 bits; the ends of the range, and distances of one and of three bytes, come often. */
const indexes: fc.Arbitrary<ReadonlyArray<number>> = fc
  .array(fc.oneof(u16, fc.nat(9), fc.constantFrom(253, 254, 0xfffe, 0xffff)), { maxLength: 12 })
  .map((list) => [...new Set(list)].toSorted((a, b) => a - b))

/** Short ids and, at places which the block has, transactions. */
const compactBlock: fc.Arbitrary<MessageOf<"cmpctblock">> = fc
  .tuple(fc.oneof(fc.nat(12), fc.constant(300)), transactions)
  .chain(([ids, prefilled]) =>
    fc.record({
      _tag: fc.constant("cmpctblock"),
      header: arbitraryHeader,
      nonce: u64,
      shortIds: exactBytes(6 * ids),
      prefilled: fc
        .subarray(
          Array.from({ length: ids + prefilled.length }, (_, i) => i),
          { minLength: prefilled.length, maxLength: prefilled.length }
        )
        .map((places) => prefilled.map((tx, i) => ({ index: places[i] as number, tx })))
    })
  )

/** A generator for the message of each command. */
export const arbitraryMessages: { readonly [C in Command]: fc.Arbitrary<MessageOf<C>> } = {
  version: fc.record({
    _tag: fc.constant("version"),
    protocolVersion: arbitraryI32,
    services: u64,
    time: arbitraryAmount,
    receiver: netAddress,
    sender: netAddress,
    nonce: u64,
    userAgent,
    startHeight: arbitraryI32,
    relay: fc.boolean()
  }),
  verack: fc.constant(VERACK),
  wtxidrelay: fc.constant(WTXIDRELAY),
  sendaddrv2: fc.constant(SENDADDRV2),
  ping: fc.record({ _tag: fc.constant("ping"), nonce: u64 }),
  pong: fc.record({ _tag: fc.constant("pong"), nonce: u64 }),
  getaddr: fc.constant(GETADDR),
  addr: fc.record({
    _tag: fc.constant("addr"),
    addresses: list(fc.record({ time, services: u64, ip: exactBytes(16), port }))
  }),
  addrv2: fc.record({ _tag: fc.constant("addrv2"), addresses: list(addrV2Entry) }),
  sendheaders: fc.constant(SENDHEADERS),
  getheaders: blockQuery.map((query) => ({ _tag: "getheaders", ...query })),
  headers: list(exactBytes(80)).map((headers) => {
    const raw = new Uint8Array(80 * headers.length)
    headers.forEach((header, i) => raw.set(header, 80 * i))
    return headersMessage(raw)
  }),
  getblocks: blockQuery.map((query) => ({ _tag: "getblocks", ...query })),
  inv: fc.record({ _tag: fc.constant("inv"), inventory }),
  getdata: fc.record({ _tag: fc.constant("getdata"), inventory }),
  notfound: fc.record({ _tag: fc.constant("notfound"), inventory }),
  block: fc.record({ _tag: fc.constant("block"), block: arbitraryBlock.map((block) => BlockView.of(block)) }),
  tx: fc.record({ _tag: fc.constant("tx"), tx: transaction }),
  mempool: fc.constant(MEMPOOL),
  feefilter: fc.record({ _tag: fc.constant("feefilter"), feeRateSatPerKvb: arbitraryAmount }),
  sendcmpct: fc.record({ _tag: fc.constant("sendcmpct"), highBandwidth: fc.boolean(), version: u64 }),
  sendtxrcncl: fc.record({ _tag: fc.constant("sendtxrcncl"), version: arbitraryU32, salt: u64 }),
  sendpackages: fc.record({ _tag: fc.constant("sendpackages"), versions: u64 }),
  feature: fc.record({
    _tag: fc.constant("feature"),
    featureId: fc.oneof(fc.constant("x-test"), byteString(MIN_FEATURE_ID_SIZE, MAX_FEATURE_ID_SIZE)),
    featureData: fc.oneof(arbitraryBytes(8), arbitraryBytes(MAX_FEATURE_DATA_SIZE))
  }),
  cmpctblock: compactBlock,
  getblocktxn: fc.record({ _tag: fc.constant("getblocktxn"), blockHash, indexes }),
  blocktxn: fc.record({ _tag: fc.constant("blocktxn"), blockHash, transactions }),
  getcfilters: filterQuery.map((query) => ({ _tag: "getcfilters", ...query })),
  cfilter: fc.record({ _tag: fc.constant("cfilter"), filterType: byte, blockHash, filter: arbitraryBytes(300) }),
  getcfheaders: filterQuery.map((query) => ({ _tag: "getcfheaders", ...query })),
  cfheaders: fc.record({
    _tag: fc.constant("cfheaders"),
    filterType: byte,
    stopHash: blockHash,
    previousFilterHeader: arbitraryHash,
    filterHashes: hashes(260)
  }),
  getcfcheckpt: fc.record({ _tag: fc.constant("getcfcheckpt"), filterType: byte, stopHash: blockHash }),
  cfcheckpt: fc.record({
    _tag: fc.constant("cfcheckpt"),
    filterType: byte,
    stopHash: blockHash,
    filterHeaders: hashes(260)
  }),
  filterload: fc.record({
    _tag: fc.constant("filterload"),
    filter: arbitraryBytes(300),
    hashFunctions: fc.nat(50),
    tweak: arbitraryU32,
    flags: byte
  }),
  filteradd: fc.record({ _tag: fc.constant("filteradd"), element: arbitraryBytes(520) }),
  filterclear: fc.constant(FILTERCLEAR),
  merkleblock: fc.record({
    _tag: fc.constant("merkleblock"),
    header: arbitraryHeader,
    transactionCount: arbitraryU32,
    hashes: hashes(260),
    flags: arbitraryBytes(80)
  }),
  reqrecon: fc.record({ _tag: fc.constant("reqrecon"), setSize: u16, q: u16 }),
  sketch: fc.nat(80).chain((capacity) => fc.record({ _tag: fc.constant("sketch"), sketch: exactBytes(4 * capacity) })),
  reqsketchext: fc.constant(REQSKETCHEXT),
  reconcildiff: fc.record({ _tag: fc.constant("reconcildiff"), success: fc.boolean(), shortIds: list(arbitraryU32) }),
  getpkgtxns: fc.record({ _tag: fc.constant("getpkgtxns"), wtxids: hashes(100) }),
  pkgtxns: fc.record({ _tag: fc.constant("pkgtxns"), transactions }),
  ancpkginfo: fc.record({ _tag: fc.constant("ancpkginfo"), wtxids: hashes(100) }),
  reject: fc.record({
    _tag: fc.constant("reject"),
    rejected: fc.oneof(fc.constant("tx"), byteString(0, 12)),
    code: byte,
    reason: byteString(0, MAX_REJECT_MESSAGE_LENGTH),
    hash: fc.oneof(arbitraryHash, fc.constant(undefined))
  })
}

/** Any message. */
export const arbitraryMessage: fc.Arbitrary<Message> = fc.oneof(
  ...Object.values<fc.Arbitrary<Message>>(arbitraryMessages)
)
