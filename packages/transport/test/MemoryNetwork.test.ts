import { describe, it } from "vitest"
import { transportCompliance } from "../src/compliance.ts"
import { layerMemory } from "../src/MemoryNetwork.ts"

transportCompliance({ describe, it }, { name: "the memory network", layer: layerMemory(), host: "127.0.0.1" })
