/**
 * `npm run torture [-- --minutes 30 --hours 24 --seed 1]`: installs bcoin where it is missing, and starts a day of torture beside it
 * (`interop/torture/main.ts`).
 */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { interop, withInstalled } from "./Foreign.ts"

process.exitCode = withInstalled([interop], () => {
  const day = ["--conditions=@satwire/source", join(interop, "torture", "main.ts"), ...process.argv.slice(2)]
  return spawnSync(process.execPath, day, { stdio: "inherit" }).status ?? 1
})
