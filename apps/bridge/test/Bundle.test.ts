/** What npm gets: one file that runs with nothing around it, and carries. */
import { execFileSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { bin, start } from "./Program.ts"

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "satwire-bridge-bundle-"))

beforeAll(() => {
  const tsup = fileOf("../../../node_modules/tsup/dist/cli-default.js")
  const args = [tsup, "--config", "../../tsup.app.config.ts", "--out-dir", join(folder, "dist")]
  execFileSync(bin("node"), args, { cwd: fileOf(".."), stdio: "ignore" })
})
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))

describe("the bundle", () => {
  const runtimes = [
    ["node", []],
    ["deno", ["run", "-A"]]
  ] as const
  it.each(runtimes.filter(([name]) => existsSync(bin(name))))(
    "carries on %s without a package around it",
    async (name, before) => {
      const node = createServer((socket) => socket.on("error", () => undefined).pipe(socket))
      node.listen(0, "127.0.0.1")
      await once(node, "listening")
      const target = `127.0.0.1:${(node.address() as AddressInfo).port}`
      const args = ["--listen=127.0.0.1:0", `--allow=${target}`, "--origin=none"]
      const program = [bin(name), ...before, join(folder, "dist/main.js")]
      const bridge = start(args, { HOME: folder, DENO_DIR: join(folder, "deno") }, program)
      const [, where = ""] = await bridge.printed(/message=listening endpoint=(\S+)/)
      const socket = new WebSocket(`ws://${where}/?to=${target}`)
      await once(socket, "open")
      socket.send(Uint8Array.of(1, 2, 3, 4, 5, 6))
      const [said] = (await once(socket, "message")) as [Buffer]
      expect([...said]).toEqual([1, 2, 3, 4, 5, 6])
      bridge.signal("SIGTERM")
      expect((await bridge.ended).code).toBe(0)
      node.close()
    }
  )

  it("has the licences of all that it carries", () => {
    const licences = readFileSync(join(folder, "dist/THIRD-PARTY-LICENCES.txt"), "utf8")
    for (const name of ["effect", "@effect/platform-node", "ws"]) {
      expect(licences).toMatch(new RegExp(`^${name} \\d`, "m"))
    }
    expect(statSync(join(folder, "dist/main.js")).size).toBeLessThan(1_000_000)
  })
})
