/** Who stands, with events as js-libp2p tells of connections. */
import { assert, it } from "@effect/vitest"
import type { Connection, MultiaddrConnection, PeerId } from "@libp2p/interface"
import { multiaddr } from "@multiformats/multiaddr"
import { parsePeer } from "../src/Addresses.ts"
import { Inbound, ShakingHands, gaterOf, remoteOfConnection } from "../src/Gater.ts"
import { DEFAULT_LIMITS, type Remote } from "../src/NodeOptions.ts"

const PEER = "12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5"

it("one host has a quarter of the places of those who come, and this machine as many as there are", () => {
  const events = new EventTarget()
  const inbound = new Inbound(40)
  inbound.watch(events as Parameters<Inbound["watch"]>[0])
  const dropped: Array<Connection> = []
  const open = (host: string, port: number): Connection => {
    const connection = {
      direction: "inbound",
      remoteAddr: multiaddr(`/ip4/${host}/tcp/${port}`),
      abort: () => void dropped.push(connection)
    } as unknown as Connection
    events.dispatchEvent(new CustomEvent("connection:open", { detail: connection }))
    return connection
  }
  const standing = Array.from({ length: 11 }, (_, i) => open("203.0.113.5", 1000 + i))
  assert.deepStrictEqual(dropped, standing.slice(10))
  assert.isTrue(inbound.isFull(multiaddr("/ip4/203.0.113.5/tcp/1")))
  assert.isFalse(inbound.isFull(multiaddr("/ip4/203.0.113.6/tcp/1")))
  events.dispatchEvent(new CustomEvent("connection:close", { detail: standing[0] as Connection }))
  assert.isFalse(inbound.isFull(multiaddr("/ip4/203.0.113.5/tcp/1")))
  for (let i = 0; i < 31; i++) open("127.0.0.1", 1000 + i)
  assert.strictEqual(dropped.length, 1)
  assert.isTrue(inbound.isFull(multiaddr("/ip4/203.0.113.6/tcp/1")))
})

it("one host that says nothing leaves others their places for handshakes, and has its own again when it is through or gone", () => {
  const events = new EventTarget()
  const shaking = new ShakingHands({ handshakeTimeoutMs: 60_000, maxPending: 16, maxPerHostASecond: 1000 })
  shaking.watch(events as Parameters<ShakingHands["watch"]>[0])
  const comer = (host: string, port: number) =>
    Object.assign(new EventTarget(), {
      remoteAddr: multiaddr(`/ip4/${host}/tcp/${port}`)
    }) as unknown as MultiaddrConnection
  const silent = Array.from({ length: 6 }, (_, i) => comer("203.0.113.5", 1000 + i))
  assert.deepStrictEqual(
    silent.map((one) => shaking.begin(one)),
    [true, true, true, true, false, false]
  )
  assert.isTrue(shaking.begin(comer("203.0.113.6", 1000)))
  silent[0]?.dispatchEvent(new Event("close"))
  events.dispatchEvent(new CustomEvent("connection:open", { detail: silent[1] as MultiaddrConnection }))
  assert.deepStrictEqual(
    [1, 2, 3].map((port) => shaking.begin(comer("203.0.113.5", port))),
    [true, true, false]
  )
})

it("64 bits of IPv6 are one host, whatever addresses of theirs it comes from", () => {
  const events = new EventTarget()
  const inbound = new Inbound(40)
  inbound.watch(events as Parameters<Inbound["watch"]>[0])
  const remote = (network: number, i: number) => multiaddr(`/ip6/2001:db8:0:${network}::${i + 1}/tcp/1000`)
  const dropped: Array<unknown> = []
  for (let i = 0; i < 11; i++) {
    const detail = { direction: "inbound", remoteAddr: remote(5, i), abort: () => dropped.push(i) }
    events.dispatchEvent(new CustomEvent("connection:open", { detail }))
  }
  assert.deepStrictEqual(dropped, [10])
  assert.isTrue(inbound.isFull(remote(5, 99)))
  assert.isFalse(inbound.isFull(remote(6, 0)))

  const comer = (network: number, i: number) =>
    Object.assign(new EventTarget(), { remoteAddr: remote(network, i) }) as unknown as MultiaddrConnection
  const begun = (limits: { readonly maxPending: number; readonly maxPerHostASecond: number }) => {
    const shaking = new ShakingHands({ handshakeTimeoutMs: 60_000, ...limits })
    return [5, 5, 5, 5, 5, 6].map((network, i) => shaking.begin(comer(network, i)))
  }
  assert.deepStrictEqual(begun({ maxPending: 16, maxPerHostASecond: 1000 }), [true, true, true, true, false, true])
  // At most one second ends on the way.
  const hasty = begun({ maxPending: 1000, maxPerHostASecond: 1 })
  assert.isAtMost(hasty.slice(0, 5).filter(Boolean).length, 2)
  assert.isTrue(hasty[5])
})

it("whose key is proven where is told apart from what is said of addresses", () => {
  const asked: Array<Remote> = []
  const isBanned = (who: Remote): boolean => asked.push(who) < 0
  const gater = gaterOf({ isBanned, inbound: new Inbound(40), shakingHands: new ShakingHands(DEFAULT_LIMITS) })
  const address = multiaddr("/ip4/203.0.113.5/tcp/1000")
  const peer = parsePeer(PEER) as PeerId
  void gater.denyDialMultiaddr?.(address.encapsulate(`/p2p/${PEER}`))
  void gater.denyInboundEncryptedConnection?.(peer, { remoteAddr: address } as MultiaddrConnection)
  const who = { host: "203.0.113.5", peerId: PEER }
  assert.deepStrictEqual(asked, [
    { ...who, isProven: false },
    { ...who, isProven: true }
  ])
  assert.isTrue(remoteOfConnection({ remoteAddr: address, remotePeer: peer } as Connection).isProven)
})

it("a ban that comes while a peer's handshake goes on is of that connection, too", () => {
  let isBanned = false
  const gater = gaterOf({
    isBanned: () => isBanned,
    inbound: new Inbound(40),
    shakingHands: new ShakingHands(DEFAULT_LIMITS)
  })
  const comer = { remoteAddr: multiaddr("/ip4/203.0.113.5/tcp/1000") } as MultiaddrConnection
  const peer = parsePeer(PEER) as PeerId
  assert.isFalse(gater.denyInboundEncryptedConnection?.(peer, comer))
  assert.isFalse(gater.denyOutboundEncryptedConnection?.(peer, comer))
  isBanned = true
  assert.isTrue(gater.denyInboundUpgradedConnection?.(peer, comer))
  assert.isTrue(gater.denyOutboundUpgradedConnection?.(peer, comer))
})
