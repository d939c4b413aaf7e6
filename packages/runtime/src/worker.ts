/** The program of a worker thread. A bundle has it as an entry of its own beside the main one, called `worker.js`. */
import { serveJobs } from "./workers.ts"

serveJobs()
