/**
 * Loaded into a node before it starts (`--import`): how long its event loop was held by its own work, in processor time of its thread, so that a
 * machine which is busy with other things does not count. Every millisecond, or as soon as it can, it looks how much there was since it looked
 * last. Each SIGUSR2 writes them, in milliseconds, into the file of `LOOP_GUARD`, and begins anew.
 */
import { renameSync, writeFileSync } from "node:fs"
import process from "node:process"

let held: Array<number> = []
const used = (): number => {
  const { system, user } = process.threadCpuUsage()
  return (system + user) / 1000
}

let last = used()
setInterval(() => {
  const now = used()
  held.push(Math.round(100 * (now - last)) / 100)
  last = now
}, 1).unref()

process.on("SIGUSR2", () => {
  // In one go, as others wait for the whole of it.
  const path = process.env["LOOP_GUARD"] ?? ""
  writeFileSync(`${path}.new`, JSON.stringify(held))
  renameSync(`${path}.new`, path)
  held = []
  last = used()
})
