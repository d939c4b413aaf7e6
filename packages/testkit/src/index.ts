export {
  arbitraryAmount,
  arbitraryBlock,
  arbitraryBytes,
  arbitraryHash,
  arbitraryHeader,
  arbitraryI32,
  arbitraryTransaction,
  arbitraryU32
} from "./Arbitraries.ts"
export { blockFile } from "./BlockFile.ts"
export { bunzip2 } from "./Bzip2.ts"
export { type SelfSigned, describeWithCertificate, selfSigned } from "./Certificate.ts"
export { CHROMIUM_FLAGS, chromiumPath, describeWithChromium } from "./Chromium.ts"
export { type Contender, type ContestOptions, type Score, contest, contestClock } from "./Contest.ts"
export { daemon } from "./Daemon.ts"
export { type DnsQuestion, type DnsReply, type DnsServer, dnsServer } from "./DnsServer.ts"
export { fastTestNetwork } from "./FastNetwork.ts"
export { FilledChain, type FilledChainOptions } from "./FilledChain.ts"
export { type HeaderBase, type HeaderSegment, type RetargetPoint } from "./HeaderSegments.ts"
export { arbitraryMessage, arbitraryMessages } from "./Messages.ts"
export { type LooseShape, looseTransaction } from "./LooseTransactions.ts"
export { MinedChain, type MineOptions } from "./MinedChain.ts"
export { describeWithProgram, programPath } from "./Programs.ts"
export { regtestChain } from "./RegtestChain.ts"
export { type Describe, type RealData, describeWithData, realData, realDataPath } from "./RealData.ts"
export { type HttpReply, httpRequest, rawHttp } from "./RawHttp.ts"
export { type SocksServer, type SocksServerOptions, socksServer } from "./SocksServer.ts"
export { Pieces, carry, tcpServer } from "./TcpServer.ts"
export { type FrameOptions, frame, framed } from "./HandMadeFrames.ts"
export { type GeneratedHeaders, generatedHeaders } from "./GeneratedHeaders.ts"
export { hashAt, lastOf } from "./HeaderAt.ts"
export { temporaryDirectory } from "./TemporaryDirectory.ts"
export { ListedChain } from "./ListedChain.ts"
