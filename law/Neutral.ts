/**
 * The proof that no platform is left below the seam: every door that stands there is bundled with all that it stands on for no
 * platform at all, nothing may stay outside of the bundle, and the bundle loads in a bare context: the globals of ECMAScript,
 * `TextEncoder`, `TextDecoder`, and a clock and a chance that throw.
 */
import { join } from "node:path"
import * as Vm from "node:vm"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { type House, doors, packages, root } from "./House.ts"
import { standing } from "./Layers.ts"
import { type Node, parse, walk } from "./Source.ts"

/** One door below the seam: the specifier that people import, and its source from the root. */
export interface NeutralDoor {
  readonly specifier: string
  readonly file: string
}

export const neutralDoors = (house: House): ReadonlyArray<NeutralDoor> =>
  packages(house)
    .filter((room) => room.built)
    .flatMap((room) =>
      doors(room)
        .filter((door) => standing(house.layers, room.key, door.file)?.side === "pure")
        .map((door) => ({ specifier: join(room.manifest.name ?? "", door.name), file: door.file }))
    )

export interface Bundle {
  readonly code: string
  readonly bytes: number
  readonly gzipBytes: number
  /** What the bundle would still import when it runs; empty for a neutral one. */
  readonly left: ReadonlyArray<string>
}

/** Bundles what `source`, a module that lies in the root, imports. Rejects with what could not be resolved without a platform. */
export const bundle = async (source: string): Promise<Bundle> => {
  const built = await build({
    stdin: { contents: source, resolveDir: root, loader: "ts", sourcefile: "neutral.ts" },
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: "iife",
    globalName: "door",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["@satwire/source"],
    target: "es2024",
    logLevel: "silent"
  })
  const code = built.outputFiles[0]?.text ?? ""
  const left = Object.values(built.metafile.outputs).flatMap((output) => output.imports.map((one) => one.path))
  return { code, bytes: code.length, gzipBytes: gzipSync(code).length, left }
}

/** Doors of packages below the seam, all in one bundle. */
export const bundleOf = (all: ReadonlyArray<NeutralDoor>): Promise<Bundle> =>
  bundle(all.map(({ file }, i) => `export * as door${i} from "./${file}"`).join("\n"))

/** `Promise` is the language's and not a platform's: our own use of it is the linter's matter, and a library's that nobody calls does nothing. */
const PLATFORM = new Set(
  (
    "setTimeout setInterval setImmediate queueMicrotask process Buffer require fetch performance console navigator " +
    "WebSocket XMLHttpRequest Worker Deno Bun crypto"
  ).split(" ")
)

/** Whether `node` is the name of a field rather than a variable: `x.process`, `{ process: 1 }`. */
const isField = (node: Node, above: ReadonlyArray<Node>): boolean => {
  const outer = above.at(-1)
  if (outer === undefined || outer["computed"] === true) return false
  return outer["property"] === node || (outer["key"] === node && outer["shorthand"] !== true)
}

/** Names of a platform that minified code still speaks, whether it loads that line or not. */
export const mentions = (code: string): ReadonlyArray<string> => {
  const found = new Set<string>()
  walk(parse("bundle.js", code).program, (node, above) => {
    const name = node["name"]
    if (node.type === "Identifier" && typeof name === "string" && PLATFORM.has(name) && !isField(node, above))
      found.add(name)
  })
  return [...found].sort()
}

const BARE = `
  delete globalThis.console
  delete globalThis.WebAssembly
  delete globalThis.SharedArrayBuffer
  delete globalThis.Atomics
  const never = (what) => () => { throw new Error(what + " is read while loading") }
  Math.random = never("chance")
  globalThis.Date = new Proxy(Date, { construct: never("the clock"), apply: never("the clock"), get: never("the clock") })
`

/** Loads a bundle where there is nothing but the language; gives the names that it exports, or throws what it missed. */
export const load = (code: string): ReadonlyArray<string> => {
  const context = Vm.createContext({ TextEncoder, TextDecoder })
  Vm.runInContext(BARE, context)
  return Vm.runInContext(`${code};Object.keys(door)`, context) as ReadonlyArray<string>
}
