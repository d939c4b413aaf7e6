/** A worker whose first byte says how it fares: 1 ends it, 2 makes it throw, 3 keeps it busy for ever, 4 ends it after the
 * answer; anything else is work. */
import { parentPort } from "node:worker_threads"
import { type Job, doJob } from "../src/Jobs.ts"

parentPort?.on("message", (job: Job) => {
  const mood = job.bytes[0]
  if (mood === 1) process.exit(7)
  if (mood === 2) throw new Error("not today")
  while (mood === 3);
  const { message, memory } = doJob(job)
  parentPort?.postMessage(message, memory)
  if (mood === 4) setImmediate(() => process.exit(0))
})
