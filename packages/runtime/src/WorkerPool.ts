/**
 * Threads for work that would hold up a turn: a job goes out, its answer comes back, and the bytes of both are moved.
 *
 * ```
 *   run(job) ─▶ an idle worker, or a new one, or wait ─▶ postMessage(job, moved bytes)
 *                                                             │
 *      answer ◀──────────────────────────────────────── worker.ts: doJob
 * ```
 *
 * It pays from about a millisecond of work on: a round trip costs 20 µs. Workers are started when there is work for them. It is
 * `node:worker_threads`, on Node and Deno alike, from source, built and bundled: `worker.js` lies beside the module that starts it, or
 * `worker.ts` does.
 */
import * as Os from "node:os"
import { Worker, parentPort } from "node:worker_threads"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Pool from "effect/Pool"
import type * as Scope from "effect/Scope"
import { type AnswerTo, type Job, doJob, leaving } from "./Jobs.ts"

/** How long a worker without work is kept. */
const IDLE_MS = 60_000

interface WorkerFailedFields {
  /** Which job was lost. */
  readonly job: Job["_tag"]
  /** One sentence. */
  readonly message: string
}

const WorkerFailedBase: new (
  fields: WorkerFailedFields
) => Cause.YieldableError & { readonly _tag: "WorkerFailed" } & WorkerFailedFields = Data.TaggedError("WorkerFailed")

/** A worker died with a job in its hands: out of memory, ended from outside, or by a bug of ours. The next job gets a fresh one. */
export class WorkerFailed extends WorkerFailedBase {}

export interface WorkerPoolShape {
  /**
   * Does a job in a worker. The bytes of the job are gone from here until the answer brings them back. Interrupting it ends the work:
   * the worker is given up with it.
   */
  readonly run: <J extends Job>(job: J) => Effect.Effect<AnswerTo<J>, WorkerFailed>
}

export interface WorkerPoolOptions {
  /** How many workers there are at most: one less than the machine has cores where not given, and at least one. */
  readonly size?: number | undefined
  /** The program of the workers, where it does not lie beside this module. */
  readonly program?: URL | undefined
}

const WorkerPoolBase: Context.ServiceClass<WorkerPool, "@satwire/runtime/WorkerPool", WorkerPoolShape> =
  Context.Service<WorkerPool, WorkerPoolShape>()("@satwire/runtime/WorkerPool")

export class WorkerPool extends WorkerPoolBase {
  /** Workers that end with the layer's scope. */
  static readonly layer = (options: WorkerPoolOptions = {}): Layer.Layer<WorkerPool> =>
    Layer.effect(
      WorkerPool,
      Effect.gen(function* () {
        const pool = yield* Pool.makeWithTTL({
          acquire: startWorker(options.program ?? programBeside(import.meta.url)),
          min: 0,
          max: options.size ?? Math.max(1, Os.availableParallelism() - 1),
          timeToLive: IDLE_MS
        })
        const run = <J extends Job>(job: J): Effect.Effect<AnswerTo<J>, WorkerFailed> =>
          Effect.gen(function* () {
            const thread = yield* Pool.get(pool)
            if (!thread.hasEnded) {
              return yield* Effect.onError(handOver(thread.worker, job), () => Pool.invalidate(pool, thread))
            }
            yield* Pool.invalidate(pool, thread)
            return yield* run(job)
          }).pipe(Effect.scoped)
        return WorkerPool.of({ run })
      })
    )
}

/** The worker's program as it lies beside `module`: in a folder of sources it is one, too. */
const programBeside = (module: string): URL => {
  const program = new URL("./worker.js", module)
  if (module.endsWith(".ts")) program.pathname = program.pathname.replace(/\.js$/, ".ts")
  if (program.protocol === "file:") return program
  // Deno starts threads of files and of data, and what JSR serves is neither.
  return new URL(`data:text/javascript,${encodeURIComponent(`import ${JSON.stringify(program.href)}`)}`)
}

interface Thread {
  readonly worker: Worker
  hasEnded: boolean
}

const startWorker = (program: URL): Effect.Effect<Thread, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const isSource = program.pathname.endsWith(".ts")
      // Of sources, the packages that it imports are to be read from their sources as well.
      const execArgv = isSource ? [...process.execArgv, "--conditions=@satwire/source"] : process.execArgv
      const thread: Thread = { worker: new Worker(program, { execArgv }), hasEnded: false }
      // Whoever waits for an answer hears of a failure; without anybody waiting it is found out by the next job.
      thread.worker
        .on("error", () => undefined)
        .on("exit", () => {
          thread.hasEnded = true
        })
      return thread
    }),
    ({ worker }) => Effect.promise(() => worker.terminate())
  )

const handOver = <J extends Job>(worker: Worker, job: J): Effect.Effect<AnswerTo<J>, WorkerFailed> =>
  Effect.callback((resume) => {
    const off = (): void => {
      worker.off("message", onAnswer).off("error", onError).off("exit", onExit)
    }
    const fail = (what: string): void => {
      off()
      const message = `a worker died with a ${job._tag} job: ${what}`
      resume(Effect.fail(new WorkerFailed({ job: job._tag, message })))
    }
    const onAnswer = (answer: AnswerTo<J>): void => {
      off()
      resume(Effect.succeed(answer))
    }
    const onError = (error: Error): void => fail(error.message)
    const onExit = (code: number): void => fail(`it ended with code ${code}`)
    worker.on("message", onAnswer).on("error", onError).on("exit", onExit)
    const { message, memory } = leaving(job)
    worker.postMessage(message, memory)
    return Effect.sync(off)
  })

/** In a worker: does jobs as they come, one after another. What a job throws ends the worker, and so reaches who gave it. */
export const serveJobs = (): void => {
  parentPort?.on("message", (job: Job) => {
    const { message, memory } = doJob(job)
    parentPort?.postMessage(message, memory)
  })
}
