/**
 * An npm registry on this machine, verdaccio, to rehearse a release against: what is ours it holds itself, whatever else is asked for it fetches
 * where this machine's npm would.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"
import { root, run } from "./Stages.ts"

const home = join(root, "scripts/registry")

const modifiedMs = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

const install = async (): Promise<void> => {
  if (modifiedMs(join(home, "package-lock.json")) <= modifiedMs(join(home, "node_modules/.package-lock.json"))) return
  const { code, output } = await run("npm", ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit"], {
    show: "never",
    cwd: home
  })
  if (code !== 0) throw new Error(`verdaccio could not be installed:\n${output}`)
}

const npmConfig = (name: string): string | undefined => {
  const value = execFileSync("npm", ["config", "get", name], {
    encoding: "utf8",
    shell: process.platform === "win32"
  }).trim()
  return value === "" || value === "null" || value === "undefined" ? undefined : value
}

/** YAML takes JSON. */
const configuration = (folder: string): string =>
  JSON.stringify({
    storage: join(folder, "storage"),
    auth: { htpasswd: { file: join(folder, "htpasswd"), max_users: 1 } },
    // With passwords, each request would cost a third of a second of hashing.
    security: { api: { jwt: { sign: { expiresIn: "1d" } } } },
    uplinks: { npm: { url: npmConfig("registry"), cache: true, max_fails: 10, timeout: "60s" } },
    packages: {
      "@satwire/*": { access: "$all", publish: "$authenticated" },
      satwire: { access: "$all", publish: "$authenticated" },
      "satwire-bridge": { access: "$all", publish: "$authenticated" },
      "satwire-chat": { access: "$all", publish: "$authenticated" },
      "**": { access: "$all", proxy: "npm" }
    },
    web: { enable: false },
    log: { type: "file", path: join(folder, "log"), level: "warn" }
  })

export interface Registry {
  readonly url: string
  /** What npm reads instead of the user's own `.npmrc`: this registry, and who publishes to it. */
  readonly userConfig: string
  readonly close: () => void
}

const listening = (child: ChildProcess): Promise<number> =>
  new Promise((done, fail) => {
    child.on("exit", (code) => fail(new Error(`verdaccio ended with ${code}`)))
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const port = /^listening on (\d+)$/.exec(line)?.[1]
      if (port !== undefined) done(Number(port))
    })
  })

/** Somebody who may publish; the registry lasts no longer than the rehearsal. */
const token = async (url: string): Promise<string> => {
  const name = "rehearsal"
  const answer = await fetch(`${url}/-/user/org.couchdb.user:${name}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, password: crypto.randomUUID() })
  })
  const told = (await answer.json()) as { readonly token?: string; readonly error?: string }
  if (told.token === undefined) throw new Error(`verdaccio knows nobody: ${told.error ?? answer.status}`)
  return told.token
}

/** Starts one, with everything that it keeps in `folder`. */
export const startRegistry = async (folder: string): Promise<Registry> => {
  await install()
  mkdirSync(folder, { recursive: true })
  const config = join(folder, "config.yaml")
  writeFileSync(config, configuration(folder))
  const authorities = npmConfig("cafile")
  const child = spawn(process.execPath, [join(home, "serve.mjs"), config], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...(authorities === undefined ? {} : { NODE_EXTRA_CA_CERTS: authorities }) }
  })
  const end = (): void => void child.kill("SIGKILL")
  process.once("exit", end)
  const url = `http://127.0.0.1:${await listening(child)}`
  const userConfig = join(folder, "npmrc")
  writeFileSync(userConfig, `registry=${url}/\n${url.slice("http:".length)}/:_authToken=${await token(url)}\n`)
  return { url, userConfig, close: end }
}

/** The last that it logged. */
export const registryLog = (folder: string): string =>
  existsSync(join(folder, "log")) ? readFileSync(join(folder, "log"), "utf8").slice(-2000) : ""
