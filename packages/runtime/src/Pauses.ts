/** How long to wait before what was refused, or failed, is tried again: a second, doubled each time up to a minute. */
export const FIRST_PAUSE_MS = 1000
const LAST_PAUSE_MS = 60_000

export const nextPauseMs = (pauseMs: number): number => Math.min(2 * pauseMs, LAST_PAUSE_MS)
