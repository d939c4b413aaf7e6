/** What is published of this repository, and the runtimes in which it is tried. */
import { execFileSync } from "node:child_process"
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import process from "node:process"
import { type Count, root, run } from "./Stages.ts"

interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly bin?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly engines: { readonly node: string }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

export interface Published {
  /** From the root: `packages/wire`. */
  readonly folder: string
  readonly isApp: boolean
  readonly manifest: Manifest
}

/** Every package and app that npm gets, in the tree at `at`. */
export const published = (at: string = root): ReadonlyArray<Published> =>
  globSync("{packages,apps}/*/package.json", { cwd: at })
    .map((path) => path.replaceAll("\\", "/"))
    .sort()
    .map((path) => ({
      folder: dirname(path),
      isApp: path.startsWith("apps/"),
      manifest: JSON.parse(readFileSync(join(at, path), "utf8")) as Manifest
    }))
    .filter(({ manifest }) => manifest.private !== true)

/** What one imports to enter a package: `@satwire/wire`, `@satwire/addrman/effect`. */
export const entries = ({ manifest }: Published): ReadonlyArray<string> =>
  Object.keys(manifest.exports ?? {}).map((door) => manifest.name + door.slice(1))

/** Things that must hold, counted; what does not is said in a line. */
export class Trial {
  #passed = 0
  #failed = 0

  holds(what: string, does: boolean, detail = ""): boolean {
    if (does) this.#passed += 1
    else {
      this.#failed += 1
      console.log(`FAILED ${what}${detail === "" ? "" : `\n${detail}`}`)
    }
    return does
  }

  /** That `command` ends as it should and says what it should. */
  async says(what: string, command: Command, wanted: RegExp, code = 0): Promise<boolean> {
    const [name, ...args] = command.line
    const said = await run(name as string, args, { show: "never", limitMinutes: 3, ...command })
    return this.holds(what, said.code === code && wanted.test(said.output), `exit code ${said.code}\n${said.output}`)
  }

  count(): Count {
    return { passed: this.#passed, failed: this.#failed }
  }
}

export interface Command {
  readonly line: ReadonlyArray<string>
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface Runtime {
  readonly title: string
  /** What stands before the program on the command line. */
  readonly before: ReadonlyArray<string>
  /** For a Node: its folder, to stand first on the path. */
  readonly folder?: string
}

const binaries = join(root, "node_modules/.bin")
const versionOf = (node: string): string => execFileSync(node, ["--version"], { encoding: "utf8" }).trim()

/** The oldest Node that every manifest names: `22.19.0`. */
export const oldestNode = (): string => {
  const [engine, ...others] = new Set(published().map(({ manifest }) => manifest.engines.node))
  const version = /^>=(\d+\.\d+\.\d+)$/.exec(engine ?? "")?.[1]
  if (version === undefined || others.length > 0) throw new Error("the packages name different engines")
  return version
}

/** That Node as npm brings it, into a folder that is kept; `undefined` where npm has none for this machine. */
const installOldest = async (): Promise<Runtime | undefined> => {
  if (process.platform !== "linux") return undefined
  const version = oldestNode()
  const name = `node-linux-${process.arch}`
  const home = join(root, "node_modules/.cache/satwire", `node-${version}`)
  const folder = join(home, "node_modules", name, "bin")
  if (!existsSync(join(folder, "node"))) {
    mkdirSync(home, { recursive: true })
    writeFileSync(join(home, "package.json"), JSON.stringify({ private: true }))
    const { code } = await run("npm", ["install", "--silent", "--prefer-offline", `${name}@${version}`], {
      show: "live",
      cwd: home
    })
    if (code !== 0) throw new Error(`npm could not install ${name}@${version}`)
  }
  return { title: `Node ${version}`, before: [join(folder, "node")], folder }
}

/** The oldest Node that is promised, the one that runs this, and Deno. */
export const runtimes = async (): Promise<ReadonlyArray<Runtime>> => {
  const oldest = await installOldest()
  if (oldest === undefined) console.log(`Node ${oldestNode()} is tried on Linux alone`)
  return [
    ...(oldest === undefined ? [] : [oldest]),
    { title: `Node ${process.versions.node}`, before: [process.execPath], folder: dirname(process.execPath) },
    { title: "Deno", before: [join(binaries, "deno"), "run", "-A"] }
  ]
}

/** A Node on this machine that is too old, for the sentence that it is to say. */
export const tooOldNode = (): string | undefined => {
  const [major, minor] = oldestNode().split(".").map(Number) as [number, number]
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "node"))
    .filter((node) => existsSync(node))
    .find((node) => {
      const found = versionOf(node).slice(1).split(".").map(Number) as [number, number]
      return found[0] < major || (found[0] === major && found[1] < minor)
    })
}

/** Megabytes in a folder, and how many packages npm put there. */
export const installed = (folder: string): string => {
  const files = globSync("**", { cwd: folder, withFileTypes: true }).filter((entry) => entry.isFile())
  const bytes = files.reduce((sum, { name, parentPath }) => sum + readFileSync(join(parentPath, name)).byteLength, 0)
  const lock = JSON.parse(readFileSync(join(folder, ".package-lock.json"), "utf8")) as { readonly packages: object }
  return `${Object.keys(lock.packages).length} packages, ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB`
}

/** Packages of this repository that something stands on, itself included; an app stands on what its bundle carries. */
export const standsOn = (all: ReadonlyArray<Published>, one: Published): ReadonlySet<string> => {
  const found = new Set<string>()
  const visit = ({ manifest, isApp }: Published): void => {
    if (found.has(manifest.name)) return
    found.add(manifest.name)
    const below = Object.keys({ ...manifest.dependencies, ...(isApp ? manifest.devDependencies : {}) })
    for (const name of below) {
      const next = all.find((candidate) => candidate.manifest.name === name)
      if (next !== undefined) visit(next)
    }
  }
  visit(one)
  return found
}
