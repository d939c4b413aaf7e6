/**
 * Every message of the protocol, in one table. The `Message` union, the command names, the limits, the fuzz list, the metric labels
 * and the documentation derive from it: a message is added by its file and its line here.
 */
import { DecodeError, type DecodeResult, Reader, decodeFrom, encode } from "@satwire/bytes"
import * as Result from "effect/Result"
import type { Codec } from "./Codec.ts"
import { type Addr, addr } from "./messages/addr.ts"
import { type AddrV2, addrv2 } from "./messages/addrv2.ts"
import { type AncPkgInfo, ancpkginfo } from "./messages/ancpkginfo.ts"
import { type Block, block } from "./messages/block.ts"
import { type BlockTxn, blocktxn } from "./messages/blocktxn.ts"
import { type CFCheckpt, cfcheckpt } from "./messages/cfcheckpt.ts"
import { type CFHeaders, cfheaders } from "./messages/cfheaders.ts"
import { type CFilter, cfilter } from "./messages/cfilter.ts"
import { type CmpctBlock, cmpctblock } from "./messages/cmpctblock.ts"
import { type Feature, feature } from "./messages/feature.ts"
import { type FeeFilter, feefilter } from "./messages/feefilter.ts"
import { type FilterAdd, filteradd } from "./messages/filteradd.ts"
import { type FilterClear, filterclear } from "./messages/filterclear.ts"
import { type FilterLoad, filterload } from "./messages/filterload.ts"
import { type GetAddr, getaddr } from "./messages/getaddr.ts"
import { type GetBlocks, getblocks } from "./messages/getblocks.ts"
import { type GetBlockTxn, getblocktxn } from "./messages/getblocktxn.ts"
import { type GetCFCheckpt, getcfcheckpt } from "./messages/getcfcheckpt.ts"
import { type GetCFHeaders, getcfheaders } from "./messages/getcfheaders.ts"
import { type GetCFilters, getcfilters } from "./messages/getcfilters.ts"
import { type GetData, getdata } from "./messages/getdata.ts"
import { type GetHeaders, getheaders } from "./messages/getheaders.ts"
import { type GetPkgTxns, getpkgtxns } from "./messages/getpkgtxns.ts"
import { type Headers, headers } from "./messages/headers.ts"
import { type Inv, inv } from "./messages/inv.ts"
import { type Mempool, mempool } from "./messages/mempool.ts"
import { type MerkleBlock, merkleblock } from "./messages/merkleblock.ts"
import { type NotFound, notfound } from "./messages/notfound.ts"
import { type Ping, ping } from "./messages/ping.ts"
import { type PkgTxns, pkgtxns } from "./messages/pkgtxns.ts"
import { type Pong, pong } from "./messages/pong.ts"
import { type ReconcilDiff, reconcildiff } from "./messages/reconcildiff.ts"
import { type Reject, reject } from "./messages/reject.ts"
import { type ReqRecon, reqrecon } from "./messages/reqrecon.ts"
import { type ReqSketchExt, reqsketchext } from "./messages/reqsketchext.ts"
import { type SendAddrV2, sendaddrv2 } from "./messages/sendaddrv2.ts"
import { type SendCmpct, sendcmpct } from "./messages/sendcmpct.ts"
import { type SendHeaders, sendheaders } from "./messages/sendheaders.ts"
import { type SendPackages, sendpackages } from "./messages/sendpackages.ts"
import { type SendTxRcncl, sendtxrcncl } from "./messages/sendtxrcncl.ts"
import { type Sketch, sketch } from "./messages/sketch.ts"
import { type Tx, tx } from "./messages/tx.ts"
import { type Verack, verack } from "./messages/verack.ts"
import { type Version, version } from "./messages/version.ts"
import { type WtxidRelay, wtxidrelay } from "./messages/wtxidrelay.ts"

/** The rows, in the order in which a connection meets them. */
export interface MessageTable {
  readonly version: Codec<Version>
  readonly verack: Codec<Verack>
  readonly wtxidrelay: Codec<WtxidRelay>
  readonly sendaddrv2: Codec<SendAddrV2>
  readonly sendtxrcncl: Codec<SendTxRcncl>
  readonly sendpackages: Codec<SendPackages>
  readonly feature: Codec<Feature>
  readonly ping: Codec<Ping>
  readonly pong: Codec<Pong>
  readonly getaddr: Codec<GetAddr>
  readonly addr: Codec<Addr>
  readonly addrv2: Codec<AddrV2>
  readonly sendheaders: Codec<SendHeaders>
  readonly getheaders: Codec<GetHeaders>
  readonly headers: Codec<Headers>
  readonly getblocks: Codec<GetBlocks>
  readonly inv: Codec<Inv>
  readonly getdata: Codec<GetData>
  readonly notfound: Codec<NotFound>
  readonly block: Codec<Block>
  readonly tx: Codec<Tx>
  readonly mempool: Codec<Mempool>
  readonly feefilter: Codec<FeeFilter>
  readonly sendcmpct: Codec<SendCmpct>
  readonly cmpctblock: Codec<CmpctBlock>
  readonly getblocktxn: Codec<GetBlockTxn>
  readonly blocktxn: Codec<BlockTxn>
  readonly getcfilters: Codec<GetCFilters>
  readonly cfilter: Codec<CFilter>
  readonly getcfheaders: Codec<GetCFHeaders>
  readonly cfheaders: Codec<CFHeaders>
  readonly getcfcheckpt: Codec<GetCFCheckpt>
  readonly cfcheckpt: Codec<CFCheckpt>
  readonly filterload: Codec<FilterLoad>
  readonly filteradd: Codec<FilterAdd>
  readonly filterclear: Codec<FilterClear>
  readonly merkleblock: Codec<MerkleBlock>
  readonly reqrecon: Codec<ReqRecon>
  readonly sketch: Codec<Sketch>
  readonly reqsketchext: Codec<ReqSketchExt>
  readonly reconcildiff: Codec<ReconcilDiff>
  readonly getpkgtxns: Codec<GetPkgTxns>
  readonly pkgtxns: Codec<PkgTxns>
  readonly ancpkginfo: Codec<AncPkgInfo>
  readonly reject: Codec<Reject>
}

export const messageTable: MessageTable = {
  version,
  verack,
  wtxidrelay,
  sendaddrv2,
  sendtxrcncl,
  sendpackages,
  feature,
  ping,
  pong,
  getaddr,
  addr,
  addrv2,
  sendheaders,
  getheaders,
  headers,
  getblocks,
  inv,
  getdata,
  notfound,
  block,
  tx,
  mempool,
  feefilter,
  sendcmpct,
  cmpctblock,
  getblocktxn,
  blocktxn,
  getcfilters,
  cfilter,
  getcfheaders,
  cfheaders,
  getcfcheckpt,
  cfcheckpt,
  filterload,
  filteradd,
  filterclear,
  merkleblock,
  reqrecon,
  sketch,
  reqsketchext,
  reconcildiff,
  getpkgtxns,
  pkgtxns,
  ancpkginfo,
  reject
}

/** A command that the table has. */
export type Command = keyof MessageTable

/** The message of a command. */
export type MessageOf<C extends Command> = MessageTable[C] extends Codec<infer A> ? A : never

/** Any message. Its `_tag` is the command. */
export type Message = { readonly [C in Command]: MessageOf<C> }[Command]

/** Every row. */
export const codecs: ReadonlyArray<Codec<Message>> = Object.values(messageTable)

/** Every command. */
export const commands: ReadonlyArray<Command> = codecs.map((codec) => codec.command)

/** A `Map` and not the table itself, because a peer may send a command of `__proto__`. */
const byCommand: ReadonlyMap<string, Codec<Message>> = new Map(codecs.map((codec) => [codec.command, codec]))

/** The row of a command, which may be any string; `undefined` where the table has none. */
export const codecOf = (command: string): Codec<Message> | undefined => byCommand.get(command)

const rowOf = (message: Message): Codec<Message> => byCommand.get(message._tag) as Codec<Message>

export interface DecodeOptions {
  /** Makes left-over bytes an error. Peers tolerate them as Core does; tools need not. */
  readonly strict?: boolean
}

/** Decodes a payload of a known command. Byte fields of the message are views into `payload`. Never throws on any input. */
export const decodePayload = <C extends Command>(
  command: C,
  payload: Uint8Array,
  options?: DecodeOptions
): DecodeResult<MessageOf<C>> => {
  const codec = byCommand.get(command) as Codec<Message>
  return decodeMessage(codec, new Reader(payload), options?.strict === true) as DecodeResult<MessageOf<C>>
}

/** Decodes one message from where `reader` stands to its end: the door for a transport, which has one reader for many frames. */
export const decodeMessage = (
  codec: Codec<Message>,
  reader: Reader,
  strict: boolean = false
): DecodeResult<Message> => {
  const start = reader.offset
  const decoded = decodeFrom(reader, codec)
  if ((strict || codec.strict) && Result.isSuccess(decoded) && decoded.success.bytesLeft > 0) {
    return Result.fail(
      new DecodeError("malformed", `${decoded.success.bytesLeft} bytes left over`, reader.offset - start)
    )
  }
  return decoded
}

/** How many bytes the payload of `message` takes. */
export const messageSize = (message: Message): number => rowOf(message).size(message)

/** The payload of `message` in an array of exactly its size. */
export const encodePayload = (message: Message): Uint8Array => {
  const codec = rowOf(message)
  return encode(codec.size(message), (w) => codec.encode(w, message))
}

/** Bytes of a command in a frame of the v1 transport. */
export const COMMAND_SIZE = 12

/** The command as the 12 bytes of a frame: ASCII, then zeros. */
export const commandBytes = (command: string): Uint8Array => {
  if (command.length > COMMAND_SIZE)
    throw new RangeError(`a command has at most ${COMMAND_SIZE} characters: ${command}`)
  const bytes = new Uint8Array(COMMAND_SIZE)
  for (let i = 0; i < command.length; i++) bytes[i] = command.charCodeAt(i)
  return bytes
}
