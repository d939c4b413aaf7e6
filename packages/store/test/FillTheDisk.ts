/** Appends ten headers at a time until the disk is full, and says how it went. Run under a limit by DiskFull.test.ts. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { someHeaders } from "../src/compliance.ts"
import { HeaderStore, layerFiles } from "../src/index.ts"
import { MAINNET_MAGIC } from "./Magic.ts"

const directory = process.argv[2] ?? ""

const fill = Effect.gen(function* () {
  const { append } = yield* HeaderStore
  let kept = 0
  const error = yield* Effect.flip(
    Effect.forever(
      Effect.map(
        Effect.suspend(() => append(someHeaders(10, kept), 10)),
        () => {
          kept += 10
        }
      )
    )
  )
  const again = yield* Effect.flip(append(someHeaders(10, kept), 10))
  return { kept, tag: error._tag, code: "code" in error ? error.code : "", again: again._tag }
})

const store = HeaderStore.layer({ directory, networkMagic: MAINNET_MAGIC }).pipe(Layer.provide(layerFiles))
process.stdout.write(JSON.stringify(await Effect.runPromise(Effect.provide(fill, store))))
