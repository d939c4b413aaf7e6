/** What a compliance suite needs of a test runner; vitest's functions fit. */
export interface SuiteApi {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (name: string, body: () => Promise<void>) => unknown
}
