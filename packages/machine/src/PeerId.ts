import type { Brand } from "effect/Brand"

/** Names one connection to every machine of a node. Counted up and never used again, so that a late message finds nobody. */
export type PeerId = number & Brand<"PeerId">
export const PeerId = (id: number): PeerId => id as PeerId
