/** What the node tells, asked for once a second while somebody can see the page, and ten minutes of samples of it. */
import { useEffect, useState } from "preact/hooks"
import type { Sample, State, StateAnswer } from "../Told.ts"

export interface Live {
  readonly state: State | undefined
  readonly samples: ReadonlyArray<Sample>
  /** Why the node could not be asked the last time. */
  readonly trouble: string | undefined
}

const EVERY_MS = 1000
const SAMPLES_KEPT = 600
const NOTHING: Live = { state: undefined, samples: [], trouble: undefined }

/** Asks for JSON below where the page lies; `undefined` where there is no such thing. */
export const ask = async <A>(path: string, signal?: AbortSignal): Promise<A | undefined> => {
  const response = await fetch(`/dashboard/${path}`, { cache: "no-store", ...(signal === undefined ? {} : { signal }) })
  if (response.status === 404) return undefined
  if (!response.ok) throw new Error(`the node answers ${response.status}`)
  return (await response.json()) as A
}

/** Does something at once, and again so long after it was done, while the page is seen; ends with what it gives. */
export const whileSeen = (everyMs: number, action: (signal: AbortSignal) => Promise<void>): (() => void) => {
  const ending = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isBusy = false
  const turn = async (): Promise<void> => {
    if (isBusy || document.hidden) return
    isBusy = true
    clearTimeout(timer)
    await action(ending.signal)
    isBusy = false
    if (!ending.signal.aborted) timer = setTimeout(() => void turn(), everyMs)
  }
  const onSeen = (): void => void turn()
  document.addEventListener("visibilitychange", onSeen)
  void turn()
  return () => {
    ending.abort()
    clearTimeout(timer)
    document.removeEventListener("visibilitychange", onSeen)
  }
}

const joined = (before: Live, { samples, state }: StateAnswer): Live => {
  const isSameRun = before.state?.startedUnixMs === state.startedUnixMs
  const known = isSameRun ? before.samples : []
  const last = known.at(-1)?.n ?? 0
  const all = [...known, ...samples.filter(({ n }) => n > last)].slice(-SAMPLES_KEPT)
  return { state, samples: all, trouble: undefined }
}

export const useLive = (): Live => {
  const [live, setLive] = useState(NOTHING)
  useEffect(() => {
    let latest = NOTHING
    return whileSeen(EVERY_MS, async (signal) => {
      try {
        const answer = await ask<StateAnswer>(`state?after=${latest.samples.at(-1)?.n ?? 0}`, signal)
        if (answer === undefined) return
        // Another run of the node counts from 1 again: all that it has is asked for then.
        const isOther = latest.state !== undefined && latest.state.startedUnixMs !== answer.state.startedUnixMs
        const whole = isOther ? await ask<StateAnswer>("state?after=0", signal) : answer
        if (whole !== undefined) latest = joined(latest, whole)
      } catch (error) {
        if (signal.aborted) return
        latest = { ...latest, trouble: error instanceof Error ? error.message : String(error) }
      }
      setLive(latest)
    })
  }, [])
  return live
}
