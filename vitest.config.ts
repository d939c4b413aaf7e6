import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const conditions = ["@satwire/source", "module", "node", "development|production"]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // Relative to --dir, so that `vitest run --dir packages/wire` finds the suites of one package.
    include: ["**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/.*/**", "interop/**"],
    setupFiles: [fileURLToPath(new URL("./vitest.setup.ts", import.meta.url))],
    // By itself vitest leaves one of two processors idle, which many suites do too while they wait for a socket.
    maxWorkers: "100%",
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
