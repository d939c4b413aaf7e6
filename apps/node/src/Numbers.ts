/** Numbers as people read them, the same on every machine. */

/** `12,345`, or with a noun `1 header`, `12,345 headers`. */
export const counted = (n: number, noun?: string): string => {
  const digits = String(Math.round(n)).replace(/\B(?=(?:\d{3})+$)/g, ",")
  return noun === undefined ? digits : `${digits} ${noun}${n === 1 ? "" : "s"}`
}
