import * as fc from "fast-check"

/** Every run of the suites draws the same cases, unless SATWIRE_SEED is another number: new ones are what `npm run fuzz` looks for. */
fc.configureGlobal({ seed: Number(process.env["SATWIRE_SEED"] ?? 1) })
