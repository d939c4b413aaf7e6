/** Who provides what, by keys as js-libp2p writes them. */
import { assert, describe, it } from "@effect/vitest"
import { MAX_PROVIDED, MAX_PROVIDED_OF_ONE, MAX_TOLD_PROVIDERS, ProviderStore } from "../src/ProviderStore.ts"

type Key = Parameters<ProviderStore["put"]>[0]

/** All that the store asks of a key. */
const keyOf = (content: string, peer: string) => ({ toString: () => `/dht/provider/${content}/${peer}` }) as Key
const value = Uint8Array.of(1)

const peersOf = (store: ProviderStore, prefix: string): ReadonlyArray<string> =>
  [...store._all({ prefix })].map(({ key }) => key.toString().split("/").at(-1) ?? "")

describe("records of who provides what", () => {
  it("are found by their content, and among all", () => {
    const store = new ProviderStore("self")
    for (const peer of ["a", "b"]) store.put(keyOf("x", peer), value)
    store.put(keyOf("y", "c"), value)
    store.put(keyOf("x", "a"), value)
    assert.deepStrictEqual(peersOf(store, "/dht/provider/x"), ["b", "a"])
    assert.deepStrictEqual(peersOf(store, "/dht/provider/z"), [])
    assert.deepStrictEqual(peersOf(store, "/dht/provider"), ["b", "c", "a"])
    store.delete(keyOf("x", "a"))
    assert.isFalse(store.has(keyOf("x", "a")))
    assert.deepStrictEqual(peersOf(store, "/dht/provider/x"), ["b"])
  })

  it("are so many of one peer and of all, whoever says that he has everything, and our own stay", () => {
    const store = new ProviderStore("self")
    store.put(keyOf("ours", "self"), value)
    store.put(keyOf("theirs", "honest"), value)
    for (let i = 0; i < 3 * MAX_PROVIDED_OF_ONE; i++) store.put(keyOf(`c${i}`, "liar"), value)
    assert.strictEqual(peersOf(store, "/dht/provider").length, MAX_PROVIDED_OF_ONE + 2)
    for (let i = 0; i < MAX_PROVIDED; i++) store.put(keyOf(`d${i}`, `liar${i >> 8}`), value)
    assert.strictEqual(peersOf(store, "/dht/provider").length, MAX_PROVIDED)
    assert.deepStrictEqual(peersOf(store, "/dht/provider/ours"), ["self"])
  })

  it("have short names, and so many of one content are told of", () => {
    const store = new ProviderStore("self")
    store.put(keyOf("z".repeat(300), "a"), value)
    assert.deepStrictEqual(peersOf(store, "/dht/provider"), [])
    store.put(keyOf("x", "self"), value)
    for (let i = 0; i < 1000; i++) store.put(keyOf("x", `p${i}`), value)
    const told = peersOf(store, "/dht/provider/x")
    assert.strictEqual(told.length, MAX_TOLD_PROVIDERS + 1)
    assert.includeMembers([...told], ["self", "p999"])
  })
})
