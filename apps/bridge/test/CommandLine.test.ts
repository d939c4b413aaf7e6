import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { once } from "node:events"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describeWithCertificate } from "@satwire/testkit"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import manifest from "../package.json" with { type: "json" }
import { OPTIONS } from "../src/config/Options.ts"
import { type Running, run, start } from "./Program.ts"

const LISTEN = "--listen=127.0.0.1:0"
const listening = async (bridge: Running): Promise<string> =>
  (await bridge.printed(/message=listening endpoint=(\S+)/))[1] ?? ""

const stopped = async (bridge: Running): Promise<string> => {
  bridge.signal("SIGINT")
  const { code, stdout, stderr } = await bridge.ended
  expect([code, stderr]).toEqual([0, ""])
  expect(stdout).toMatch(/message=stopped\n$/)
  return stdout
}

/** A node that says back what it is told. */
const echo = createServer((socket) => socket.on("error", () => undefined).pipe(socket))
let target: string
beforeAll(async () => {
  echo.listen(0, "127.0.0.1")
  await once(echo, "listening")
  target = `127.0.0.1:${(echo.address() as AddressInfo).port}`
})
afterAll(() => void echo.close())

/** What comes back of bytes that go through the bridge. */
const echoed = async (url: string, options: { readonly ca?: string } = {}): Promise<string> => {
  const socket = new WebSocket(`${url}/?to=${target}`, { origin: "https://wallet.example", ...options })
  await once(socket, "open")
  socket.send(new TextEncoder().encode("there and back"))
  const [said] = (await once(socket, "message")) as [Buffer]
  socket.close()
  await once(socket, "close")
  return said.toString()
}

describe("satwire-bridge", () => {
  // Deno has no such hook.
  it.skipIf("Deno" in globalThis)("hears a signal while it loads, and ends well", async () => {
    const hook = `import { registerHooks } from "node:module"
      let told = false
      registerHooks({ resolve(specifier, context, next) {
        if (!told && specifier.includes("RunBridge.ts")) process.kill(process.pid, "SIGTERM")
        told ||= specifier.includes("RunBridge.ts")
        return next(specifier, context)
      } })`
    const preload = `--import=data:text/javascript,${encodeURIComponent(hook)}`
    const ended = await run([LISTEN, `--allow=${target}`, "--origin=*"], { NODE_OPTIONS: preload })
    expect(ended).toMatchObject({ code: 0, stderr: "" })
  })

  it("carries until it is asked to stop, and then closes everything and ends well", async () => {
    const bridge = start([LISTEN, `--allow=${target}`, "--origin=https://wallet.example"])
    const where = await listening(bridge)
    expect(await echoed(`ws://${where}`)).toBe("there and back")
    const log = await stopped(bridge)
    expect(log).toMatch(/message=carrying source=127\.0\.0\.1 origin=https:\/\/wallet\.example target=127\.0\.0\.1:\d+/)
    expect(log).toMatch(/message=carried .*toNodeBytes=14 toPageBytes=14 /)
  })

  it("ends what it carries when it is asked to stop", async () => {
    const bridge = start([LISTEN, "--origin=none", "--json"], { SATWIRE_BRIDGE_ALLOW: target })
    const [, where = ""] = await bridge.printed(/"endpoint":"([^"]+)"/)
    const socket = new WebSocket(`ws://${where}/?to=${target}`)
    await once(socket, "open")
    bridge.signal("SIGTERM")
    const [code] = (await once(socket, "close")) as [number]
    expect(code).toBe(1001)
    const { code: exitCode, stdout } = await bridge.ended
    expect(exitCode).toBe(0)
    for (const line of stdout.trim().split("\n")) expect(JSON.parse(line)).toMatchObject({ level: "INFO" })
  })

  it("says in one line what is wrong with a command line, and ends with 2", async () => {
    const cases = [
      [["--allw=1.2.3.4"], 'there is no option --allw (see "satwire-bridge --help")'],
      [["carry"], 'it has no use for "carry" (see "satwire-bridge --help")'],
      [["--allow"], 'the flag --allow has no value (see "satwire-bridge --help")'],
      [["--origin=*"], "no target is allowed: give --allow, which is"],
      [
        ["--allow=8.8.8.8", "--origin=*", "--tlscert=/none", "--tlskey=/none"],
        "the file /none of tlscert cannot be read"
      ]
    ] as const
    for (const [args, sentence] of cases) {
      const { code, stdout, stderr } = await run(args)
      expect([code, stdout, stderr.split("\n").length]).toEqual([2, "", 2])
      expect(stderr).toContain(`satwire-bridge: ${sentence}`)
    }
  })

  // Deno's console says nothing of a broken pipe: there the bridge goes on without its log.
  it.skipIf("Deno" in globalThis)("stops when nobody reads its log any more", async () => {
    const command = ["bash", "-c", 'set -o pipefail; "$0" "$@" | head -1']
    const source = fileURLToPath(new URL("../src/main.ts", import.meta.url))
    const program = [...command, process.execPath, "--conditions=@satwire/source", source]
    const bridge = start([LISTEN, `--allow=${target}`, "--origin=none"], {}, program)
    const where = await listening(bridge)
    let hasEnded = false
    void bridge.ended.then(() => (hasEnded = true))
    // The first may still find a reader: it is there until it has read its line.
    while (!hasEnded) {
      const socket = new WebSocket(`ws://${where}/?to=${target}`)
      socket.on("error", () => undefined)
      await new Promise((resolve) => {
        socket.once("close", resolve)
        setTimeout(resolve, 200)
      })
      socket.terminate()
    }
    const { code, stdout, stderr } = await bridge.ended
    expect([code, stdout.split("\n").length, stderr]).toEqual([0, 2, ""])
  })

  it("says that its port is taken, and ends with 1", async () => {
    const { code, stderr } = await run([`--listen=${target}`, "--allow=8.8.8.8", "--origin=*"])
    expect(code).toBe(1)
    expect(stderr).toBe(
      `satwire-bridge: ${target} is taken by another process or listener: stop it or choose another port\n`
    )
  })

  it("explains every option, and names its version", async () => {
    const help = (await run(["--help"])).stdout
    for (const name of Object.keys(OPTIONS)) expect(help).toContain(`--${name} `)
    expect(await run(["--version"])).toEqual({ code: 0, stdout: `satwire-bridge ${manifest.version}\n`, stderr: "" })
  })
})

describeWithCertificate(describe, "satwire-bridge with a certificate", ({ key, certificate }) => {
  const folder = mkdtempSync(join(tmpdir(), "satwire-bridge-"))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it("speaks wss", async () => {
    const [keyFile, certificateFile] = [join(folder, "key.pem"), join(folder, "certificate.pem")]
    writeFileSync(keyFile, key)
    writeFileSync(certificateFile, certificate)
    const tls = [`--tlscert=${certificateFile}`, `--tlskey=${keyFile}`]
    const bridge = start([LISTEN, `--allow=${target}`, "--origin=*", ...tls])
    const where = await listening(bridge)
    expect(await echoed(`wss://${where}`, { ca: certificate })).toBe("there and back")
    await stopped(bridge)
  })

  it("says that a file holds no certificate", async () => {
    const file = join(folder, "nothing.pem")
    writeFileSync(file, "nothing")
    const { code, stderr } = await run([`--tlscert=${file}`, `--tlskey=${file}`, "--allow=8.8.8.8", "--origin=*"])
    expect([code, stderr]).toEqual([2, `satwire-bridge: the file ${file} of tlscert is not in PEM\n`])
  })
})
