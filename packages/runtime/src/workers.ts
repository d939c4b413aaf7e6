export type { AnswerTo, Answers, CheckBlockAnswer, CheckBlockJob, Job, Sha256dAnswer, Sha256dJob } from "./Jobs.ts"
export { WorkerFailed, WorkerPool, type WorkerPoolOptions, type WorkerPoolShape, serveJobs } from "./WorkerPool.ts"
