import { transportCompliance } from "@satwire/transport/compliance"
import { describe, it } from "vitest"
import { layerTcp } from "../src/index.ts"

transportCompliance({ describe, it }, { name: "TCP over IPv4", layer: layerTcp, host: "127.0.0.1" })
