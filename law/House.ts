/**
 * The repository as the laws see it: paths, texts, packages and layers. It is what git tracks plus what is about to be tracked;
 * what git ignores is not part of the house.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync, statSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import type { Exception } from "./Law.ts"
import type { Layers } from "./Layers.ts"

export interface House {
  /** Every file, sorted, with `/` between its parts, from the root. */
  readonly paths: ReadonlyArray<string>
  readonly bytes: (path: string) => Uint8Array
  readonly text: (path: string) => string
  readonly layers: Layers
  readonly exceptions: ReadonlyArray<Exception>
  /** Real data for tests that must stay outside the house, where it is present on this machine. */
  readonly realData: string | undefined
}

export interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly [field: string]: unknown
}

/** A package or an app: a folder with a manifest. */
export interface Room {
  /** As `layers.json` names it: `wire`, `apps/node`. */
  readonly key: string
  /** From the root: `packages/wire`, `apps/node`. */
  readonly folder: string
  readonly manifest: Manifest
  /** Whether it has its root door, or its entry, yet: until then only "behind every door is a file" complains. */
  readonly built: boolean
}

export const root: string = resolve(dirname(fileURLToPath(import.meta.url)), "..")

const TEXT =
  /(?:\.(?:ts|mts|cts|js|mjs|cjs|json|md|yml|yaml|toml|sh|html|css|txt)|^\.ci\/\w+|(?:^|\/)\.\w+rc(?:\.json)?)$/

export const isText = (path: string): boolean => TEXT.test(path) && !/(?:^|\/)package-lock\.json$/.test(path)

/** The house on this disk. */
export const theHouse = (): House => {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: root, encoding: "utf8" })
  const paths = [...new Set(listed.split("\0"))]
    .filter((path) => path !== "" && existsSync(join(root, path)) && statSync(join(root, path)).isFile())
    .sort()
  const texts = new Map<string, string>()
  const text = (path: string): string => {
    const known = texts.get(path)
    if (known !== undefined) return known
    const read = readFileSync(join(root, path), "utf8")
    texts.set(path, read)
    return read
  }
  const realData = process.env["SATWIRE_DATA"] ?? join(root, "../shared/data")
  return {
    paths,
    bytes: (path) => readFileSync(join(root, path)),
    text,
    layers: JSON.parse(text("layers.json")) as Layers,
    exceptions: JSON.parse(text("law/exceptions.json")) as ReadonlyArray<Exception>,
    realData: existsSync(realData) ? realData : undefined
  }
}

/** A house made of texts, for proving that a law sees what it should. */
export const houseOf = (texts: ReadonlyMap<string, string>, layers: Layers, realData?: string): House => {
  const text = (path: string): string => {
    const found = texts.get(path)
    if (found === undefined) throw new Error(`no file ${path} in this house`)
    return found
  }
  return {
    paths: [...texts.keys()].sort(),
    bytes: (path) => new TextEncoder().encode(text(path)),
    text,
    layers,
    exceptions: [],
    realData
  }
}

export const has = (house: House, path: string): boolean => house.paths.includes(path)

export const json = (house: House, path: string): Manifest => JSON.parse(house.text(path)) as Manifest

const known = new WeakMap<House, ReadonlyArray<Room>>()

export const rooms = (house: House): ReadonlyArray<Room> => {
  const found = known.get(house) ?? findRooms(house)
  known.set(house, found)
  return found
}

const findRooms = (house: House): ReadonlyArray<Room> =>
  house.paths.flatMap((path) => {
    const found = /^(?:packages\/([^/]+)|(apps\/[^/]+))\/package\.json$/.exec(path)
    if (found === null) return []
    const folder = dirname(path)
    const built = ["index", "main"].some((entry) => has(house, `${folder}/src/${entry}.ts`))
    return [{ key: found[1] ?? (found[2] as string), folder, manifest: json(house, path), built }]
  })

export const packages = (house: House): ReadonlyArray<Room> =>
  rooms(house).filter((room) => room.folder.startsWith("packages/"))

/** A door of a room: its name in `exports` (`.`, `./node`) and the source file behind it, from the root. */
export interface Door {
  readonly name: string
  readonly file: string
}

export const doors = (room: Room): ReadonlyArray<Door> =>
  Object.entries((room.manifest["exports"] ?? {}) as Record<string, unknown>).flatMap(([name, target]) => {
    const source = typeof target === "object" && target !== null ? (target as Manifest)["@satwire/source"] : undefined
    return typeof source === "string" ? [{ name, file: join(room.folder, source) }] : []
  })

/** The room in whose folder a file lies. */
export const roomOf = (all: ReadonlyArray<Room>, path: string): Room | undefined =>
  all.find((room) => path.startsWith(`${room.folder}/`))

export const sources = (house: House, folder: string): ReadonlyArray<string> =>
  house.paths.filter((path) => path.startsWith(folder) && path.endsWith(".ts"))

/** The first line of `text`, counted from 1, in which `needle` stands; 1 where it does not. */
export const lineWith = (text: string, needle: string): number => {
  const at = text.indexOf(needle)
  return at < 0 ? 1 : text.slice(0, at).split("\n").length
}
