/** What this machine is called on its networks. */
import { networkInterfaces } from "node:os"
import { type NetworkAddr, parseHost } from "@satwire/netaddress"

export interface Machine {
  /** What stands for every address of it. */
  readonly anyAddress: string
  /** Hosts of its interfaces. */
  readonly interfaces: ReadonlyArray<NetworkAddr>
}

export const thisMachine = (): Machine => {
  const all = Object.values(networkInterfaces())
    .flat()
    .filter((address) => address !== undefined)
  return {
    anyAddress: all.some(({ family }) => family === "IPv6") ? "::" : "0.0.0.0",
    interfaces: all.map(({ address }) => parseHost(address)).filter((host) => host !== undefined)
  }
}
