/** The files of the page: as they were built, beside this program, or made of their sources where nothing is built. */
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import * as Effect from "effect/Effect"
import { PAGE_FILES, type PageFile, bundlePage } from "./BundlePage.ts"

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

const built = (name: PageFile): URL => new URL(`./page/${name}`, import.meta.url)

const read = async (): Promise<ReadonlyMap<PageFile, ServedFile>> => {
  const isBuilt = existsSync(built("page.js"))
  const sources = isBuilt ? undefined : await bundlePage()
  const files = new Map<PageFile, ServedFile>()
  for (const name of PAGE_FILES) {
    const bytes = sources?.[name] ?? (await readFile(built(name)))
    const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`
    files.set(name, { bytes, contentType: TYPES[name], etag })
  }
  return files
}

/** Read, or made, when they are asked for the first time. */
export const pageFiles: Effect.Effect<Effect.Effect<ReadonlyMap<PageFile, ServedFile>>> = Effect.cached(
  Effect.promise(read)
)
