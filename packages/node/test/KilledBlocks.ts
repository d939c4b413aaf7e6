/**
 * A node on a data directory that fetches blocks from one peer, and is to be killed. One line of JSON for the height up to which it had all blocks
 * when it began, and for each height up to which it says to have them since.
 *
 * `node KilledBlocks.ts <data directory> <port of the peer>`
 */
import { Node, layerOnDisk } from "@satwire/node"
import { regtest } from "@satwire/primitives"
import { layerTcp } from "@satwire/transport-tcp"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import process from "node:process"
import { LOOPBACK, optionsOf } from "./TestNode.ts"

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

const life = Effect.gen(function* () {
  const [directory = "", port = "0"] = process.argv.slice(2)
  const options = optionsOf({
    blocks: { serve: false },
    connect: [{ host: LOOPBACK, port: Number(port) }],
    listen: undefined
  })
  const edges = Layer.merge(layerTcp, layerOnDisk(directory, regtest))
  const node = Context.get(yield* Layer.build(Layer.provide(Node.layer(options), edges)), Node)
  yield* Stream.runForEach(node.facts, (fact) =>
    Effect.sync(() => {
      if (fact._tag === "BlocksLoaded") say({ began: fact.height })
      if (fact._tag === "BlockTipChanged") say({ kept: fact.tip.height })
      if (fact._tag === "BlockInvalid" || fact._tag === "BlockDamaged") say({ wrong: fact })
    })
  )
})

await Effect.runPromise(Effect.scoped(life))
