/** A node of ours that is connected to bcoin and to nobody else. */
import type { NodeOptions } from "@satwire/node"
import { bcoinRegtest } from "./BcoinRegtest.ts"

export const besideBcoin = (changes: Pick<NodeOptions, "connect"> & Partial<NodeOptions>): NodeOptions => ({
  params: bcoinRegtest,
  roles: { headers: { serve: true, announce: true }, mining: undefined },
  userAgent: "/satwire-interop:0.0.0/",
  services: 0n,
  listen: undefined,
  maxInbound: 0,
  dialTimeoutMs: 5000,
  // It bans who speaks to it what it does not know.
  v2transport: false,
  ...changes
})
