/**
 * A generator for every message of the protocol. The table has the shape of wire's own: a message without a generator does not compile,
 * and a test that walks one walks the other.
 */
import type { UnixSeconds } from "@satwire/machine"
import type { BlockHash } from "@satwire/primitives"
import {
  type AddrV2Entry,
  type AddrV2Network,
  type BlockQuery,
  type Command,
  GETADDR,
  Inventory,
  MAX_SUBVERSION_LENGTH,
  MEMPOOL,
  MSG_BLOCK,
  MSG_TX,
  MSG_WITNESS_BLOCK,
  MSG_WTX,
  type Message,
  type MessageOf,
  type NetAddress,
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
  arbitraryHash,
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

/** Mostly short lists, now and then one whose count takes three bytes. */
const list = <A>(item: fc.Arbitrary<A>): fc.Arbitrary<Array<A>> =>
  fc.oneof(
    { weight: 19, arbitrary: fc.array(item, { maxLength: 6 }) },
    { weight: 1, arbitrary: fc.array(item, { minLength: 253, maxLength: 260 }) }
  )

const netAddress: fc.Arbitrary<NetAddress> = fc.record({ services: u64, ip: exactBytes(16), port })

const userAgent: fc.Arbitrary<string> = fc.oneof(
  fc.constant("/Satoshi:28.1.0/"),
  fc.uint8Array({ maxLength: MAX_SUBVERSION_LENGTH }).map((bytes) => String.fromCharCode(...bytes))
)

/** An address that BIP-0155 does not tell to ignore: its first byte is one that the network's addresses have. */
const addrV2Entry: fc.Arbitrary<AddrV2Entry> = fc
  .constantFrom<readonly [AddrV2Network, number, number | undefined]>(
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
  block: fc.record({ _tag: fc.constant("block"), block: arbitraryBlock }),
  tx: fc.record({ _tag: fc.constant("tx"), tx: arbitraryTransaction }),
  mempool: fc.constant(MEMPOOL),
  feefilter: fc.record({ _tag: fc.constant("feefilter"), feeRateSatPerKvb: arbitraryAmount }),
  sendcmpct: fc.record({ _tag: fc.constant("sendcmpct"), highBandwidth: fc.boolean(), version: u64 })
}

/** Any message. */
export const arbitraryMessage: fc.Arbitrary<Message> = fc.oneof(
  ...Object.values<fc.Arbitrary<Message>>(arbitraryMessages)
)
