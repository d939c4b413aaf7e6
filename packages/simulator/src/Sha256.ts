/** What every simulated node hashes with: the fastest there is here. All backends give the same bytes. */
import type { Sha256 } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"

export const sha256: Sha256 = platformSha256
