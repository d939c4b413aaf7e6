import { defineConfig } from "vitest/config"
import root from "../vitest.config.ts"

export default defineConfig({
  ...root,
  test: { ...root.test, dir: import.meta.dirname, include: ["test/**/*.test.ts"], fileParallelism: false }
})
