import { compactSizeLength } from "@satwire/bytes"
import { byteStringSize, readByteString, writeByteString } from "../ByteString.ts"
import { type Codec, defineCodec } from "../Codec.ts"

/** Bytes of the command that was rejected: as many as a command has. */
const MAX_REJECTED_COMMAND_SIZE = 12
/**
 * Bitcoin Core's `MAX_REJECT_MESSAGE_LENGTH` (0.19 `net_processing.cpp`): bytes of a reason.
 *
 * @limit bytes of a reason for a rejection
 */
export const MAX_REJECT_MESSAGE_LENGTH = 111

/** BIP-0061 §"reject", its codes. */
export const REJECT_MALFORMED = 0x01
export const REJECT_INVALID = 0x10
export const REJECT_OBSOLETE = 0x11
export const REJECT_DUPLICATE = 0x12
export const REJECT_NONSTANDARD = 0x40
export const REJECT_DUST = 0x41
export const REJECT_INSUFFICIENTFEE = 0x42
export const REJECT_CHECKPOINT = 0x43

/** Historic: said why a message was refused, until Core 0.20 took it away. Read for tools and old captures; a node never sends one. */
export interface Reject {
  readonly _tag: "reject"
  /** The command that was refused. Like the reason one character for each byte: sanitize both before showing them. */
  readonly rejected: string
  readonly code: number
  readonly reason: string
  /** The block or transaction that was refused, where it says so. */
  readonly hash: Uint8Array | undefined
}

export const reject: Codec<Reject> = defineCodec<Reject>({
  command: "reject",
  spec: "BIP-0061 (historic)",
  maxSize:
    compactSizeLength(MAX_REJECTED_COMMAND_SIZE) +
    MAX_REJECTED_COMMAND_SIZE +
    1 +
    compactSizeLength(MAX_REJECT_MESSAGE_LENGTH) +
    MAX_REJECT_MESSAGE_LENGTH +
    32,
  // Core 0.19 read both strings with `LIMITED_STRING`, which throws.
  overLimit: "ignore",
  size: (m) => byteStringSize(m.rejected) + 1 + byteStringSize(m.reason) + (m.hash?.length ?? 0),
  encode(w, m) {
    writeByteString(w, m.rejected, "command")
    w.u8(m.code)
    writeByteString(w, m.reason, "reason")
    if (m.hash !== undefined) w.raw(m.hash)
  },
  decode: (r) => ({
    _tag: "reject",
    rejected: readByteString(r, MAX_REJECTED_COMMAND_SIZE, "rejected command"),
    code: r.u8("reject code"),
    reason: readByteString(r, MAX_REJECT_MESSAGE_LENGTH, "reject reason"),
    // BIP-0061: "all errors which provide this field fill it with" 32 bytes; which messages do is not to be told by their names.
    hash: r.left >= 32 ? r.view(32, "rejected hash") : undefined
  })
})
