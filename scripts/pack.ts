/**
 * `npm run pack:check`: packs everything as npm would, looks into the tarballs, installs all of them in one scratch project, and there, on the
 * oldest Node that is promised, on this one and on Deno, enters every package by every door, runs examples of READMEs and the apps. Ends
 * with `N passed, N failed`.
 */
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { transformSync } from "esbuild"
import { examples, fileOf, runnerOf } from "../law/Examples.ts"
import { theHouse } from "../law/House.ts"
import { type Published, type Runtime, Trial, entries, installed, published, runtimes } from "./Published.ts"
import { type Count, check, root, run, runStages } from "./Stages.ts"

/** What people are likely to begin with, in every layer, native code (`kv-store`) and sockets on loopback (`client`, `node`) among it. */
const SHOWN = ["wire", "framing", "crypto", "header-sync", "kv-store", "transport-websocket", "client", "node"]

const everything = published()
const scratch = mkdtempSync(join(tmpdir(), "satwire-pack-"))
const tarballs = join(scratch, "tarballs")
const project = join(scratch, "project")

interface Packed {
  readonly name: string
  readonly filename: string
  readonly size: number
  readonly unpackedSize: number
  readonly files: ReadonlyArray<{ readonly path: string; readonly mode: number }>
}

const pack = async (): Promise<ReadonlyArray<Packed>> => {
  mkdirSync(tarballs, { recursive: true })
  const args = ["pack", "--workspaces", "--json", "--silent", "--pack-destination", tarballs]
  const { code, output } = await run("npm", args, { show: "never" })
  if (code !== 0) throw new Error(output)
  const told = JSON.parse(output) as ReadonlyArray<Packed> | Record<string, Packed>
  return Array.isArray(told) ? told : Object.values(told)
}

/** What must lie in a tarball: whatever its manifest names. */
const named = ({ manifest }: Published): ReadonlyArray<string> => {
  const doors = Object.values(manifest.exports ?? {}).flatMap((door) =>
    typeof door === "string" ? [door] : Object.values(door)
  )
  return ["README.md", "LICENSE", ...[...doors, ...Object.values(manifest.bin ?? {})].map((path) => path.slice(2))]
}

const ALLOWED = /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|(?:dist|src)\/.+)$/

let packed: ReadonlyArray<Packed> = []

const lookInside = async (): Promise<Count> => {
  const trial = new Trial()
  packed = await pack()
  for (const one of everything) {
    const { name, bin = {}, dependencies = {} } = one.manifest
    const { files = [] } = packed.find((candidate) => candidate.name === name) ?? {}
    const paths = files.map(({ path }) => path)
    const missing = named(one).filter((path) => !paths.includes(path))
    const surplus = paths.filter((path) => !ALLOWED.test(path) || /\.test\./.test(path))
    trial.holds(`${name} has all that it names`, missing.length === 0, missing.join("\n"))
    trial.holds(`${name} has nothing else`, surplus.length === 0, surplus.join("\n"))
    if (!one.isApp) continue
    trial.holds(`${name} brings nothing along`, Object.keys(dependencies).length === 0)
    const plain = Object.values(bin).filter(
      (path) => !files.some((file) => `./${file.path}` === path && file.mode & 0o111)
    )
    trial.holds(`${name} can be run`, plain.length === 0, plain.join("\n"))
  }
  const megabytes = (of: (one: Packed) => number): string =>
    (packed.reduce((sum, one) => sum + of(one), 0) / 1e6).toFixed(2)
  console.log(
    `${packed.length} tarballs of ${megabytes((one) => one.size)} MB, ${megabytes((one) => one.unpackedSize)} MB unpacked`
  )
  for (const { name, size, unpackedSize } of packed.filter(({ name }) => !name.startsWith("@")))
    console.log(
      `${name}: ${(size / 1e6).toFixed(2)} MB, ${(unpackedSize / 1e6).toFixed(2)} MB unpacked, without dependencies`
    )
  return trial.count()
}

const install = async (): Promise<Count> => {
  const trial = new Trial()
  mkdirSync(project)
  const dependencies = Object.fromEntries(packed.map(({ name, filename }) => [name, `file:../tarballs/${filename}`]))
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }))
  const began = performance.now()
  const { code, output } = await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund"], {
    show: "never",
    cwd: project
  })
  if (!trial.holds("npm installs all of them together, and the peers that they name", code === 0, output))
    return trial.count()
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`installed in ${seconds} s: ${installed(join(project, "node_modules"))}`)
  const copies = globSync("**/node_modules/{effect,@satwire/*}/package.json", { cwd: project })
  trial.holds(
    "there is one copy of Effect and one of each package",
    copies.length === everything.filter(({ isApp }) => !isApp).length + 1,
    copies.join("\n")
  )
  return trial.count()
}

/** Enters by every door, and says of each what became of it. */
const ENTRANCE = `
for (const entry of ENTRIES) {
  try {
    const json = entry.endsWith(".json")
    const entered = await (json ? import(entry, { with: { type: "json" } }) : import(entry))
    console.log("entered " + entry + " " + Object.keys(entered).length)
  } catch (error) {
    console.log("refused " + entry + " " + error)
  }
}
process.exit(0)
`

const enter = async (runtime: Runtime): Promise<Count> => {
  const trial = new Trial()
  const all = everything.flatMap(entries)
  const file = join(project, "entrance.mjs")
  writeFileSync(file, `import process from "node:process"\nconst ENTRIES = ${JSON.stringify(all)}\n${ENTRANCE}`)
  const [command, ...before] = runtime.before
  const { output } = await run(command as string, [...before, file], { show: "never", cwd: project, limitMinutes: 2 })
  const lines = output.split("\n")
  for (const entry of all) {
    const line = lines.find((one) => one.startsWith(`entered ${entry} `) || one.startsWith(`refused ${entry} `))
    trial.holds(`one enters ${entry}`, line?.startsWith("entered ") ?? false, line ?? output)
  }
  return trial.count()
}

const documents = SHOWN.map((name) => `packages/${name}/README.md`)

/** What a compiler does for a Node that does not know `await using`. */
const lowered = (code: string): string => transformSync(code, { loader: "ts", target: "node22" }).code

const writeExamples = (isCompiled: boolean): void => {
  const all = examples(theHouse()).filter(({ document }) => documents.includes(document))
  for (const example of all) {
    const file = join(project, fileOf(example))
    mkdirSync(join(file, ".."), { recursive: true })
    writeFileSync(file, isCompiled ? lowered(example.code) : example.code)
  }
  for (const document of documents) {
    const found = all.filter((example) => example.document === document)
    const runner = found.map((example) => `await import("../${fileOf(example)}")\n`).join("")
    writeFileSync(join(project, runnerOf(document)), `${runner}export {}\n`)
  }
  cpSync(join(root, "tsconfig.base.json"), join(project, "tsconfig.base.json"))
  const compilerOptions = {
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
    customConditions: [],
    noUnusedLocals: false
  }
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({
      extends: "./tsconfig.base.json",
      compilerOptions,
      include: ["packages_*/*.ts", join(root, "ambient.d.ts")]
    })
  )
}

const use = async (runtime: Runtime): Promise<Count> => {
  const trial = new Trial()
  for (const document of documents) {
    const line = [...runtime.before, join(project, runnerOf(document))]
    await trial.says(`the example of ${document} runs`, { line, cwd: project }, /^/)
  }
  const app = (name: string): ReadonlyArray<string> => [
    ...runtime.before,
    join(project, "node_modules", name, "dist/start.js")
  ]
  const env = { HOME: scratch }
  const { version } = everything.find(({ manifest }) => manifest.name === "satwire")?.manifest ?? {}
  await trial.says(
    "satwire says its version",
    { line: [...app("satwire"), "--version"], cwd: project, env },
    new RegExp(`^satwire ${version}$`, "m")
  )
  const played = /^Both nodes are at height 113: 3 blocks/m
  await trial.says(
    "satwire plays",
    { line: [...app("satwire"), "playground", "--blocks", "3", "--interval", "0.1"], cwd: project, env },
    played
  )
  await trial.says("satwire-bridge helps", { line: [...app("satwire-bridge"), "--help"], cwd: project, env }, /--allow/)
  await trial.says("satwire-chat helps", { line: [...app("satwire-chat"), "--help"], cwd: project, env }, /--relay/)
  return trial.count()
}

try {
  const tried = await runtimes()
  await runStages([
    { title: "everything is built", body: () => check("turbo", ["run", "build", "--output-logs=errors-only"]) },
    { title: "tarballs hold what they name", body: lookInside },
    { title: "all of them in one project", body: install },
    ...tried.flatMap((runtime) => [
      { title: `every door, on ${runtime.title}`, body: () => enter(runtime) },
      {
        title: `examples and apps, on ${runtime.title}`,
        body: () => (writeExamples(runtime === tried[0] && tried.length > 2), use(runtime))
      }
    ]),
    { title: "their types", body: () => check("tsc", ["-p", project]) }
  ])
} finally {
  rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
}
