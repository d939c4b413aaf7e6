/**
 * The program driven as a test framework drives Bitcoin Core's daemon: by the configuration that it writes, the command line that it gives,
 * the cookie that it reads, and methods that it calls until they say what it waits for.
 */
import { existsSync, mkdirSync, readFileSync, watch, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { type PlainJson, type PromiseRpcClient, rpcClient } from "@satwire/json-rpc/promise"
import { describe, expect, it } from "vitest"
import { type Ended, type Running, freshHome, run, start } from "./Program.ts"

const CONFIG = `regtest=1
[regtest]
rpcservertimeout=99000
rpcdoccheck=1
fallbackfee=0.0002
server=1
keypool=1
discover=0
dnsseed=0
fixedseeds=0
listenonion=0
peertimeout=999999999
printtoconsole=0
natpmp=0
shrinkdebugfile=0
unsafesqlitesync=1
bind=127.0.0.1:0
`

interface FrameworkNode {
  readonly process: Running
  readonly directory: string
  /** Where its p2p port is. */
  readonly address: string
  readonly call: (method: string, ...params: ReadonlyArray<PlainJson>) => Promise<PlainJson>
  readonly named: PromiseRpcClient["call"]
}

/** What a file has as soon as that matches. */
const written = (path: string, pattern: RegExp): Promise<RegExpExecArray> =>
  new Promise((resolve) => {
    const look = (): void => {
      const found = existsSync(path) ? pattern.exec(readFileSync(path, "utf8")) : null
      if (found === null) return
      watcher.close()
      resolve(found)
    }
    const watcher = watch(dirname(path), look)
    look()
  })

const directoryFor = (): string => {
  const directory = join(freshHome(), "node")
  mkdirSync(join(directory, "regtest"), { recursive: true })
  writeFileSync(join(directory, "bitcoin.conf"), CONFIG)
  return directory
}

const argsOf = (directory: string, index: number, extra: ReadonlyArray<string>): ReadonlyArray<string> => [
  `-datadir=${directory}`,
  ..."-logtimemicros -debug -debugexclude=libevent -debugexclude=leveldb -debugexclude=rand".split(" "),
  ..."-logthreadnames -logsourcelocations -loglevel=trace -v2transport=0".split(" "),
  `-uacomment=testnode${index}`,
  ...extra
]

const startNode = async (
  directory: string,
  index: number,
  extra: ReadonlyArray<string> = []
): Promise<FrameworkNode> => {
  const log = `debug-${extra.length}.log`
  const process = start(argsOf(directory, index, [...extra, `-debuglogfile=${log}`]))
  const failed = process.ended.then(({ code, stderr }): never => {
    throw new Error(`ended with ${String(code)}: ${stderr}`)
  })
  failed.catch(() => {})
  const file = join(directory, "regtest", log)
  const said = (pattern: RegExp): Promise<RegExpExecArray> => Promise.race([written(file, pattern), failed])
  const [, port] = await said(/Answers HTTP on 127\.0\.0\.1:(\d+)/)
  const [, address = ""] = await said(/Listening on (\S+)\.\n/)
  const credentials = readFileSync(join(directory, "regtest/.cookie"), "utf8")
  const client = rpcClient({ url: `http://127.0.0.1:${port}/`, credentials })
  const call: FrameworkNode["call"] = (method, ...params) => client.call(method, params)
  const node = { process, directory, address, call, named: client.call }
  await until(
    async () => (await call("getmempoolinfo")) as { readonly loaded: boolean },
    ({ loaded }) => loaded
  )
  return node
}

/** Asks again and again, as frameworks do. */
const until = async <A>(ask: () => Promise<A>, holds: (answer: A) => boolean): Promise<A> => {
  for (;;) {
    const answer = await ask()
    if (holds(answer)) return answer
  }
}

/** Frameworks take anything else for a failure of the test. */
const endsQuietly = ({ code, stderr, stdout }: Ended): void => expect([code, stderr, stdout]).toEqual([0, "", ""])

interface PeerSeen {
  readonly subver: string
  readonly permissions: ReadonlyArray<string>
  readonly bytesrecv_per_msg: { readonly [type: string]: number }
}

/** The other one, once a ping went there and back as Core's framework waits for it. */
const peerOf = async ({ call }: FrameworkNode, index: number): Promise<PeerSeen | undefined> => {
  const peers = await until(
    async () => (await call("getpeerinfo")) as unknown as ReadonlyArray<PeerSeen>,
    (all) => all.some(({ bytesrecv_per_msg: { pong = 0, verack = 0 } }) => pong >= 29 && verack >= 21)
  )
  return peers.find(({ subver }) => subver.includes(`testnode${index}`))
}

describe("a test framework written for Bitcoin Core", () => {
  it("starts two nodes, has them meet, makes blocks and a transaction, and stops them without a sound", async () => {
    const whitelist = "-whitelist=noban,in,out@127.0.0.1"
    const [a, b] = await Promise.all([startNode(directoryFor(), 0, [whitelist]), startNode(directoryFor(), 1)])
    const { version } = (await a.call("getnetworkinfo")) as { readonly version: number }
    expect(version).toBeGreaterThanOrEqual(300_000)
    const made = (await a.call("generatetodescriptor", 101, "raw(51)")) as ReadonlyArray<string>
    expect(await a.call("addnode", b.address, "onetry")).toBeNull()
    expect((await peerOf(a, 1))?.permissions).toEqual(["noban", "download"])
    expect((await peerOf(b, 0))?.permissions).toEqual([])
    expect(await b.call("waitforblockheight", 101)).toEqual({ hash: made[100], height: 101 })

    const { unspents } = (await a.call("scantxoutset", "start", ["raw(51)"])) as {
      readonly unspents: ReadonlyArray<PlainJson>
    }
    expect(unspents).toHaveLength(101)
    const first = (await a.named("getblock", { args: [made[0] ?? ""], verbosity: 1 })) as {
      readonly tx: ReadonlyArray<string>
    }
    const input = { txid: first.tx[0] ?? "", vout: 0 }
    const raw = await a.call("createrawtransaction", [input], [{ data: "00".repeat(60) }])
    const txid = (await a.call("sendrawtransaction", raw, 0)) as string
    await a.call("generateblock", "raw(51)", [txid])
    await b.call("waitforblockheight", 102)
    expect(await b.call("getbestblockhash")).toBe(await a.call("getbestblockhash"))
    expect(await b.call("getrawtransaction", txid, 0, await b.call("getbestblockhash"))).toBe(raw)

    expect(await a.call("stop")).toMatch(/stopping$/)
    endsQuietly(await a.process.ended)
    // Whoever waits for a block when the node stops is told where it stands.
    const waiting = b.call("waitfornewblock")
    await until(
      () => b.call("getrpcinfo") as Promise<{ readonly active_commands: ReadonlyArray<unknown> }>,
      ({ active_commands: { length } }) => length === 2
    )
    await b.named("stop", { wait: 0 })
    expect(await waiting).toMatchObject({ height: 102 })
    endsQuietly(await b.process.ended)
    expect(existsSync(join(b.directory, "regtest/.cookie"))).toBe(false)

    const again = await startNode(a.directory, 0, ["-prune=1", "-blocksonly=1"])
    expect(await again.call("getblockchaininfo")).toMatchObject({ blocks: 102, pruned: true, automatic_pruning: false })
    expect(await again.call("getnetworkinfo")).toMatchObject({ localrelay: false })
    again.process.signal("SIGTERM")
    endsQuietly(await again.process.ended)
  })

  it("is told in one line on stderr why a node does not start", async () => {
    const { code, stderr, stdout } = await run(argsOf(directoryFor(), 0, ["-uacomment=ac("]))
    expect([code, stdout]).toEqual([2, ""])
    expect(stderr.trim().split("\n")).toHaveLength(1)
    expect(stderr).toContain("uacomment")
  })
})
