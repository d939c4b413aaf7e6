import { existsSync, statSync } from "node:fs"
import { join } from "node:path"
import { type HttpReply, httpRequest, rawHttp } from "@satwire/testkit"
import { describe, expect, it } from "vitest"
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
})
