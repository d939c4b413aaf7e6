/**
 * `npm run release:rehearse`: a whole release to a registry on this machine, from a copy of this tree, which stays as it is: versions and
 * changelogs, the apps built anew, everything published, and then what people do first: `npx satwire playground` in an empty folder. Ends
 * with `N passed, N failed`.
 */
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import process from "node:process"
import { examples } from "../law/Examples.ts"
import { theHouse } from "../law/House.ts"
import {
  type Command,
  type Published,
  type Runtime,
  Trial,
  installed,
  published,
  runtimes,
  tooOldNode
} from "./Published.ts"
import { type Registry, registryLog, startRegistry } from "./Registry.ts"
import { type Count, check, root, run, runStages } from "./Stages.ts"

const scratch = mkdtempSync(join(tmpdir(), "satwire-release-"))
const copy = join(scratch, "copy")

const environment = (registry: Registry | undefined): Readonly<Record<string, string>> => ({
  PATH: [join(copy, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
  HOME: scratch,
  DENO_DIR: join(scratch, "deno"),
  DENO_NO_UPDATE_CHECK: "1",
  // No cache that knows anything yet: as on a machine that never saw us.
  npm_config_cache: join(scratch, "npm"),
  // Not what the npm that runs this was told.
  npm_config_loglevel: "notice",
  GIT_AUTHOR_NAME: "rehearsal",
  GIT_AUTHOR_EMAIL: "rehearsal@localhost",
  GIT_COMMITTER_NAME: "rehearsal",
  GIT_COMMITTER_EMAIL: "rehearsal@localhost",
  // npm is started a hundred times.
  NODE_COMPILE_CACHE: join(scratch, "compiled"),
  ...(registry === undefined
    ? {}
    : {
        npm_config_userconfig: registry.userConfig,
        npm_config_registry: `${registry.url}/`,
        NPM_CONFIG_REGISTRY: `${registry.url}/`
      })
})

const git = (...args: ReadonlyArray<string>): Command => ({
  line: ["git", ...args],
  cwd: copy,
  env: environment(undefined)
})

/** Files as git sees them, what is built of the libraries, and packages of npm where they are; our own are those of the copy. */
const copyTree = async (): Promise<Count> => {
  const trial = new Trial()
  const listed = await run("git", ["ls-files", "-co", "--exclude-standard"], { show: "never" })
  for (const path of listed.output.split("\n").filter((path) => path !== ""))
    cpSync(join(root, path), join(copy, path), { recursive: true })
  for (const path of globSync("packages/*/{dist,LICENSE}", { cwd: root }))
    cpSync(join(root, path), join(copy, path), { recursive: true })
  const modules = join(copy, "node_modules")
  mkdirSync(join(modules, "@satwire"), { recursive: true })
  const all = published(copy)
  const ours = new Set(["@satwire", ...all.map(({ manifest }) => manifest.name)])
  for (const name of readdirSync(join(root, "node_modules")).filter((name) => !ours.has(name)))
    symlinkSync(join(root, "node_modules", name), join(modules, name))
  for (const { manifest, folder } of all) symlinkSync(join(copy, folder), join(modules, manifest.name))
  await trial.says("the copy is a repository", git("init", "--quiet", "--initial-branch=main"), /^/)
  await trial.says("all of it is added", git("add", "--all"), /^/)
  await trial.says("all of it is committed", git("commit", "--quiet", "--message=As it is"), /^/)
  return trial.count()
}

const versions = (): ReadonlyMap<string, string> =>
  new Map(published(copy).map(({ manifest }) => [manifest.name, manifest.version]))

const version = async (): Promise<Count> => {
  const trial = new Trial()
  const env = environment(undefined)
  const isFirst = [...versions().values()].includes("0.0.0")
  await trial.says("npm run version", { line: ["npm", "run", "--silent", "version"], cwd: copy, env }, /^/)
  trial.holds(
    "no changeset is left",
    globSync(".changeset/*.md", { cwd: copy }).every((path) => path.endsWith("README.md"))
  )
  const unreleased = [...versions()].filter(([, found]) => found === "0.0.0").map(([name]) => name)
  trial.holds("every package has a version", unreleased.length === 0, unreleased.join("\n"))
  for (const { folder, manifest } of published(copy).filter(({ isApp }) => !isApp)) {
    const { version: deno } = JSON.parse(readFileSync(join(copy, folder, "deno.json"), "utf8")) as Record<
      string,
      string
    >
    if (deno !== manifest.version)
      trial.holds(`${manifest.name} has one version`, false, `${deno}, ${manifest.version}`)
  }
  const untold = published(copy).filter(
    ({ folder }) => isFirst && globSync(`${folder}/CHANGELOG.md`, { cwd: copy }).length === 0
  )
  trial.holds("every package has a changelog", untold.length === 0, untold.map(({ folder }) => folder).join("\n"))
  await trial.says("the versions are committed", git("commit", "--quiet", "--all", "--message=Versions"), /^/)
  return trial.count()
}

/** Of what was released, only the apps hold their version in what is built. */
const buildApps = async (): Promise<Count> => {
  const trial = new Trial()
  for (const { folder, manifest } of published(copy).filter(({ isApp }) => isApp))
    await trial.says(
      `${manifest.name} is built`,
      { line: ["npm", "run", "--silent", "build"], cwd: join(copy, folder), env: environment(undefined) },
      /success/
    )
  return trial.count()
}

/** Where a tarball was made is attested by GitHub's machines alone. */
const withoutProvenance = ({ folder }: Published): void => {
  const path = join(copy, folder, "package.json")
  writeFileSync(path, readFileSync(path, "utf8").replace(/,\s*"provenance": true/, ""))
}

const publish = async (registry: Registry): Promise<Count> => {
  const trial = new Trial()
  const all = published(copy)
  all.forEach(withoutProvenance)
  const command = { line: ["changeset", "publish"], cwd: copy, env: environment(registry) }
  await trial.says("changeset publish", command, /Successfully published/)
  const tags = await run("git", ["tag", "--list"], { show: "never", cwd: copy })
  for (const { manifest } of all) {
    const answer = await fetch(`${registry.url}/${manifest.name.replace("/", "%2f")}`)
    const told = (await answer.json()) as { readonly "dist-tags"?: { readonly latest?: string } }
    const { name, version } = manifest
    trial.holds(`${name} ${version} is there`, told["dist-tags"]?.latest === version, JSON.stringify(told))
    trial.holds(`${name} ${version} is tagged`, tags.output.split("\n").includes(`${name}@${version}`), tags.output)
  }
  return trial.count()
}

const empty = (name: string): string => {
  const folder = join(scratch, name)
  mkdirSync(folder)
  return folder
}

const PLAYED = /^Both nodes are at height 113: 3 blocks/m

/** `npx` with that Node first on the path. */
const npx = (registry: Registry, node: Runtime, ...args: ReadonlyArray<string>): Command => {
  const env = environment(registry)
  const path = [node.folder, process.env["PATH"]].join(delimiter)
  return { line: ["npx", "--yes", ...args], env: { ...env, PATH: path } }
}

const useOn = async (registry: Registry, runtime: Runtime): Promise<Count> => {
  const trial = new Trial()
  const cwd = empty(`empty ${runtime.title}`)
  const { manifest } = published(copy).find(({ manifest }) => manifest.name === "satwire") as Published
  if (runtime.folder === undefined) {
    const deno = {
      line: [
        ...runtime.before,
        "--minimum-dependency-age=0",
        `npm:satwire@${manifest.version}`,
        "playground",
        "--blocks",
        "3",
        "--interval",
        "0.1"
      ],
      cwd,
      env: environment(registry)
    }
    await trial.says("deno run npm:satwire playground", deno, PLAYED)
    return trial.count()
  }
  const began = performance.now()
  await trial.says(
    "npx satwire playground",
    { ...npx(registry, runtime, "satwire", "playground", "--blocks", "3", "--interval", "0.1"), cwd },
    PLAYED
  )
  console.log(`npx satwire playground --blocks 3: ${((performance.now() - began) / 1000).toFixed(1)} s`)
  const version = new RegExp(`^satwire ${manifest.version}$`, "m")
  await trial.says("npx satwire --version", { ...npx(registry, runtime, "satwire", "--version"), cwd }, version)
  await trial.says(
    "npx satwire-bridge --help",
    { ...npx(registry, runtime, "satwire-bridge", "--help"), cwd },
    /--allow/
  )
  trial.holds("nothing is left in the folder", readdirSync(cwd).length === 0)
  return trial.count()
}

const refuse = async (registry: Registry): Promise<Count> => {
  const trial = new Trial()
  const node = tooOldNode()
  if (node === undefined) {
    console.log("no Node on the path is too old: skipped")
    return trial.count()
  }
  const env = { ...environment(registry), PATH: [join(node, ".."), process.env["PATH"]].join(delimiter) }
  const sentence = /^satwire needs Node \d+\.\d+ or newer and found v\S+: .+$/m
  await trial.says(
    `${node} is told that it is too old`,
    { line: ["npx", "--yes", "satwire", "playground"], cwd: empty("old"), env },
    sentence,
    1
  )
  return trial.count()
}

/** What a program takes: a package by its name, with the peers that npm adds, and the example of its README. */
const library = async (registry: Registry, runtime: Runtime): Promise<Count> => {
  const trial = new Trial()
  const cwd = empty("program")
  const env = environment(registry)
  writeFileSync(join(cwd, "package.json"), JSON.stringify({ private: true, type: "module" }))
  const names = ["@satwire/client", "@satwire/node", "@satwire/store"]
  await trial.says(`npm install ${names.join(" ")}`, { line: ["npm", "install", ...names], cwd, env }, /added/)
  console.log(`${names.join(", ")}: ${installed(join(cwd, "node_modules"))}`)
  const example = examples(theHouse()).find(({ document }) => document === "packages/client/README.md")
  writeFileSync(join(cwd, "example.ts"), example?.code ?? "")
  await trial.says(
    "the first example of @satwire/client runs",
    { line: [...runtime.before, "example.ts"], cwd, env },
    /^/
  )
  return trial.count()
}

/** A change below an app is a release of the app. */
const next = async (): Promise<Count> => {
  const trial = new Trial()
  const before = versions()
  writeFileSync(join(copy, ".changeset/next.md"), '---\n"@satwire/bytes": patch\n---\n\nMend something.\n')
  await trial.says(
    "npm run version",
    { line: ["npm", "run", "--silent", "version"], cwd: copy, env: environment(undefined) },
    /^satwire: released again/m
  )
  const after = versions()
  for (const name of ["@satwire/bytes", "satwire"])
    trial.holds(
      `${name} is released again`,
      before.get(name) !== after.get(name),
      `${before.get(name)}, ${after.get(name)}`
    )
  trial.holds(
    "a package that does not stand on it is not",
    before.get("@satwire/dashboard-page") === after.get("@satwire/dashboard-page")
  )
  return trial.count()
}

let registry: Registry | undefined
const withRegistry = (body: (registry: Registry) => Promise<Count>) => async (): Promise<Count> => {
  registry ??= await startRegistry(join(scratch, "registry"))
  return body(registry)
}

try {
  const tried = await runtimes()
  const now = tried.find(({ before }) => before[0] === process.execPath) as Runtime
  await runStages([
    { title: "everything is built", body: () => check("turbo", ["run", "build", "--output-logs=errors-only"]) },
    { title: "a copy of this tree", body: copyTree },
    { title: "versions and changelogs", body: version },
    { title: "the apps, at their versions", body: buildApps },
    { title: "everything is published", body: withRegistry(publish) },
    ...tried.map((runtime) => ({
      title: `from an empty folder, on ${runtime.title}`,
      body: withRegistry((registry) => useOn(registry, runtime))
    })),
    { title: "from an empty folder, on a Node that is too old", body: withRegistry(refuse) },
    { title: "a program that takes packages", body: withRegistry((registry) => library(registry, now)) },
    { title: "the release after this one", body: next }
  ])
  if (process.exitCode !== undefined) console.error(registryLog(join(scratch, "registry")))
} finally {
  registry?.close()
  rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
}
