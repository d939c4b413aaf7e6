export { AssertionError, assert, type Machine, type Outbox } from "./Machine.ts"
export { type Random, exponentialMs, shuffle } from "./Random.ts"
export { Instant, type Now, UnixSeconds, after, earliest } from "./Time.ts"
export { Timers } from "./Timers.ts"
