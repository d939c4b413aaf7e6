/**
 * One build for every library: its entries are read from the `exports` of the package in whose folder tsup runs, so that a new
 * door of a package is added in one place. Declarations come from `tsc -p tsconfig.build.json`.
 */
import { copyFileSync, readFileSync } from "node:fs"
import { defineConfig, type Options } from "tsup"
import { writePage } from "./packages/dashboard-page/src/BundlePage.ts"

type Manifest = {
  readonly name: string
  readonly exports: Record<string, string | { readonly "@satwire/source": string }>
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest
const entry = Object.values(manifest.exports).flatMap((door) =>
  typeof door === "string" ? [] : [door["@satwire/source"]]
)

const options: Options = {
  entry,
  format: ["esm"],
  dts: false,
  sourcemap: true,
  clean: true,
  target: "es2024",
  removeNodeProtocol: false,
  onSuccess: async () => {
    // npm packs it without being told.
    copyFileSync("../../LICENSE", "LICENSE")
    // The page lies beside the code that serves it.
    if (manifest.name === "@satwire/dashboard-page") await writePage("dist")
  }
}
export default defineConfig(options)
