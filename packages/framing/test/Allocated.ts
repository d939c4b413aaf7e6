/** Runs `work` and adds up what it allocates: every array of bytes is made through this constructor. */
export const allocated = (work: () => void): number => {
  const Real = globalThis.Uint8Array
  let bytes = 0
  globalThis.Uint8Array = new Proxy(Real, {
    construct(target, args: Array<unknown>, newTarget) {
      const made = Reflect.construct(target, args, newTarget) as Uint8Array
      if (!(args[0] instanceof ArrayBuffer)) bytes += made.byteLength
      return made
    }
  })
  try {
    work()
  } finally {
    globalThis.Uint8Array = Real
  }
  return bytes
}
