/** Regtest headers for nodes to follow, and a data directory that has them already. */
import { HEADER_SIZE, regtest } from "@satwire/primitives"
import { HeaderStore } from "@satwire/store"
import * as Effect from "effect/Effect"
import { layerOnDisk } from "@satwire/node"

/** Keeps the headers where a node whose data directory this is will look for them. */
export const keepHeaders = (directory: string, headers: Uint8Array): Promise<void> =>
  HeaderStore.use((store) => store.append(headers, headers.length / HEADER_SIZE)).pipe(
    Effect.provide(layerOnDisk(directory, regtest)),
    Effect.runPromise
  )
