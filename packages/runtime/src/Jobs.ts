/**
 * What a worker can be asked to do: a closed list, so that both sides agree by type. Bytes are moved and not copied, both ways: who
 * gives a job away has its memory back with the answer.
 */
import { type BlockContext, type BlockFault, checkBlockBytes } from "@satwire/consensus"
import { portableSignatures } from "@satwire/crypto"
import { platformSha256 } from "@satwire/crypto/node"

/** The double SHA-256 of bytes. */
export interface Sha256dJob {
  readonly _tag: "Sha256d"
  readonly bytes: Uint8Array<ArrayBuffer>
}

export interface Sha256dAnswer {
  readonly hash: Uint8Array<ArrayBuffer>
  /** The memory of the job, come back. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Everything about a block that needs no coins. */
export interface CheckBlockJob {
  readonly _tag: "CheckBlock"
  /** The block as it came. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly context: BlockContext
}

export interface CheckBlockAnswer {
  /** The first rule that it breaks, if any. */
  readonly fault: BlockFault | undefined
  /** The memory of the job, come back. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

export type Job = Sha256dJob | CheckBlockJob

/** What a job is answered with. */
export interface Answers {
  readonly Sha256d: Sha256dAnswer
  readonly CheckBlock: CheckBlockAnswer
}

export type AnswerTo<J extends Job> = Answers[J["_tag"]]

/** One row for each job: how it is made ready to leave, how it is done, and what memory moves each way. */
interface Row<J extends Job> {
  readonly leave: (job: J) => Moved<J>
  readonly work: (job: J) => Moved<AnswerTo<J>>
}

/** A message and the memory that leaves with it. */
export interface Moved<Message> {
  readonly message: Message
  readonly memory: ReadonlyArray<ArrayBuffer>
}

const JOBS: { readonly [Tag in Job["_tag"]]: Row<Extract<Job, { readonly _tag: Tag }>> } = {
  Sha256d: {
    leave: (job) => {
      const bytes = whole(job.bytes)
      return { message: { _tag: "Sha256d", bytes }, memory: [bytes.buffer] }
    },
    work: ({ bytes }) => {
      const hash = new Uint8Array(32)
      platformSha256.sha256d(bytes, 0, bytes.length, hash, 0)
      return { message: { hash, bytes }, memory: [hash.buffer, bytes.buffer] }
    }
  },
  CheckBlock: {
    leave: (job) => {
      const bytes = whole(job.bytes)
      return { message: { _tag: "CheckBlock", bytes, context: job.context }, memory: [bytes.buffer] }
    },
    // A signet's solution costs a few signatures a block: no native library is worth it.
    work: ({ bytes, context }) => {
      const fault = checkBlockBytes(platformSha256, bytes, context, portableSignatures)
      return { message: { fault, bytes }, memory: [bytes.buffer] }
    }
  }
}

/** Bytes that share their memory with others cannot be moved: they are copied. */
const whole = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)

/** Makes a job ready to leave. */
export const leaving = <J extends Job>(job: J): Moved<J> => rowOf(job).leave(job)

/** Does a job, in whatever thread this is. */
export const doJob = <J extends Job>(job: J): Moved<AnswerTo<J>> => rowOf(job).work(job)

/** The table has each job's row under its tag, which the compiler does not follow for a job that it does not know yet. */
const rowOf = <J extends Job>(job: J): Row<J> => JOBS[job._tag] as unknown as Row<J>
