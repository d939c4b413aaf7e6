/** Numbers as people read them. */

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"]

export const bytes = (count: number): string => {
  let value = count
  let unit = 0
  while (Math.abs(value) >= 1000 && unit < BYTE_UNITS.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`
}

export const rate = (bytesPerSecond: number): string => `${bytes(bytesPerSecond)}/s`

export const count = (value: number): string => value.toLocaleString("en")

export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`

/** A short time, in the unit that fits. */
export const ms = (value: number | null): string => {
  if (value === null) return "–"
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`
  if (value >= 10) return `${value.toFixed(0)} ms`
  return value >= 1 ? `${value.toFixed(1)} ms` : `${(1000 * value).toFixed(0)} µs`
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** How long: the two largest units. */
export const duration = (seconds: number): string => {
  const s = Math.max(0, Math.round(seconds))
  if (s < MINUTE) return `${s} s`
  if (s < HOUR) return `${Math.floor(s / MINUTE)} min ${s % MINUTE} s`
  if (s < DAY) return `${Math.floor(s / HOUR)} h ${Math.floor((s % HOUR) / MINUTE)} min`
  return `${Math.floor(s / DAY)} d ${Math.floor((s % DAY) / HOUR)} h`
}

export const ago = (milliseconds: number | null): string =>
  milliseconds === null ? "never" : `${duration(milliseconds / 1000)} ago`

const two = (value: number): string => String(value).padStart(2, "0")

/** The time of day, to the millisecond where asked for. */
export const clock = (unixMs: number, isExact = false): string => {
  const at = new Date(unixMs)
  const text = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  return isExact ? `${text}.${String(at.getMilliseconds()).padStart(3, "0")}` : text
}

/** Times under an axis, in seconds since 1970: with their seconds where two would be of one minute. */
export const axisTimes = (times: ReadonlyArray<number>): ReadonlyArray<string> => {
  const [first = 0, second = Infinity] = times
  return times.map((time) => clock(1000 * time).slice(0, second - first < 60 ? undefined : 5))
}

export const date = (unixMs: number): string => new Date(unixMs).toISOString().slice(0, 16).replace("T", " ")

/** A hash by its last digits: the first are zeros. */
export const shortHash = (hash: string): string => `…${hash.slice(-12)}`
