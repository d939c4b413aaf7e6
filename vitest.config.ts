import { defineConfig } from "vitest/config"

const conditions = ["@satwire/source", "module", "node", "development|production"]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "law/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
