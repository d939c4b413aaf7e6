/**
 * Who looks on at a dashboard, a process of its own, so that only what it costs the node is measured: asks for what the page asks for, as often,
 * and for the metrics every ten seconds.
 *
 *   node looker.ts URL     one line "ready"; then commands on standard input, one a line:
 *     look SECONDS          the page, and metrics; answers "asked N"
 *     trace SECONDS         the same, and the messages; answers "asked N, saw M messages, lost L"
 */
import process from "node:process"
import * as Readline from "node:readline"
import type { MessagesAnswer, StateAnswer } from "@satwire/dashboard-page"

const url = process.argv[2] ?? ""
let asked = 0

const ask = async <A>(path: string): Promise<A> => {
  asked++
  const response = await fetch(`${url}${path}`)
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return (path.startsWith("/dashboard") ? response.json() : response.text()) as Promise<A>
}

/** Does something again and again, so long after it was done, until then. */
const again = async (everyMs: number, until: number, action: () => Promise<void>): Promise<void> => {
  while (performance.now() < until) {
    await action()
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

const look = async (seconds: number, isTracing: boolean): Promise<string> => {
  asked = 0
  let [after, last, seen, lost] = [0, 0, 0, 0]
  const until = performance.now() + 1000 * seconds
  const page = again(1000, until, async () => {
    const { samples } = await ask<StateAnswer>(`/dashboard/state?after=${after}`)
    after = samples.at(-1)?.n ?? after
  })
  const metrics = again(10_000, until, async () => void (await ask<string>("/metrics")))
  const messages = isTracing
    ? again(500, until, async () => {
        const answer = await ask<MessagesAnswer>(`/dashboard/messages?after=${last}`)
        last = answer.last
        seen += answer.rows.length
        lost += answer.lost
      })
    : Promise.resolve()
  await Promise.all([page, metrics, messages])
  return `asked ${asked}${isTracing ? `, saw ${seen} messages, lost ${lost}` : ""}`
}

process.stdout.write("ready\n")
for await (const line of Readline.createInterface({ input: process.stdin })) {
  const [command, seconds] = line.split(" ")
  process.stdout.write(`${await look(Number(seconds), command === "trace")}\n`)
}
