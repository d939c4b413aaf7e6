import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { describe, expect, it } from "vitest"
import {
  AddressBook,
  EXCHANGE_INTERVAL_MS,
  MAX_BOOK_PEERS,
  MAX_BOOK_PEERS_OF_A_WAY,
  MAX_BOOK_PEERS_OF_ONE,
  exchangePeers,
  keepFound,
  makeMemoryAddressBook,
  servePeerExchange
} from "../src/index.ts"
import { join, makeNode, run, runTimed } from "./Bench.ts"

const peer = (peerId: string, address = `/dns4/${peerId}.example/tcp/1`) => ({ peerId, addresses: [address] })
const add = (book: ReturnType<typeof makeMemoryAddressBook>, ...args: Parameters<typeof book.add>): void =>
  Effect.runSync(book.add(...args))

describe("peer exchange", () => {
  it("puts what a peer tells into the book, with its name", () =>
    run(
      Effect.gen(function* () {
        const alice = yield* makeNode()
        const bob = yield* makeNode()
        const [toBob] = yield* join(alice.messenger, bob.messenger)
        const [mine, his] = [makeMemoryAddressBook(), makeMemoryAddressBook()]
        add(his, peer("carol"), { via: "manual" })
        yield* servePeerExchange(bob.overlay).pipe(Effect.provideService(AddressBook, his))
        const told = yield* exchangePeers(alice.overlay, toBob).pipe(Effect.provideService(AddressBook, mine))
        expect(told).toBe(1)
        expect(mine.entries()).toEqual([{ peer: peer("carol"), source: { via: "peer exchange", from: toBob } }])
      })
    ))

  it("answers a peer once a minute, and tells of who asks more often", () =>
    runTimed(
      Effect.gen(function* () {
        const alice = yield* makeNode()
        const bob = yield* makeNode()
        const [toBob, toAlice] = yield* join(alice.messenger, bob.messenger)
        yield* servePeerExchange(bob.overlay)
        expect(yield* exchangePeers(alice.overlay, toBob)).toBe(0)
        const error = yield* Effect.flip(exchangePeers(alice.overlay, toBob))
        expect(error).toMatchObject({ reason: { _tag: "Refused", message: "once a minute" } })
        expect(yield* bob.faulted("flood")).toMatchObject({ peer: toAlice })
        yield* TestClock.adjust(EXCHANGE_INTERVAL_MS)
        expect(yield* exchangePeers(alice.overlay, toBob)).toBe(0)
      })
    ))

  it("keeps what a libp2p node finds, with the way by which it was found", async () => {
    const book = makeMemoryAddressBook()
    const sources = ["mdns", "bootstrap", "dht", "identify"] as const
    const found = Stream.fromIterable(sources.map((source) => ({ ...peer(source), source })))
    await Effect.runPromise(keepFound(found).pipe(Effect.provideService(AddressBook, book)))
    expect(book.entries().map(({ source }) => source.via)).toEqual(["mdns", "bootstrap", "kademlia", "identify"])
  })
})

describe("an address book in memory", () => {
  const mallory = { via: "peer exchange", from: "mallory" } as const

  it("takes so many of one teller, whoever he tells of", () => {
    const book = makeMemoryAddressBook()
    for (let i = 0; i < 2 * MAX_BOOK_PEERS_OF_ONE; i++) add(book, peer(`m${i}`), mallory)
    expect(book.entries().length).toBe(MAX_BOOK_PEERS_OF_ONE)
    add(book, peer("alice"), { via: "peer exchange", from: "bob" })
    expect(book.entries().length).toBe(MAX_BOOK_PEERS_OF_ONE + 1)
  })

  it("lets no teller change what another told, or what is known by oneself", () => {
    const book = makeMemoryAddressBook()
    add(book, peer("alice"), { via: "manual" })
    add(book, peer("bob"), { via: "peer exchange", from: "carol" })
    add(book, peer("alice", "/ip4/192.0.2.66/tcp/1"), mallory)
    add(book, peer("bob", "/ip4/192.0.2.66/tcp/1"), mallory)
    expect(book.entries().map((entry) => entry.peer)).toEqual([peer("alice"), peer("bob")])
    add(book, peer("bob", "/ip4/192.0.2.7/tcp/1"), { via: "peer exchange", from: "carol" })
    expect(book.entries().at(-1)?.peer.addresses).toEqual(["/ip4/192.0.2.7/tcp/1"])
  })

  it("is not full for good when strangers have come with one new key after the other", () => {
    const book = makeMemoryAddressBook()
    add(book, peer("named"), { via: "manual" })
    add(book, peer("told"), { via: "peer exchange", from: "bob" })
    for (let i = 0; i < 2 * MAX_BOOK_PEERS; i++) add(book, peer(`key${i}`), { via: "identify" })
    add(book, peer("latest"), { via: "kademlia" })
    const names = book.entries().map(({ peer: { peerId } }) => peerId)
    expect(names).toHaveLength(MAX_BOOK_PEERS_OF_A_WAY + 3)
    expect(names).toEqual(expect.arrayContaining(["named", "told", "latest", `key${2 * MAX_BOOK_PEERS - 1}`]))
  })

  it("gives some at random, and in turn of each teller: none fills it with what he told of last", () => {
    const book = makeMemoryAddressBook()
    for (let i = 0; i < 100; i++) add(book, peer(`k${i}`), { via: "identify" })
    for (let i = 0; i < MAX_BOOK_PEERS_OF_ONE; i++) add(book, peer(`m${i}`), mallory)
    const some = () => Effect.runSync(book.some(100)).map(({ peerId }) => peerId)
    const [first, second] = [some(), some()]
    for (const names of [first, second]) {
      expect(new Set(names).size).toBe(100)
      expect(names.filter((name) => name.startsWith("k"))).toHaveLength(50)
    }
    expect(first).not.toEqual(second)
    expect(Effect.runSync(book.some(1000))).toHaveLength(100 + MAX_BOOK_PEERS_OF_ONE)
  })

  it("is never larger than it may be, and forgets none that is known by oneself", () => {
    const book = makeMemoryAddressBook()
    add(book, peer("own"), { via: "bootstrap" })
    for (let i = 0; i < MAX_BOOK_PEERS + 500; i++)
      add(book, peer(`p${i}`), { via: "peer exchange", from: `t${i >> 7}` })
    expect(book.entries().length).toBe(MAX_BOOK_PEERS)
    expect(book.entries()[0]?.peer.peerId).toBe("own")
    expect(Effect.runSync(book.some(5)).length).toBe(5)
  })
})
