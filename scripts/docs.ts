/**
 * `npm run docs`: writes the pages that come from the code (see `law/Documents.ts`).
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { pages } from "../law/Documents.ts"
import { root, theHouse } from "../law/House.ts"

for (const [path, text] of pages(theHouse())) {
  writeFileSync(join(root, path), text)
  console.log(path)
}
