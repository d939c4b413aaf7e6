/** Makes a module that is kept as text run, or says that this engine does not. */
import { bytesFromBase64 } from "./Base64.ts"

/** What the module in `base64` exports, or `undefined` where there is no WebAssembly, a policy forbids it, or it lacks what the module uses. */
export const wasmExports = (base64: string): object | undefined => {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(bytesFromBase64(base64))).exports
  } catch {
    return undefined
  }
}
