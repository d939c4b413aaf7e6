/** What of the doctor's questions this machine alone can answer: its disk, its ports, its addresses. */
import { open, rm, stat, statfs } from "node:fs/promises"
import { createServer } from "node:net"
import { dirname, join } from "node:path"
import { formatHost, isRoutable } from "@satwire/netaddress"
import { type ChainParams, HEADER_SIZE } from "@satwire/primitives"
import { DataDirectory, Files, layerFiles } from "@satwire/store"
import { formatEndpoint } from "@satwire/transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { thisMachine } from "../network/ThisMachine.ts"
import type { Finding } from "./Finding.ts"

/** Below this a node that keeps blocks stops soon. */
const LITTLE_BYTES = 2_000_000_000

const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && "code" in thrown ? String(thrown.code) : String(thrown)

/** Whether the data directory can be written to, and how much room there is. */
export const disk = (directory: string): Effect.Effect<Finding> =>
  Effect.gen(function* () {
    const { makeDirectory } = yield* Files
    const made = yield* Effect.result(makeDirectory(directory))
    return made._tag === "Failure" ? unwritable(directory, made.failure.code) : yield* writable(directory)
  }).pipe(Effect.provide(layerFiles))

const writable = (directory: string): Effect.Effect<Finding> =>
  Effect.promise(async (): Promise<Finding> => {
    const check = "Disk"
    const probe = join(directory, `.doctor-${process.pid}`)
    try {
      const file = await open(probe, "wx")
      await file.write("x")
      await file.sync()
      await file.close()
      const { bavail, bsize } = await statfs(directory)
      const free = bavail * bsize
      const room = `${(free / 1e9).toFixed(1)} GB are free`
      if (free > LITTLE_BYTES) return { check, state: "well", text: `${directory} can be written to, and ${room}.` }
      const advice = "Make room, choose another directory with --datadir, or keep less with --prune."
      return { check, state: "unsure", text: `${directory} can be written to, but only ${room}.`, advice }
    } catch (thrown) {
      return unwritable(directory, codeOf(thrown))
    } finally {
      await rm(probe, { force: true }).catch(() => undefined)
    }
  })

const unwritable = (directory: string, code: string): Finding => {
  const advice =
    code === "ENOSPC"
      ? "Make room, or choose another directory with --datadir."
      : code === "EACCES" || code === "EPERM" || code === "EROFS"
        ? `Give this user the right to write to ${directory} or to ${dirname(directory)}, or choose another with --datadir.`
        : "Choose another directory with --datadir."
  return { check: "Disk", state: "unwell", text: `${directory} cannot be written to (${code}).`, advice }
}

/** Whether another process works in the directory. What else is wrong with it `disk` has said. */
export const inUse = (root: string, network: ChainParams): Effect.Effect<Finding | undefined> =>
  Effect.scoped(Layer.build(DataDirectory.layer({ root, network }))).pipe(
    Effect.as(undefined),
    Effect.catchTag("DirectoryLocked", ({ path, pid }) =>
      Effect.succeed<Finding>({
        check: "Disk",
        state: "unsure",
        text: `${path} is in use by ${pid === undefined ? "another process" : `process ${pid}`}.`,
        advice: "That may be a node that runs already; another one needs a directory of its own: --datadir."
      })
    ),
    Effect.catch(() => Effect.succeed(undefined)),
    Effect.provide(layerFiles)
  )

/** About how many headers are kept in the directory. */
export const headersKept = (directory: string): Effect.Effect<number> =>
  Effect.promise(() =>
    stat(join(directory, "headers.dat")).then(
      ({ size }) => Math.floor(size / HEADER_SIZE),
      () => 0
    )
  )

/** Whether one may listen there. */
export const port = (what: string, host: string, number: number, option: string): Effect.Effect<Finding> =>
  Effect.callback((resume) => {
    const where = formatEndpoint({ host, port: number })
    const server = createServer()
    const found = (finding: Omit<Finding, "check">): void => resume(Effect.succeed({ check: "Ports", ...finding }))
    server.once("error", (error) => {
      const code = codeOf(error)
      found(
        code === "EADDRINUSE"
          ? {
              state: "unsure",
              text: `${where} for ${what} is taken.`,
              advice: `That may be a node that runs already; else choose another with ${option}.`
            }
          : {
              state: "unwell",
              text: `${where} for ${what} cannot be listened on (${code}).`,
              advice: `Choose another with ${option}.`
            }
      )
    })
    server.listen({ host, port: number, exclusive: true }, () => {
      server.close(() => found({ state: "well", text: `${where} is free for ${what}.` }))
    })
    return Effect.sync(() => server.close())
  })

/** Whether one of this machine's addresses could be dialled from the Internet. */
export const reachability = (listens: boolean, number: number): Finding => {
  const check = "Reachability"
  if (!listens) return { check, state: "unknown", text: "The node would not listen." }
  const addresses = thisMachine().interfaces.filter(isRoutable).map(formatHost)
  if (addresses.length > 0) {
    return { check, state: "well", text: `This machine has the public address ${addresses.slice(0, 3).join(", ")}.` }
  }
  return {
    check,
    state: "unsure",
    text: "This machine has no public address, so strangers cannot dial it. It can dial them all the same.",
    advice: `To be dialled, forward TCP port ${number} of your router to this machine and name your address with --externalip.`
  }
}
