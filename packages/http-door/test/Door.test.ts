import { createHmac } from "node:crypto"
import { once } from "node:events"
import { readFile, stat, writeFile } from "node:fs/promises"
import { connect } from "node:net"
import { join } from "node:path"
import { layer as layerFiles } from "@effect/platform-node/NodeFileSystem"
import { parseSubnet } from "@satwire/connections"
import { HTTP_CONNECTIONS, REFUSAL_LINES_PER_MINUTE, readCookie, refusalOf, writeCookie } from "@satwire/http-door"
import { rawHttp, temporaryDirectory } from "@satwire/testkit"
import * as Effect from "effect/Effect"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { AUTHORIZATION, type Served, get, serve } from "./Serving.ts"

describe("a door", () => {
  let served: Served
  beforeAll(async () => {
    served = await serve()
  })
  afterAll(() => served.close())

  test("lets in who has a password, and who needs none", async () => {
    expect(await get(served.port)).toMatchObject({ status: 200, body: "alice" })
    expect(await get(served.port, { Authorization: "" }, "/open")).toMatchObject({ status: 200, body: "open" })
  })

  const here = "127.0.0.1"
  test.each<readonly [string, Record<string, string>, number, string]>([
    ["without a password", { Authorization: "" }, 401, "it has no password"],
    ["of a user that is not", { Authorization: `Basic ${btoa("bob:x")}` }, 401, "its password is wrong"],
    ["of another scheme", { Authorization: "Bearer x" }, 401, "its password is wrong"],
    [
      "to a name that is not ours",
      { Host: "evil.example:8332" },
      403,
      "it names the host evil.example:8332, which this node is not called"
    ],
    [
      "to a name of Tor",
      { Host: `${"a".repeat(55)}d.onion` },
      403,
      `it names the host ${"a".repeat(55)}d.oni, which this node is not called`
    ],
    ["from a page elsewhere", { Origin: "http://evil.example" }, 403, "it comes from a page of http://evil.example"],
    ["from a page of another port", { Origin: `http://${here}:1` }, 403, `it comes from a page of http://${here}:1`],
    ["from a page without an origin", { Origin: "null" }, 403, "it comes from a page of null"],
    ["with what does not belong into a log", { Origin: 'x"<b> y' }, 403, "it comes from a page of x??b??y"],
    [
      "loaded by a page",
      { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors" },
      403,
      "it comes from a page of another site"
    ],
    ["with a head that is too long", { "X-Long": "x".repeat(9000) }, 431, "its head has more than 8192 bytes"]
  ])("refuses a request %s, and says so in one line", async (_, headers, status, why) => {
    const own = await serve()
    const reply = await get(own.port, headers)
    expect(reply).toMatchObject({ status, body: "" })
    if (status === 401) expect(reply.headers.toLowerCase()).toContain('www-authenticate: basic realm="jsonrpc"')
    expect(own.lines).toEqual([`Refused an HTTP request from 127.0.0.1: ${why}`])
    await own.close()
  })
  test("asks strangers' hosts and origins to stay away where it needs no password", async () => {
    expect((await get(served.port, { Host: "evil.example" }, "/open")).status).toBe(403)
    expect((await get(served.port, { Origin: "http://evil.example" }, "/open")).status).toBe(403)
  })
  test("has nothing where there is no route, and says so only to who may ask", async () => {
    expect((await get(served.port, {}, "/nothing")).status).toBe(404)
    expect((await get(served.port, { Host: "evil.example" }, "/nothing")).status).toBe(403)
    expect(served.lines.at(-1)).toContain("it names the host evil.example")
    const trace = await rawHttp(served.port, "TRACE /open HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    expect(trace.status).toBe(403)
  })
  test("refuses who names no host", async () => {
    expect((await rawHttp(served.port, "GET /open HTTP/1.1\r\nConnection: close\r\n\r\n")).status).toBe(403)
    expect(served.lines.at(-1)).toBe("Refused an HTTP request from 127.0.0.1: it names no host")
  })
  test("refuses who names two hosts, whichever stands first", async () => {
    for (const hosts of ["Host: 127.0.0.1\r\nhost: evil.example", "Host: evil.example\r\nHost: 127.0.0.1"]) {
      expect((await rawHttp(served.port, `GET /open HTTP/1.1\r\n${hosts}\r\nConnection: close\r\n\r\n`)).status).toBe(
        400
      )
      expect(served.lines.at(-1)).toBe("Refused an HTTP request from 127.0.0.1: it names more than one host")
    }
  })
  test("refuses what is no HTTP", async () => {
    expect((await rawHttp(served.port, "nonsense\r\n\r\n")).status).toBe(400)
    expect(served.lines.at(-1)).toBe("Refused an HTTP request from 127.0.0.1: it is not HTTP")
  })
  test.each(["localhost", "LOCALHOST:8332", "[::1]:8332", "::1", "127.0.0.1:8332", "192.168.1.7", "localhost."])(
    "is called %s",
    async (host) => {
      expect((await get(served.port, { Host: host })).status).toBe(200)
      expect((await get(served.port, { Host: host, Origin: `http://${host.toLowerCase()}` })).status).toBe(200)
    }
  )
  test("looks at a page's request though the one before came from the same place", async () => {
    expect((await get(served.port)).status).toBe(200)
    expect((await get(served.port, { Origin: "http://evil.example" })).status).toBe(403)
    expect((await get(served.port)).status).toBe(200)
    expect((await get(served.port, { Host: "evil.example" })).status).toBe(403)
  })
  test("is come to by a link from another site", async () => {
    const linked = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate" }
    expect((await get(served.port, linked)).status).toBe(200)
  })
})

test("users of -rpcauth come in by the hash of their password", async () => {
  const hash = createHmac("sha256", "5a17").update("secret").digest("hex")
  const served = await serve({
    credentials: [
      { user: "carol", salt: "5a17", hash },
      { user: "dave", password: "" }
    ]
  })
  const as = async (text: string): Promise<number> =>
    (await get(served.port, { Authorization: `Basic ${btoa(text)}` })).status
  const all = ["carol:secret", "dave:", "carol:", "dave:secret", "carol"].map(as)
  expect(await Promise.all(all)).toEqual([200, 200, 401, 401, 401])
  // Whoever came in last is known again, and nobody else is taken for him.
  const inTurn = ["carol:secret", "carol:secret", "carol:secre", "carol:secret2", "carol:secret", "dave:", "dave:"]
  const statuses: Array<number> = []
  for (const text of inTurn) statuses.push(await as(text))
  expect(statuses).toEqual([200, 200, 401, 401, 200, 200, 200])
  await served.close()
})
test("names and origins come in that the user allows", async () => {
  const served = await serve({ hostNames: ["Node.Example"], origins: ["https://wallet.example"] })
  expect((await get(served.port, { Host: "node.example:8332" })).status).toBe(200)
  expect((await get(served.port, { Origin: "https://wallet.example" })).status).toBe(200)
  expect((await get(served.port, { Host: "evil.example" })).status).toBe(403)
  await served.close()
})
test("a flood of refusals leaves a few lines", async () => {
  const served = await serve()
  for (let i = 0; i < REFUSAL_LINES_PER_MINUTE + 5; i++) await get(served.port, { Host: "evil.example" })
  expect(served.lines).toHaveLength(REFUSAL_LINES_PER_MINUTE)
  await served.close()
})
test("one connection too many takes the place of the one that is idle for longest", async () => {
  const served = await serve()
  const silent = await Promise.all(
    Array.from({ length: HTTP_CONNECTIONS }, async () => {
      const socket = connect(served.port, "127.0.0.1")
      await once(socket, "connect")
      return socket
    })
  )
  const firstGone = Promise.race(
    silent.map((socket) =>
      once(
        socket.resume().on("error", () => {}),
        "close"
      )
    )
  )
  expect(await get(served.port)).toMatchObject({ status: 200, body: "alice" })
  await firstGone
  expect(served.lines.at(-1)).toContain("there are too many connections, and it is idle for longest")
  for (const socket of silent) socket.destroy()
  await served.close()
})
test("a request whose head does not come in time is ended", async () => {
  const served = await serve({ timeoutMs: 100 })
  const reply = await rawHttp(served.port, `GET /guarded HTTP/1.1\r\nAuthorization: ${AUTHORIZATION}\r\n`)
  expect(reply.status).toBe(408)
  expect(served.lines).toEqual(["Refused an HTTP request from 127.0.0.1: it did not come in time"])
  await served.close()
})
test("an address that this machine has not is passed over, unless there is no other", async () => {
  const nowhere = { host: "192.0.2.1", port: 0 }
  const served = await serve({ addresses: [nowhere, { host: "127.0.0.1", port: 0 }] })
  expect((await get(served.port)).status).toBe(200)
  await expect(serve({ addresses: [nowhere] })).rejects.toMatchObject({ _tag: "ServeError" })
  await expect(serve({ addresses: [{ host: "127.0.0.1", port: served.port }] })).rejects.toMatchObject({
    _tag: "ServeError"
  })
  await served.close()
})

test("-rpcallowip: addresses other than this machine's must be named", () => {
  const allowed = [parseSubnet("10.1.0.0/16")].filter((subnet) => subnet !== undefined)
  const rules = { allowed, hostNames: [], origins: [] }
  const reasonOf = (remoteAddress: string | undefined): string | undefined =>
    refusalOf({ remoteAddress, headers: { host: "10.1.0.1" } }, rules)?.reason
  for (const address of ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "10.1.255.255", "::ffff:10.1.0.9"]) {
    expect(reasonOf(address)).toBe(undefined)
  }
  for (const address of ["10.2.0.0", "::2", "fe80::1%eth0", "8.8.8.8", "nonsense", undefined]) {
    expect(reasonOf(address)).toBe("address")
  }
})

describe("the cookie", () => {
  test("is a file of its user alone, anew at each start, gone at the end", async () => {
    const path = join(temporaryDirectory("cookie", onTestFinished), ".cookie")
    await writeFile(path, "old", { mode: 0o666 })
    const seen = await Effect.runPromise(
      Effect.gen(function* () {
        const credential = yield* writeCookie(path)
        const text = yield* Effect.promise(() => readFile(path, "utf8"))
        const { mode } = yield* Effect.promise(() => stat(path))
        const read = yield* readCookie(path)
        return { credential, text, read, mode: mode & 0o777 }
      }).pipe(Effect.scoped, Effect.provide(layerFiles))
    )
    expect(seen.text).toMatch(/^__cookie__:[0-9a-f]{64}$/)
    expect(seen.read).toBe(seen.text)
    expect(seen.mode).toBe(0o600)
    expect(seen.credential).toMatchObject({ user: "__cookie__", password: seen.text.slice("__cookie__:".length) })
    await expect(stat(path)).rejects.toThrow("ENOENT")
  })
  test("of another node is left alone", async () => {
    const path = join(temporaryDirectory("cookie", onTestFinished), ".cookie")
    const program = Effect.andThen(
      writeCookie(path),
      Effect.promise(() => writeFile(path, "another"))
    )
    await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerFiles)))
    expect(await readFile(path, "utf8")).toBe("another")
  })
})
