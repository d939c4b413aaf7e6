export { codeOf, dialReasonOf, listenReasonOf, wordsOf } from "./SystemErrors.ts"
export { layerTcp } from "./Tcp.ts"
export { endpointOf } from "./TcpConnection.ts"
