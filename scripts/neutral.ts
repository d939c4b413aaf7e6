/**
 * Proves that no platform is left below the seam (see `law/Neutral.ts`) and prints what each package weighs with all that it
 * stands on. Ends with `N passed, N failed`.
 */
import { theHouse } from "../law/House.ts"
import { type NeutralDoor, bundleOf, load, neutralDoors } from "../law/Neutral.ts"

const all = neutralDoors(theHouse())
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`.padStart(9)
const failures: Array<string> = []

const prove = async (name: string, doors: ReadonlyArray<NeutralDoor>): Promise<void> => {
  try {
    const { code, bytes, gzipBytes, left } = await bundleOf(doors)
    if (left.length > 0) throw new Error(`still imports ${left.join(", ")}`)
    load(code)
    console.log(`${name.padEnd(24)} ${kilobytes(bytes)} minified ${kilobytes(gzipBytes)} gzip`)
  } catch (error) {
    failures.push(name)
    console.log(`${name.padEnd(24)} ${error instanceof Error ? error.message : String(error)}`)
  }
}

for (const door of all) await prove(door.specifier, [door])
await prove(
  "wire and framing",
  all.filter(({ specifier }) => /\/(?:wire|framing)$/.test(specifier))
)
await prove("all of them", all)

console.log(`${all.length + 2 - failures.length} passed, ${failures.length} failed`)
if (failures.length > 0) process.exitCode = 1
