/** The real program, from source on this runtime, with a pipe where its terminal is. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { afterAll, describe, expect, it, onTestFinished } from "vitest"
import type { Flags } from "../src/cli/ChatCommand.ts"
import { settingsOf } from "../src/cli/Settings.ts"

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const PROGRAM = [
  ...("Deno" in globalThis ? [fileOf("../../../node_modules/.bin/deno"), "run", "-A"] : [process.execPath]),
  "--conditions=@satwire/source",
  fileOf("../src/main.ts")
]
const folder = mkdtempSync(join(tmpdir(), "satwire-chat-"))
const children = new Set<ChildProcess>()

afterAll(() => {
  for (const child of children) child.kill("SIGKILL")
  rmSync(folder, { recursive: true, force: true })
})

const start = (...args: ReadonlyArray<string>) => startIn({}, ...args)

const startIn = (environment: Readonly<Record<string, string>>, ...args: ReadonlyArray<string>) => {
  const [command = "", ...before] = PROGRAM
  const env = { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...environment }
  const child = spawn(command, [...before, ...args], { env, stdio: "pipe" })
  children.add(child)
  let [stdout, stderr] = ["", ""]
  const looks = new Set<() => void>()
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
    for (const look of looks) look()
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
  const ended = new Promise<{ readonly code: number | null; readonly stderr: string }>((resolve) => {
    child.on("close", (code) => {
      children.delete(child)
      resolve({ code, stderr })
    })
  })
  const printed = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(stdout)
        if (found !== null) resolve(found)
      }
      looks.add(look)
      look()
      void ended.then(() => reject(new Error(`ended without ${String(pattern)}:\n${stdout}${stderr}`)))
    })
  const types = (line: string): void => void child.stdin.write(`${line}\n`)
  return { ended, printed, types, signal: (name: NodeJS.Signals) => void process.kill(child.pid ?? 0, name) }
}

const ALONE = ["--no-mdns", "--listen=/ip4/127.0.0.1/tcp/0", `--data=${folder}`]

describe("satwire-chat", () => {
  it("keeps its key where nobody else reads it, and ends well by a word and by a signal", async () => {
    const first = start(...ALONE, "--name=Ann\u001b[2J")
    const [, key] = await first.printed(/you are Ann\[?2J, ([0-9a-f]{16})/)
    first.types("hello")
    await first.printed(/#lobby Ann2J: hello/)
    first.types("/quit")
    expect(await first.ended).toEqual({ code: 0, stderr: "" })
    expect(statSync(join(folder, "identity.json")).mode & 0o777).toBe(0o600)
    const again = start(...ALONE, "--name=Ann")
    expect((await again.printed(/you are Ann, ([0-9a-f]{16})/))[1]).toBe(key)
    again.signal("SIGINT")
    expect((await again.ended).code).toBe(0)
  })

  // Deno has no such hook.
  it.skipIf("Deno" in globalThis)("hears a signal while it loads, and ends well", async () => {
    const hook = `import { registerHooks } from "node:module"
      registerHooks({ resolve(specifier, context, next) {
        if (specifier.endsWith("RunChat.ts")) process.kill(process.pid, "SIGTERM")
        return next(specifier, context)
      } })`
    const preload = `--import=data:text/javascript,${encodeURIComponent(hook)}`
    expect(await startIn({ NODE_OPTIONS: preload }, ...ALONE).ended).toEqual({ code: 0, stderr: "" })
  })

  it("says in one sentence what it cannot do", async () => {
    chmodSync(join(folder, "identity.json"), 0o644)
    const { code, stderr } = await start(...ALONE).ended
    expect(code).toBe(2)
    expect(stderr).toMatch(/^satwire-chat: others may read the key in \S+: chmod 600 it\n$/)
    const other = createServer().listen(0, "127.0.0.1")
    onTestFinished(() => void other.close())
    await once(other, "listening")
    const { port } = other.address() as AddressInfo
    const taken = await start("--ephemeral", "--no-mdns", "--listen=/ip4/127.0.0.1/tcp/0", `--web=127.0.0.1:${port}`)
      .ended
    expect([taken.code, taken.stderr]).toEqual([
      1,
      `satwire-chat: 127.0.0.1:${port} is taken by another process or listener: stop it or choose another port\n`
    ])
  })
})

describe("flags", () => {
  const flags: Flags = {
    name: Option.some("Ann"),
    room: "#Lobby",
    connect: [],
    relay: [],
    listen: [],
    web: Option.none(),
    data: Option.none(),
    ephemeral: true,
    serveRelay: false,
    noMdns: false
  }
  const sentenceOf = (changed: Partial<Flags>): string =>
    Result.match(settingsOf({ ...flags, ...changed }), {
      onFailure: ({ message }) => message,
      onSuccess: () => "it is followed"
    })

  it("need none, and say which of them cannot be followed", () => {
    const settings = Result.getOrThrow(settingsOf(flags))
    expect(settings).toMatchObject({ name: "Ann", room: "lobby", mdns: true, folder: undefined, web: undefined })
    expect(sentenceOf({ web: Option.some("[::1]:0"), connect: ["/ip4/192.0.2.1/tcp/1"] })).toBe("it is followed")
    expect(sentenceOf({ web: Option.some("0.0.0.0:80") })).toMatch(/^the flag --web must be 127\.0\.0\.1/)
    expect(sentenceOf({ connect: ["example.org\u001b"] })).toMatch(
      /^the flag --connect is "example\.org\?", but must be/
    )
    expect(sentenceOf({ room: "two words" })).toMatch(/^the flag --room: a room is called by/)
    expect(sentenceOf({ name: Option.some("##") })).toBe("the flag --name has no letters")
  })
})
