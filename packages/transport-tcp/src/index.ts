export { layerTcp } from "./Tcp.ts"
