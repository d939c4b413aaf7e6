/**
 * Makes the page of its sources: two files, by esbuild. A build does it once, into `dist/page`; in a clone, where nothing is built, the first
 * who opens the page waits for it, a tenth of a second. Both go this one way, so that what is tested is what is published.
 */
import { existsSync, readFileSync } from "node:fs"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The files of the page, by name. */
export type PageFiles = Readonly<Record<PageFile, Uint8Array>>
export const PAGE_FILES = ["index.html", "page.js", "page.css"] as const
export type PageFile = (typeof PAGE_FILES)[number]

/** What of esbuild is needed; it is there where the page is built, and nowhere else. */
interface Bundler {
  readonly build: (options: object) => Promise<{
    readonly outputFiles: ReadonlyArray<{ readonly path: string; readonly contents: Uint8Array }>
    readonly metafile: { readonly inputs: Readonly<Record<string, unknown>> }
  }>
}

/** Not for a bundler of the app's to follow. */
const BUNDLER = "esbuild"

/** Of what a page is made. */
export interface PageSources {
  readonly html: URL
  readonly script: URL
  readonly style: URL
}

const DASHBOARD: PageSources = {
  html: new URL("./page/index.html", import.meta.url),
  script: new URL("./page/main.ts", import.meta.url),
  style: new URL("./page/page.css", import.meta.url)
}

/** The page of these sources; the dashboard's where none are given. */
export const bundlePage = async (sources: PageSources = DASHBOARD): Promise<PageFiles> => (await bundled(sources)).files

const bundled = async (
  sources: PageSources
): Promise<{ readonly files: PageFiles; readonly inputs: ReadonlyArray<string> }> => {
  const { build } = (await import(BUNDLER)) as Bundler
  const at = (url: URL): string => fileURLToPath(url)
  const { metafile, outputFiles } = await build({
    entryPoints: {
      page: at(sources.script),
      style: at(sources.style)
    },
    outdir: "page",
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "silent"
  })
  const output = (ending: string): Uint8Array =>
    outputFiles.find(({ path }) => path.endsWith(ending))?.contents ?? new Uint8Array(0)
  const files = {
    "index.html": await readFile(sources.html),
    "page.js": output("page.js"),
    "page.css": output("style.css")
  }
  return { files, inputs: Object.keys(metafile.inputs) }
}

/** As their authors call it. */
const LICENCE_FILES = ["LICENSE", "LICENSE.md", "license", "LICENSE.txt"]

/**
 * Of all packages of npm that these files come from: their names, versions and licences, for whoever passes them on. Those of js-libp2p come
 * without the text of theirs, which may be chosen: they are passed on under the Apache License, whose text follows once.
 */
export const licencesOf = (inputs: Iterable<string>): string => {
  const folders = [...inputs].flatMap((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? [])
  let isApache = false
  const texts = [...new Set(folders)].toSorted().map((folder) => {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, string>
    const title = `${manifest["name"]} ${manifest["version"]}`
    const licence = LICENCE_FILES.map((file) => join(folder, file)).find(existsSync)
    if (licence !== undefined) return `${title}\n\n${readFileSync(licence, "utf8").trim()}\n`
    if (!(manifest["license"] ?? "").split(" OR ").includes(APACHE)) {
      throw new Error(`${title} has no licence to be carried along`)
    }
    isApache = true
    return `${title}, ${manifest["homepage"] ?? ""}\n\nUnder the Apache License 2.0, which stands below.\n`
  })
  if (isApache) texts.push(readFileSync(apacheText(), "utf8").trim() + "\n")
  return texts.join(`\n${"-".repeat(72)}\n\n`)
}

const APACHE = "Apache-2.0"
/** The compiler's own, which is there wherever anything is built. */
const apacheText = (): string => join(createRequire(import.meta.url).resolve("typescript/package.json"), "../LICENSE")

/** The page into a folder called `page`, beside the program that serves it, with the licences of what it carries: the end of a build. */
export const writePage = async (beside: string, sources: PageSources = DASHBOARD): Promise<void> => {
  const { files, inputs } = await bundled(sources)
  const folder = join(beside, "page")
  await mkdir(folder, { recursive: true })
  for (const name of PAGE_FILES) await writeFile(join(folder, name), files[name])
  await writeFile(join(folder, LICENCES), licencesOf(inputs))
}

const LICENCES = "THIRD-PARTY-LICENCES.txt"
