import * as NodeServices from "@effect/platform-node/NodeServices"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { layerHttpDoor, listenHttp, writeCookie } from "@satwire/http-door"
import { amount, kind, method, methodTable, optional, required, result, rpcError } from "@satwire/json-rpc"
import { layerRpc } from "@satwire/json-rpc/server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { afterAll, beforeAll, expect, it } from "vitest"
import { freshHome, run } from "./Program.ts"
import { say } from "./Say.ts"

const methods = [
  method({
    name: "echo",
    category: "hidden",
    about: "Says what it heard.",
    params: [required("n", kind.integer, ""), optional("text", kind.string, ""), optional("rest", kind.json, "")],
    result: result.any(""),
    run: ({ n, text, rest }) => Effect.succeed({ n, text, rest, fee: amount(n) })
  }),
  method({
    name: "hello",
    category: "control",
    about: "Says hello.",
    params: [],
    result: result.string(""),
    run: () => Effect.succeed("hello")
  }),
  method({
    name: "stop",
    category: "control",
    about: "Fails.",
    params: [],
    result: result.none(),
    run: () => Effect.fail(rpcError("INVALID_PARAMETER", "not today"))
  })
]

let port = 0
let datadir = ""
let warmingUp = 0
let close: () => Promise<void>
beforeAll(async () => {
  // Made here, as the homes of `freshHome` go after each test.
  datadir = mkdtempSync(join(tmpdir(), "satwire-rpc-"))
  mkdirSync(join(datadir, "regtest"))
  let ready: (port: number) => void
  const bound = new Promise<number>((resolve) => (ready = resolve))
  const warmup = Effect.sync(() => (warmingUp-- > 0 ? "Loading…" : undefined))
  const node = Effect.gen(function* () {
    const cookie = yield* writeCookie(join(datadir, "regtest", ".cookie"))
    const routes = layerRpc(methodTable(methods), { warmingUp: warmup })
    const [address] = yield* Effect.provide(
      listenHttp(routes, { addresses: [{ host: "127.0.0.1", port: 0 }] }),
      layerHttpDoor({ credentials: [cookie, { user: "alice", password: "secret" }], onRefusal: () => Effect.void })
    )
    ready(address !== undefined && "port" in address ? address.port : 0)
    return yield* Effect.never
  })
  const fiber = Effect.runFork(node.pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
  port = await bound
  close = () => Effect.runPromise(Fiber.interrupt(fiber))
})
afterAll(async () => {
  await close()
  rmSync(datadir, { recursive: true, force: true })
})

const rpc = (...args: ReadonlyArray<string>): ReadonlyArray<string> => [
  "rpc",
  "-regtest",
  `-datadir=${datadir}`,
  `-rpcport=${port}`,
  ...args
]

it("prints a text bare, and all else as JSON with two spaces, with the cookie of the data directory", async () => {
  expect(await say(rpc("hello"))).toEqual({ code: 0, stdout: "hello", stderr: "" })
  expect((await say(rpc("echo", "7", "7", '{"a":[1.50]}'))).stdout).toBe(
    '{\n  "n": 7,\n  "text": "7",\n  "rest": {\n    "a": [\n      1.50\n    ]\n  },\n  "fee": 0.00000007\n}'
  )
})
it("takes arguments that begin with a dash, by name, and from standard input", async () => {
  expect(JSON.parse((await say(rpc("echo", "-1", "-regtest"))).stdout)).toMatchObject({ n: -1, text: "-regtest" })
  expect(JSON.parse((await say(rpc("-named", "echo", "3", "text=a=b"))).stdout)).toMatchObject({ n: 3, text: "a=b" })
  expect(JSON.parse((await say(rpc("-stdin", "echo", "3"), "a word\n[true]\n")).stdout)).toMatchObject({
    text: "a word",
    rest: [true]
  })
})
it("says an error as bitcoin-cli does, and ends with its code", async () => {
  const failed = await say(rpc("stop"))
  expect(failed).toEqual({ code: 8, stdout: "", stderr: "error code: -8\nerror message:\nnot today" })
  expect(await say(rpc("echo", "x"))).toMatchObject({
    code: 3,
    stderr: expect.stringContaining(
      '"Position 1 (n)": "JSON value of type string is not of expected type number"'
    ) as string
  })
})
it("says in one sentence why nobody answers", async () => {
  const wrong = await say(rpc("-rpcuser=alice", "-rpcpassword=wrong", "hello"))
  expect(wrong).toMatchObject({
    code: 1,
    stderr: `satwire: http://127.0.0.1:${port}/: the user or the password is wrong`
  })
  expect(await say(rpc("-rpcuser=alice", "-rpcpassword=secret", "hello"))).toMatchObject({ code: 0, stdout: "hello" })
  const home = freshHome()
  const lost = await say(["rpc", "-regtest", `-datadir=${home}`, "hello"])
  expect(lost.stderr).toContain(`satwire: no password: there is no cookie in ${join(home, "regtest", ".cookie")}`)
  mkdirSync(join(home, "regtest", ".cookie"), { recursive: true })
  const unreadable = await say(["rpc", "-regtest", "-rpcwait", `-datadir=${home}`, "hello"])
  expect(unreadable.stderr).toContain(
    `the cookie ${join(home, "regtest", ".cookie")} cannot be read: it is a directory`
  )
  const nobody = await say(["rpc", `-datadir=${home}`, "-rpcconnect=127.0.0.1:1", "-rpcpassword=x", "hello"])
  expect(nobody).toMatchObject({
    code: 1,
    stderr:
      "satwire: http://127.0.0.1:1/: nobody listens there: start the node, or say where it is with --rpcconnect and --rpcport"
  })
})
it("waits for a node that warms up where it is told to", async () => {
  warmingUp = 2
  expect(await say(rpc("hello"))).toMatchObject({ code: 28, stderr: "error code: -28\nerror message:\nLoading…" })
  expect(await say(rpc("-rpcwait", "hello"))).toMatchObject({ code: 0, stdout: "hello" })
  expect(warmingUp).toBeLessThan(0)
  const never = await say(["rpc", "-rpcwait", "-rpcwaittimeout=0.05", `-datadir=${freshHome()}`, "hello"])
  expect(never.stderr).toContain("no password")
})
it("is a command of the program", async () => {
  expect(await run(rpc("hello"))).toMatchObject({ code: 0, stdout: "hello\n", stderr: "" })
})
