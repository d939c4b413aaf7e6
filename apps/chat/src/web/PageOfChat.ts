/** Of what the page is made: bundled at a build, or when a clone is asked for it first. */
import type { PageSources } from "@satwire/dashboard-page"

export const PAGE_OF_CHAT: PageSources = {
  html: new URL("../page/index.html", import.meta.url),
  script: new URL("../page/main.ts", import.meta.url),
  style: new URL("../page/page.css", import.meta.url)
}
