/** The files of the page: as they were built, beside this program, or made of their sources where nothing is built. */
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import * as Effect from "effect/Effect"
import { PAGE_FILES, type PageFile, type PageSources, bundlePage } from "./BundlePage.ts"

export interface ServedFile {
  readonly bytes: Uint8Array
  readonly contentType: string
  /** Of its bytes. */
  readonly etag: string
}

const TYPES: Readonly<Record<PageFile, string>> = {
  "index.html": "text/html; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
  "page.css": "text/css; charset=utf-8"
}

const read = async (built: URL, sources: PageSources | undefined): Promise<ReadonlyMap<PageFile, ServedFile>> => {
  const isBuilt = existsSync(new URL("page.js", built))
  const made = isBuilt ? undefined : await bundlePage(sources)
  const files = new Map<PageFile, ServedFile>()
  for (const name of PAGE_FILES) {
    const bytes = made?.[name] ?? (await readFile(new URL(name, built)))
    const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`
    files.set(name, { bytes, contentType: TYPES[name], etag })
  }
  return files
}

type Files = Effect.Effect<ReadonlyMap<PageFile, ServedFile>>

/** Read, or made, when they are asked for the first time. */
export const pageFiles: Effect.Effect<Files> = Effect.cached(
  Effect.promise(() => read(new URL("./page/", import.meta.url), undefined))
)

/** The same of a page of somebody else's: from the folder into which `writePage` has built it, or of its sources where there is none. */
export const pageFilesOf = (built: URL, sources: PageSources): Effect.Effect<Files> =>
  Effect.cached(Effect.promise(() => read(built, sources)))
