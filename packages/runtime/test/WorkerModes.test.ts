/**
 * The same job in a worker in every way in which people run these packages: from source, from what is published, and in a bundle made
 * as the app's is; each on Node and on Deno.
 */
import { execFile } from "node:child_process"
import { once } from "node:events"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, rmdirSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { afterAll, beforeAll, describe, expect, test } from "vitest"

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, "../../..")
const bin = join(root, "node_modules/.bin")
const job = fileURLToPath(new URL("./WorkerJob.ts", import.meta.url))
const worker = join(here, "../src/worker.ts")

/** What `WorkerPool` stands on, in the order in which it is built. */
const PACKAGES = ["bytes", "machine", "crypto", "primitives", "consensus", "runtime"]
const HELLO = "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50"
const LIMIT_MS = 60_000

const run = (command: string, args: ReadonlyArray<string>, cwd: string, also: object = {}): Promise<string> =>
  new Promise((done, fail) => {
    const options = { cwd, timeout: LIMIT_MS, env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", ...also } }
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) done(stdout)
      else fail(new Error(`${command} ${args.join(" ")}: ${error.message}\n${stdout}${stderr}`))
    })
  })

const parent = join(root, "dist")
let folder = ""

/** The packages as npm would install them: their manifests and what their own build makes. */
const install = async (name: string): Promise<void> => {
  const source = join(root, "packages", name)
  const target = join(folder, "installed/node_modules/@satwire", name)
  mkdirSync(target, { recursive: true })
  cpSync(join(source, "package.json"), join(target, "package.json"))
  await run(process.execPath, tsup("--config", join(root, "tsup.config.ts"), "--out-dir", join(target, "dist")), source)
}

const isDeno = "Deno" in globalThis
const tsup = (...args: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...(isDeno ? ["run", "-A"] : []),
  join(root, "node_modules/tsup/dist/cli-default.js"),
  ...args
]

beforeAll(async () => {
  mkdirSync(parent, { recursive: true })
  folder = mkdtempSync(join(parent, "workers-"))
  for (const name of PACKAGES) await install(name)
  cpSync(job, join(folder, "installed/job.ts"))
  mkdirSync(join(folder, "bundle"))
  const entries = [
    "--config",
    join(root, "tsup.app.config.ts"),
    "--entry.main",
    job,
    "--entry.worker",
    worker,
    "--out-dir",
    join(folder, "bundle")
  ]
  await run(process.execPath, tsup(...entries), join(root, "apps/node"))
}, 3 * LIMIT_MS)

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  try {
    rmdirSync(parent)
  } catch {
    // Another run has its files beside ours.
  }
})

const RUNTIMES = [
  {
    runtime: "Node",
    command: isDeno ? join(bin, "node") : process.execPath,
    before: [],
    source: ["--conditions=@satwire/source"]
  },
  { runtime: "Deno", command: isDeno ? process.execPath : join(bin, "deno"), before: ["run", "-A"], source: [] }
] as const

describe.each(RUNTIMES)("one job in a worker on $runtime", ({ command, before, source }) => {
  const told = async (args: ReadonlyArray<string>, cwd: string): Promise<unknown> =>
    JSON.parse(await run(command, [...before, ...args], cwd)) as unknown
  const here = existsSync(command)

  test.runIf(here)("is done from source", async () => {
    expect(await told([...source, job], root)).toEqual({ hash: HELLO, left: 0, back: 5, module: "WorkerJob.ts" })
  })

  test.runIf(here)("is done from what is published", async () => {
    const cwd = join(folder, "installed")
    expect(await told(["job.ts"], cwd)).toEqual({ hash: HELLO, left: 0, back: 5, module: "job.ts" })
  })

  test.runIf(here)("is done in a bundle like the app's", async () => {
    const cwd = join(folder, "bundle")
    expect(existsSync(join(cwd, "worker.js"))).toBe(true)
    expect(await told(["main.js"], cwd)).toEqual({ hash: HELLO, left: 0, back: 5, module: "main.js" })
  })
})

test.runIf(existsSync(RUNTIMES[1].command))(
  "one job in a worker is done from modules of a web server, as JSR is one",
  async () => {
    const outdir = join(folder, "served")
    await build({
      entryPoints: { main: job, worker },
      outdir,
      bundle: true,
      platform: "node",
      format: "esm",
      conditions: ["@satwire/source"]
    })
    const server = createServer((request, response) => {
      response.setHeader("content-type", "text/javascript")
      response.end(readFileSync(join(outdir, request.url ?? "")))
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    const main = `http://127.0.0.1:${(server.address() as AddressInfo).port}/main.js`
    const env = { DENO_DIR: join(folder, "deno") }
    const told = await run(RUNTIMES[1].command, ["run", "-A", "--no-lock", main], folder, env)
    server.close()
    expect(JSON.parse(told)).toEqual({ hash: HELLO, left: 0, back: 5, module: "main.js" })
  }
)
