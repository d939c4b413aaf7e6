/**
 * Makes the page of its sources: two files, by esbuild. A build does it once, into `dist/page`; in a clone, where nothing is built, the first
 * who opens the page waits for it, a tenth of a second. Both go this one way, so that what is tested is what is published.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
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
  }>
}

/** Not for a bundler of the app's to follow. */
const BUNDLER = "esbuild"

export const bundlePage = async (): Promise<PageFiles> => {
  const { build } = (await import(BUNDLER)) as Bundler
  const at = (url: URL): string => fileURLToPath(url)
  const { outputFiles } = await build({
    entryPoints: {
      page: at(new URL("./page/main.ts", import.meta.url)),
      style: at(new URL("./page/page.css", import.meta.url))
    },
    outdir: "page",
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "silent"
  })
  const output = (ending: string): Uint8Array =>
    outputFiles.find(({ path }) => path.endsWith(ending))?.contents ?? new Uint8Array(0)
  return {
    "index.html": await readFile(new URL("./page/index.html", import.meta.url)),
    "page.js": output("page.js"),
    "page.css": output("style.css")
  }
}

/** Into a folder called `page`, beside the program that serves it: what a build does at its end. */
export const writePage = async (beside: string): Promise<void> => {
  const files = await bundlePage()
  const folder = join(beside, "page")
  await mkdir(folder, { recursive: true })
  for (const name of PAGE_FILES) await writeFile(join(folder, name), files[name])
}
