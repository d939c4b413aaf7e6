import { assert, describe, it } from "@effect/vitest"
import type { Json, JsonObject } from "@satwire/json-rpc"
import { portableSha256 } from "@satwire/crypto"
import { V1Framing } from "@satwire/framing"
import { regtest } from "@satwire/primitives"
import { NODE_NETWORK, NODE_WITNESS, NO_ADDRESS, VERACK } from "@satwire/wire"
import { COINS_NOT_VERIFIED } from "@satwire/rpc"
import { subnetOf } from "@satwire/connections"
import { Dialer } from "@satwire/transport"
import { layerTcp } from "@satwire/transport-tcp"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { unixOf } from "../src/network/NetworkNames.ts"
import { Instant, UnixSeconds } from "@satwire/machine"
import { type Bench, startBench, table } from "./RpcBench.ts"

/** All that Core shows of a peer on its master, in its order. */
const PEER_FIELDS =
  "id addr addrbind addrlocal network mapped_as services servicesnames relaytxes last_inv_sequence inv_to_send lastsend lastrecv " +
  "last_transaction last_block bytessent bytesrecv conntime timeoffset pingtime minping pingwait version subver inbound bip152_hb_to " +
  "bip152_hb_from startingheight presynced_headers synced_headers synced_blocks inflight addr_relay_enabled addr_processed addr_rate_limited permissions " +
  "minfeefilter bytessent_per_msg bytesrecv_per_msg connection_type transport_protocol_type session_id"

/** What is known of some peers only: where they see us, whose network they are on, and what a ping that is out or back tells. */
const SOMETIMES = new Set(["addrlocal", "mapped_as", "pingtime", "minping", "pingwait"])

const withBlocks = {
  blocks: { serve: true },
  addresses: { isAutomatic: false },
  services: NODE_NETWORK | NODE_WITNESS,
  roles: {
    headers: { serve: true, announce: true },
    mining: { payTo: Uint8Array.of(0x51) },
    transactions: { relays: true }
  }
}

const onlyPeer = (bench: Bench): Effect.Effect<JsonObject> =>
  Effect.map(bench.objects("getpeerinfo"), (peers) => {
    assert.lengthOf(peers, 1)
    return peers[0] as JsonObject
  })

/** Asks again until the answer is as wanted. */
const asks = (bench: Bench, isWanted: (peer: JsonObject) => boolean): Effect.Effect<JsonObject> =>
  Effect.repeat(onlyPeer(bench), { until: isWanted, schedule: Schedule.spaced(5) })

/** Waits until there are so many connections, all of them with hands shaken. */
const settled = (bench: Bench, count: number): Effect.Effect<unknown> =>
  Effect.repeat(bench.node.query("peers"), {
    until: (peers) => peers.length === count && peers.every(({ state }) => state === "ready"),
    schedule: Schedule.spaced(5)
  })

const connected = (server: Bench, client: Bench, params: ReadonlyArray<Json> = []): Effect.Effect<unknown> =>
  Effect.andThen(
    client.ask("addnode", [server.address, "onetry", ...params]),
    Effect.all([settled(client, 1), settled(server, 1)])
  )

const OTHER = "*other*"

const sum = (counts: Json | undefined): number =>
  Object.values(counts as Record<string, number>).reduce((total, bytes) => total + bytes, 0)

describe("getpeerinfo", () => {
  it.effect("documents the fields of Core, all of them, in their order and no others", () =>
    Effect.sync(() => {
      const [of] = table.methods.get("getpeerinfo")?.results ?? []
      assert.strictEqual(Object.keys(of?.item?.fields ?? {}).join(" "), PEER_FIELDS)
      const optional = Object.entries(of?.item?.fields ?? {}).filter(([, field]) => field.optional)
      assert.sameMembers(
        optional.map(([name]) => name),
        [...SOMETIMES, "addrbind"]
      )
    })
  )

  it.live.each([
    ["v2", true],
    ["v1", false]
  ] as const)("tells both ends of a connection in %s what passed between them", ([transport, v2transport]) =>
    Effect.scoped(
      Effect.gen(function* () {
        const began = Math.floor(Date.now() / 1000)
        const [server, client] = [yield* startBench(withBlocks), yield* startBench(withBlocks)]
        yield* connected(server, client, [v2transport])
        yield* server.node.makeBlock
        yield* asks(client, (peer) => peer["synced_blocks"] === 1)
        yield* client.node.makeBlock
        const ofServer = yield* asks(client, (peer) => (peer["last_block"] as number) > 0 && "minping" in peer)
        const ofClient = yield* asks(server, (peer) => (peer["last_block"] as number) > 0 && "minping" in peer)
        for (const peer of [ofServer, ofClient]) {
          const expected = PEER_FIELDS.split(" ").filter((name) => name in peer || !SOMETIMES.has(name))
          assert.deepStrictEqual(Object.keys(peer), expected)
          assert.deepInclude(peer, {
            network: "not_publicly_routable",
            services: "0000000000000809",
            servicesnames: ["NETWORK", "WITNESS", "P2P_V2"],
            relaytxes: true,
            version: 70_017,
            subver: "/satwire-test:0.0.0(a b)/",
            presynced_headers: -1,
            inflight: [],
            permissions: [],
            addr_relay_enabled: true,
            addr_processed: 0,
            addr_rate_limited: 0,
            last_transaction: 0,
            inv_to_send: 0,
            transport_protocol_type: transport
          })
          for (const name of ["lastsend", "lastrecv", "conntime", "last_block"]) {
            assert.isAtLeast(peer[name] as number, began)
            assert.isAtMost(peer[name] as number, Math.floor(Date.now() / 1000) + 1)
          }
          assert.isAtMost(Math.abs(peer["timeoffset"] as number), 2)
          // Encrypted, there are keys and garbage besides.
          const [more, less] = [peer["bytesrecv"] as number, sum(peer["bytesrecv_per_msg"])]
          if (transport === "v1") assert.strictEqual(more, less)
          else assert.isAtLeast(more, less + 64)
          assert.containsAllKeys(peer["bytesrecv_per_msg"] as object, ["version", "verack", "ping"])
          assert.strictEqual((peer["session_id"] as string).length, transport === "v2" ? 64 : 0)
        }
        assert.deepInclude(ofServer, { addr: server.address, inbound: false, connection_type: "manual" })
        assert.deepInclude(ofClient, { addrbind: server.address, inbound: true, connection_type: "inbound" })
        assert.deepStrictEqual(
          [ofServer["addrbind"], ofServer["session_id"]],
          [ofClient["addr"], ofClient["session_id"]]
        )
        // Each told the other of the block that it made itself.
        assert.deepInclude(ofServer, { synced_headers: 1, synced_blocks: 1 })
        assert.deepInclude(ofClient, { synced_headers: 2, synced_blocks: 2 })
      })
    )
  )

  it.live("tells little of one that has not said who it is, and what our user allows it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const loopback = { network: "ipv4", address: Uint8Array.of(127, 0, 0, 1) } as const
        const permissions = new Set(["download", "noban", "relay"] as const)
        const server = yield* startBench({ permissions: [{ subnet: subnetOf(loopback), permissions }] })
        const dialler = yield* Dialer
        const connection = yield* dialler.dial(server.node.listening ?? { host: "", port: 0 }, { timeoutMs: 5000 })
        const peer = yield* Effect.repeat(server.objects("getpeerinfo"), {
          until: (peers) => peers.length === 1,
          schedule: Schedule.spaced(5)
        })
        connection.destroy()
        assert.deepInclude(peer[0], {
          addrbind: server.address,
          services: "0000000000000000",
          servicesnames: [],
          version: 0,
          subver: "",
          lastrecv: 0,
          bytesrecv: 0,
          bytesrecv_per_msg: {},
          relaytxes: false,
          last_inv_sequence: 0,
          permissions: ["noban", "relay", "download"],
          transport_protocol_type: "detecting",
          session_id: ""
        })
      })
    ).pipe(Effect.provide(layerTcp))
  )

  it.live("tells where a peer sees us, how long it owes us a pong, and what nobody knows of what it sent", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* startBench()
        const dialler = yield* Dialer
        const connection = yield* dialler.dial(server.node.listening ?? { host: "", port: 0 }, { timeoutMs: 5000 })
        const framing = new V1Framing({ magic: regtest.magic, sha256: portableSha256 })
        // `::ffff:20.1.2.3`, and how that stands in a version message.
        const ip = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 20, 1, 2, 3)
        const own = {
          services: 0n,
          startHeight: 0,
          userAgent: "/\u0007other:1/",
          relay: false,
          nonce: 7n,
          sender: NO_ADDRESS
        }
        const receiver = { services: 0n, ip, port: 8333 }
        framing.send({ _tag: "version", protocolVersion: 70_016, time: 1n, receiver, ...own })
        framing.send(VERACK)
        framing.send({ _tag: "*raw*", command: "what", payload: new Uint8Array(3) })
        framing.send({ _tag: "*raw*", command: "\u0001", payload: new Uint8Array(1) })
        connection.write(framing.takeOutput() ?? new Uint8Array(0))
        const peer = yield* asks(server, ({ bytesrecv_per_msg: counts }) => OTHER in (counts as object))
        connection.destroy()
        assert.deepInclude(peer, { addrlocal: "20.1.2.3:8333", subver: "/other:1/", version: 70_016 })
        assert.isAbove(peer["pingwait"] as number, 0)
        assert.isBelow(peer["pingwait"] as number, 60)
        assert.deepStrictEqual(Object.keys(peer["bytesrecv_per_msg"] as object), [OTHER, "verack", "version"])
        assert.strictEqual((peer["bytesrecv_per_msg"] as Record<string, number>)[OTHER], 24 + 3 + 24 + 1)
      })
    ).pipe(Effect.provide(layerTcp))
  )

  it("reckons times back from now, up to whole seconds", () => {
    const now = { instant: Instant(10_000), unix: UnixSeconds(1000) }
    assert.deepStrictEqual(
      [undefined, 10_000, 9_999, 9_001, 9_000, 0].map((at) => unixOf(at === undefined ? at : Instant(at), now)),
      [0, 1000, 1000, 1000, 999, 990]
    )
  })
})

describe("connections", () => {
  it.live("are added, told of, tried once, ended and counted", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const [server, client] = [yield* startBench(), yield* startBench()]
        const { address } = server
        assert.strictEqual(yield* client.ask("getconnectioncount"), 0)
        assert.isNull(yield* client.ask("addnode", [address, "add"]))
        assert.deepStrictEqual(yield* client.fails("addnode", [address, "add"]), [-23, "Error: Node already added"])
        yield* settled(client, 1)
        assert.strictEqual(yield* client.ask("getconnectioncount"), 1)
        const added = [{ addednode: address, connected: true, addresses: [{ address, connected: "outbound" }] }]
        assert.deepStrictEqual<Json>(yield* client.ask("getaddednodeinfo"), added)
        assert.deepStrictEqual<Json>(yield* client.ask("getaddednodeinfo", { node: address }), added)
        const [[code]] = [yield* client.fails("getaddednodeinfo", ["127.0.0.1:1"])]
        assert.strictEqual(code, -24)
        assert.isNull(yield* client.ask("addnode", [address, "remove"]))
        assert.strictEqual((yield* client.fails("addnode", [address, "remove"]))[0], -24)
        yield* settled(client, 0)
        assert.deepStrictEqual(yield* client.ask("getaddednodeinfo"), [])
        const [wrong, usage] = yield* client.fails("addnode", [address, "append"])
        assert.strictEqual(wrong, -1)
        assert.match(usage, /^addnode "node" "command"/)
        assert.strictEqual((yield* client.fails("addnode", ["no host:", "add"]))[0], -8)
      })
    )
  )

  it.live("are ended by address or by id, and by one of both", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const [server, client] = [yield* startBench(), yield* startBench()]
        yield* connected(server, client)
        const { addr, id } = yield* onlyPeer(server)
        assert.strictEqual((yield* server.fails("disconnectnode"))[0], -32_602)
        assert.strictEqual((yield* server.fails("disconnectnode", [addr ?? null, id ?? null]))[0], -32_602)
        assert.strictEqual((yield* server.fails("disconnectnode", ["127.0.0.1:1"]))[0], -29)
        assert.strictEqual((yield* server.fails("disconnectnode", { nodeid: 77 }))[0], -29)
        assert.isNull(yield* server.ask("disconnectnode", [addr ?? null]))
        yield* settled(client, 0)
        yield* connected(server, client)
        const again = yield* Effect.map(client.objects("getpeerinfo"), (peers) => peers.at(-1)?.["id"] ?? null)
        assert.isNull(yield* client.ask("disconnectnode", ["", again]))
        yield* Effect.all([settled(client, 0), settled(server, 0)])
      })
    )
  )

  it.live("of every kind are opened on regtest, as many as there are places for, in the transport that is named", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* startBench({ services: NODE_NETWORK | NODE_WITNESS })
        const client = yield* startBench({ maxFullRelay: 1, maxBlockRelayOnly: 1, addresses: { isAutomatic: false } })
        const open = (of: string, v2 = true) => [server.address, of, v2]
        const opened = { address: server.address, connection_type: "block-relay-only" }
        assert.deepStrictEqual<Json>(yield* client.ask("addconnection", open(" block-relay-only ", false)), opened)
        yield* settled(client, 1)
        const peer = yield* onlyPeer(client)
        assert.deepInclude(peer, { connection_type: "block-relay-only", transport_protocol_type: "v1" })
        assert.strictEqual((yield* client.fails("addconnection", open("block-relay-only")))[0], -34)
        assert.strictEqual((yield* client.fails("addconnection", open("manual")))[0], -8)
        const plain = yield* startBench({ v2transport: false })
        assert.strictEqual((yield* plain.fails("addconnection", open("feeler")))[0], -8)
        assert.strictEqual((yield* plain.fails("addnode", [server.address, "add", true]))[0], -8)
      })
    )
  )

  it.live("are pinged, and sent anything", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const [server, client] = [yield* startBench(), yield* startBench()]
        yield* connected(server, client)
        const { id = null } = yield* asks(server, (peer) => "pingtime" in peer && !("pingwait" in peer))
        assert.isNull(yield* server.ask("ping"))
        const count = (peer: JsonObject) => (peer["bytessent_per_msg"] as Record<string, number>)["ping"] ?? 0
        const ping = count(yield* asks(server, () => true))
        assert.strictEqual(ping % 2, 0)
        assert.deepStrictEqual(yield* server.ask("sendmsgtopeer", [id, "ping", "ff"]), {})
        yield* client.until("MessageDropped")
        assert.deepStrictEqual(yield* server.ask("sendmsgtopeer", [id, "unknown", ""]), {})
        assert.strictEqual((yield* server.fails("sendmsgtopeer", [id, "long_msg_type", "ff"]))[0], -8)
        assert.strictEqual((yield* server.fails("sendmsgtopeer", [id, "ping", "f"]))[0], -8)
        assert.strictEqual((yield* server.fails("sendmsgtopeer", [77, "ping", "ff"]))[0], -1)
      })
    )
  )

  it.live("are all ended, and none begun, while the network is off", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const [server, client] = [yield* startBench(), yield* startBench()]
        yield* connected(server, client)
        assert.isFalse(yield* client.ask("setnetworkactive", [false]))
        yield* settled(server, 0)
        assert.deepInclude(yield* client.ask("getnetworkinfo"), { networkactive: false })
        assert.isTrue(yield* client.ask("setnetworkactive", [true]))
        assert.strictEqual((yield* client.fails("setnetworkactive", ["yes"]))[0], -3)
      })
    )
  )
})

describe("bans", () => {
  it.live("are set, listed and lifted", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const bench = yield* startBench()
        const now = Math.floor(Date.now() / 1000)
        assert.isNull(yield* bench.ask("setban", ["192.0.2.0/24", "add", 600]))
        assert.isNull(yield* bench.ask("setban", ["198.51.100.7", "add"]))
        assert.isNull(yield* bench.ask("setban", ["2001:db8::/32", "add", now + 1000, true]))
        const listed = yield* bench.objects("listbanned")
        assert.deepStrictEqual(
          listed.map(({ address }) => address as string),
          ["192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32"]
        )
        assert.deepStrictEqual(
          listed.slice(0, 2).map((ban) => ban["ban_duration"] as number),
          // The second says nothing: `-bantime` does.
          [600, 43_200]
        )
        assert.strictEqual(listed[2]?.["banned_until"], now + 1000)
        for (const ban of listed) {
          assert.isAtLeast(ban["ban_created"] as number, now)
          assert.isAtMost(ban["time_remaining"] as number, ban["ban_duration"] as number)
        }
        assert.strictEqual((yield* bench.fails("setban", ["192.0.2.0/24", "add"]))[0], -23)
        assert.strictEqual((yield* bench.fails("setban", ["192.0.2.9", "add"]))[0], -23)
        assert.strictEqual((yield* bench.fails("setban", ["192.0.2.9", "remove"]))[0], -30)
        assert.strictEqual((yield* bench.fails("setban", ["192.0.2.0/33", "add"]))[0], -30)
        assert.strictEqual((yield* bench.fails("setban", ["example.org", "add"]))[0], -30)
        assert.strictEqual((yield* bench.fails("setban", ["9.9.9.9", "add", now - 10, true]))[0], -8)
        assert.strictEqual((yield* bench.fails("setban", ["9.9.9.9", "forget"]))[0], -1)
        assert.isNull(yield* bench.ask("setban", ["192.0.2.0/24", "remove"]))
        assert.lengthOf(yield* bench.objects("listbanned"), 2)
        assert.isNull(yield* bench.ask("clearbanned"))
        assert.deepStrictEqual(yield* bench.ask("listbanned"), [])
      })
    )
  )
})

describe("what a node knows", () => {
  it.live("of addresses is told by number, by quality and by place, and added to", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const bench = yield* startBench({ addresses: { isAutomatic: false } })
        const onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
        assert.deepStrictEqual(yield* bench.ask("addpeeraddress", ["1.2.3.4", 8333]), { success: true })
        assert.deepStrictEqual(yield* bench.ask("addpeeraddress", [onion, 8333, true]), { success: true })
        const known = { success: false, error: "failed-adding-to-new" }
        assert.deepStrictEqual(yield* bench.ask("addpeeraddress", ["1.2.3.4", 8333]), known)
        assert.strictEqual((yield* bench.fails("addpeeraddress", ["nowhere", 8333]))[0], -30)
        assert.strictEqual((yield* bench.fails("addpeeraddress", ["1.2.3.4", 70_000]))[0], -1)
        const info = (yield* bench.ask("getaddrmaninfo")) as JsonObject
        assert.deepStrictEqual(Object.keys(info), ["ipv4", "ipv6", "onion", "i2p", "cjdns", "all_networks"])
        assert.deepStrictEqual<unknown>(
          [info["onion"], info["all_networks"]],
          [
            { new: 0, tried: 1, total: 1 },
            { new: 1, tried: 1, total: 2 }
          ]
        )
        const raw = (yield* bench.ask("getrawaddrman")) as { [table: string]: JsonObject }
        const [[place, entry]] = Object.entries(raw["new"] ?? {}) as [[string, JsonObject]]
        assert.match(place, /^\d{1,4}\/\d{1,2}$/)
        assert.deepInclude(entry, {
          address: "1.2.3.4",
          port: 8333,
          services: 9,
          network: "ipv4",
          source: "1.2.3.4",
          source_network: "ipv4"
        })
        assert.lengthOf(Object.keys(raw["tried"] ?? {}), 1)
        assert.lengthOf(yield* bench.objects("getnodeaddresses"), 1)
        assert.lengthOf(yield* bench.objects("getnodeaddresses", [0]), 2)
        const [one] = yield* bench.objects("getnodeaddresses", [5, "onion"])
        assert.deepInclude(one, { address: onion, port: 8333, network: "onion", services: 9 })
        assert.strictEqual((yield* bench.fails("getnodeaddresses", [-1]))[0], -8)
        assert.deepStrictEqual(yield* bench.fails("getnodeaddresses", [1, "tcp"]), [-8, "Network not recognized: tcp"])
        const headersOnly = yield* startBench()
        assert.deepStrictEqual(yield* headersOnly.ask("getnodeaddresses", [0]), [])
        for (const name of ["getaddrmaninfo", "getrawaddrman"]) {
          assert.strictEqual((yield* headersOnly.fails(name))[0], -31)
        }
        assert.strictEqual((yield* headersOnly.fails("addpeeraddress", ["1.2.3.4", 1]))[0], -31)
      })
    )
  )

  it.live("of itself and the network is told, and what it does not verify", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const local = {
          node: { network: "ipv4", address: Uint8Array.of(50, 1, 0, 1), port: 8333 },
          origin: "manual"
        } as const
        const server = yield* startBench({
          services: NODE_NETWORK,
          addresses: { isAutomatic: false, local: [local], networks: ["ipv4", "torv3"] }
        })
        const client = yield* startBench({ uploadTargetBytes: 1_000_000_000 })
        yield* connected(server, client)
        const info = (yield* server.ask("getnetworkinfo")) as JsonObject
        assert.deepInclude(info, {
          version: 10_200,
          subversion: "/satwire-test:0.0.0(a b)/",
          protocolversion: 70_017,
          localservices: "0000000000000801",
          localservicesnames: ["NETWORK", "P2P_V2"],
          localrelay: false,
          timeoffset: 0,
          networkactive: true,
          connections: 1,
          connections_in: 1,
          connections_out: 0,
          localaddresses: [{ address: "50.1.0.1", port: 8333, score: 4 }],
          warnings: [COINS_NOT_VERIFIED]
        })
        const networks = info["networks"] as ReadonlyArray<JsonObject>
        const reachable = networks.filter((network) => network["reachable"] === true)
        assert.deepStrictEqual(
          reachable.map(({ name }) => name as string),
          ["ipv4", "onion"]
        )
        assert.strictEqual(networks.map(({ name }) => name as string).join(" "), "ipv4 ipv6 onion i2p cjdns")
        assert.deepInclude(networks[2], { proxy: "127.0.0.1:9050", proxy_randomize_credentials: true, limited: false })
        const totals = (yield* client.ask("getnettotals")) as JsonObject
        assert.isAbove(totals["totalbytesrecv"] as number, 0)
        assert.isAtMost(Math.abs(Date.now() - (totals["timemillis"] as number)), 60_000)
        const target = totals["uploadtarget"] as JsonObject
        assert.deepInclude(target, { timeframe: 86_400, target: 1_000_000_000, target_reached: false })
        assert.strictEqual(target["bytes_left_in_cycle"], 1_000_000_000 - (totals["totalbytessent"] as number))
        const without = ((yield* server.ask("getnettotals")) as JsonObject)["uploadtarget"]
        assert.deepInclude(without, { target: 0, bytes_left_in_cycle: 0, time_left_in_cycle: 0 })
      })
    )
  )
})
