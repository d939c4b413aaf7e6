/** What every socket of this transport is set to. */
export const SOCKET_OPTIONS = {
  /** A write is a whole turn's messages: nothing to wait for. */
  noDelay: true,
  /** Finds out that the other end is gone where nothing is sent: after two minutes of silence the kernel asks. */
  keepAlive: true,
  keepAliveInitialDelay: 120_000,
  /** The end of one direction ends both, as on every Bitcoin connection. */
  allowHalfOpen: false
} as const
