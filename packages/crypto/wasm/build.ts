/**
 * `npm run wasm`: compiles the text in this folder with `wabt` and writes the bytes to `src/WasmModules.ts`. A test compiles it again and
 * compares, so that nobody has to trust bytes that they cannot read.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { pathToFileURL } from "node:url"
import wabt from "wabt"
import { PAGES, BUFFER_AT, scalarSha256Wat, simdSha256Wat } from "./Sha256Wat.ts"
import { SIP_BUFFER_AT, SIP_PAGES, scalarSipHashWat, simdSipHashWat } from "./SipHashWat.ts"

const compile = async (name: string, text: string): Promise<string> => {
  const compiler = await wabt()
  const module = compiler.parseWat(name, text, { simd: true, bulk_memory: true })
  module.validate()
  const { buffer } = module.toBinary({ log: false, write_debug_names: false })
  return Buffer.from(buffer).toString("base64")
}

const constant = (doc: string, name: string, type: string, value: string): string =>
  `/** ${doc} */\nexport const ${name}: ${type} =\n  ${value}\n`

/** The text of `src/WasmModules.ts`, compiled anew. */
export const compiledModules = async (): Promise<string> =>
  [
    "// Compiled by `npm run wasm` from packages/crypto/wasm. Change the text there, not these bytes.\n",
    constant(
      "SHA-256d of one message, in base64.",
      "SCALAR_SHA256",
      "string",
      JSON.stringify(await compile("sha256.wat", scalarSha256Wat))
    ),
    constant(
      "SHA-256d of one message and of four side by side, in base64.",
      "SIMD_SHA256",
      "string",
      JSON.stringify(await compile("sha256x4.wat", simdSha256Wat))
    ),
    constant(
      "Where the caller's part of the SHA-256 modules' memory begins.",
      "SHA256_BUFFER_AT",
      "number",
      String(BUFFER_AT)
    ),
    constant("Where it ends.", "SHA256_BUFFER_END", "number", String(PAGES * 65_536)),
    constant(
      "SipHash-2-4 of 32-byte ids, one at a time, in base64.",
      "SCALAR_SIPHASH",
      "string",
      JSON.stringify(await compile("siphash.wat", scalarSipHashWat))
    ),
    constant(
      "SipHash-2-4 of 32-byte ids, one at a time and four side by side, in base64.",
      "SIMD_SIPHASH",
      "string",
      JSON.stringify(await compile("siphashx4.wat", simdSipHashWat))
    ),
    constant(
      "Where the caller's part of the SipHash modules' memory begins.",
      "SIPHASH_BUFFER_AT",
      "number",
      String(SIP_BUFFER_AT)
    ),
    constant("Where it ends.", "SIPHASH_BUFFER_END", "number", String(SIP_PAGES * 65_536))
  ].join("\n")

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(join(import.meta.dirname, "..", "src", "WasmModules.ts"), await compiledModules())
}
