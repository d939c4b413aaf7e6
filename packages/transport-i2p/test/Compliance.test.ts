import { transportCompliance } from "@satwire/transport/compliance"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, it } from "vitest"
import { I2P_HOST, layerI2p } from "../src/index.ts"
import { samRouter } from "./SamRouter.ts"

transportCompliance(
  { describe, it },
  {
    name: "I2P through the tests' own router",
    layer: Layer.unwrap(Effect.map(samRouter(), ({ bridge }) => layerI2p({ bridge }))),
    host: I2P_HOST,
    lacks: { refusals: "I2P does not tell it from somebody who is not there" }
  }
)
