/** `node NodesElsewhere.ts <options as JSON>`: libp2p nodes in a process of their own, asked by lines on its input, a line of JSON for each answer. */
import { createInterface } from "node:readline"
import process from "node:process"
import type { DialError } from "@satwire/transport"
import * as Effect from "effect/Effect"
import { type Libp2pNodeOptions, type Libp2pNodeShape, makeLibp2pNode } from "../../src/index.ts"

export type Question = { readonly node: number } & (
  | { readonly ask: "who" }
  | { readonly ask: "connections" }
  | { readonly ask: "connect"; readonly to: string }
  | { readonly ask: "hangUp"; readonly peerId: string }
)

const answer = (node: Libp2pNodeShape, question: Question): Effect.Effect<unknown, DialError> => {
  switch (question.ask) {
    case "who":
      return Effect.sync(() => ({ peerId: node.peerId, addresses: node.addresses() }))
    case "connections":
      return Effect.sync(() => node.connections())
    case "connect":
      return node.connect(question.to)
    case "hangUp":
      return node.hangUp(question.peerId)
  }
}

const limits = { maxPerHostASecond: 10_000, maxPending: 10_000 }
const options = JSON.parse(process.argv[2] ?? "[]") as ReadonlyArray<Libp2pNodeOptions>

const program = Effect.gen(function* () {
  const nodes = yield* Effect.forEach(options, (each) => makeLibp2pNode({ limits, security: ["noise"], ...each }))
  yield* Effect.promise(async () => {
    for await (const line of createInterface({ input: process.stdin })) {
      const question = JSON.parse(line) as Question
      const said = await Effect.runPromise(
        Effect.match(answer(nodes[question.node] as Libp2pNodeShape, question), {
          onSuccess: (value) => ({ value }),
          onFailure: (error) => ({ error: String(error) })
        })
      )
      process.stdout.write(`${JSON.stringify(said)}\n`)
    }
  })
})

await Effect.runPromise(Effect.scoped(program))
process.exit()
