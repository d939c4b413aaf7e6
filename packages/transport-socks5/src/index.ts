export { DEFAULT_PROXY_PORT, layerSocks5, type Socks5Options, socks5Dialer } from "./Socks5.ts"
export { DEFAULT_SOCKS5_TIMEOUT_MS } from "./Socks5Dialer.ts"
export type { Credentials } from "./StreamIsolation.ts"
