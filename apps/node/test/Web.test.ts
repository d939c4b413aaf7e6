import { existsSync, statSync } from "node:fs"
import { join } from "node:path"
import { type HttpReply, httpRequest, rawHttp } from "@satwire/testkit"
import { describe, expect, it } from "vitest"
import type { RpcWhitelist } from "../src/config/Values.ts"
import { callRights } from "../src/web/RpcRoutes.ts"
import { type Running, run, start } from "./Program.ts"

const QUIET = ["-regtest", "-noconnect", "-bind=127.0.0.1:0"]

const portOf = async (node: Running): Promise<number> =>
  Number((await node.printed(/Answers HTTP on 127\.0\.0\.1:(\d+)/))[1])

const get = (port: number, path: string, host = "127.0.0.1"): Promise<HttpReply> =>
  rawHttp(port, httpRequest(`GET ${path}`, { Host: host, Connection: "close", "Content-Length": "" }))

describe("what a node serves over HTTP", () => {
  it("tells how it is to who asks from this machine, and of who pretends to be called otherwise it tells a line", async () => {
    const node = start(QUIET)
    const port = await portOf(node)
    await node.printed(/Listening on/)
    const health = await get(port, "/health")
    expect(health.status).toBe(200)
    expect(JSON.parse(health.body)).toMatchObject({ isWell: true, network: "regtest", headersHeight: 0 })
    const metrics = await get(port, "/metrics")
    expect(metrics.body).toContain('\nsatwire_info{version="0.0.0",network="regtest"} 1\n')
    expect((await get(port, "/metrics", "evil.example")).status).toBe(403)
    await node.printed(/Refused an HTTP request from 127\.0\.0\.1: it names the host evil\.example/)
    await node.printed(new RegExp(`Shows itself at http://127\\.0\\.0\\.1:${port}/dashboard`))
    const state = await get(port, "/dashboard/state")
    expect(JSON.parse(state.body)).toMatchObject({ state: { network: "regtest", isPublic: false, peerCount: 0 } })
    expect((await get(port, "/events")).status).toBe(401)
    expect((await get(port, "/dashboard/events")).body).toBe("this is a WebSocket\n")
    const cookie = join(node.home, ".satwire/regtest/.cookie")
    expect(statSync(cookie).mode & 0o777).toBe(0o600)
    const taken = await run([...QUIET, `-rpcport=${port}`])
    expect(taken.code).toBe(1)
    expect(taken.stderr).toBe(
      `satwire: JSON-RPC cannot be served on 127.0.0.1:${port} and [::1]:${port}: another program uses that port: choose one with --rpcport, or do without by --server=0\n`
    )
    node.signal("SIGTERM")
    expect((await node.ended).code).toBe(0)
    expect(existsSync(cookie)).toBe(false)
  })

  it("answers Bitcoin Core's calls for who can read the cookie, and ends when it is told to", async () => {
    const node = start(QUIET)
    const port = await portOf(node)
    await node.printed(/Listening on/)
    const call = (...words: ReadonlyArray<string>) =>
      run(["rpc", "-regtest", `-rpcport=${port}`, ...words], { home: node.home })
    const [info, set] = await Promise.all([call("getnetworkinfo"), call("logging", '["net"]')])
    expect(JSON.parse(info.stdout)).toMatchObject({ subversion: "/satwire:0.0.0/", connections: 0, warnings: [] })
    expect(JSON.parse(set.stdout)).toMatchObject({ net: true, mempool: false })
    const stopped = await call("stop")
    expect(stopped).toMatchObject({ code: 0, stdout: "Satwire stopping\n", stderr: "" })
    expect(await node.ended).toMatchObject({ code: 0, stderr: "" })
  })
})

describe("who may call which method", () => {
  const may = (rpcwhitelist: ReadonlyArray<RpcWhitelist>, rpcwhitelistdefault?: boolean) =>
    callRights({ rpcwhitelist, rpcwhitelistdefault })
  it.each([
    ["everybody everything, where nothing is said", may([]), ["alice stop", "alice uptime", "bob stop", "bob uptime"]],
    ["only what is named, and others nothing", may([{ user: "alice", methods: ["uptime"] }]), ["alice uptime"]],
    [
      "what all lines of a name have in common",
      may([
        { user: "alice", methods: ["uptime", "stop"] },
        { user: "alice", methods: ["stop"] }
      ]),
      ["alice stop"]
    ],
    ["others everything, where that is said", may([{ user: "alice", methods: [] }], false), ["bob stop", "bob uptime"]],
    ["nobody anything", may([], true), []]
  ])("%s", (_, mayCall, calls) => {
    const all = ["alice stop", "alice uptime", "bob stop", "bob uptime"]
    const allowed = all.filter((call) => mayCall(...(call.split(" ") as [string, string])))
    expect(allowed).toEqual(calls)
  })
})
