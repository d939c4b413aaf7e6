export { type BodyLimits, MAX_BODY_DEPTH, MAX_BODY_VALUES, defaultBodyLimits, judgeBody } from "./BodyRules.ts"
export {
  CLOCK_SKEW_SECONDS,
  ENVELOPE_ID_SIZE,
  ENVELOPE_VERSION,
  type Envelope,
  type EnvelopeContent,
  type EnvelopeSignature,
  MAX_ENVELOPE_BYTES,
  MAX_HOPS,
  MAX_NODE_ID_BYTES,
  MAX_TYPE_BYTES,
  decodeEnvelope,
  encodeEnvelope,
  encodeSigned,
  envelopeId,
  isEnvelopeType,
  isSignedBy,
  setHops,
  withHops
} from "./Envelope.ts"
export { EnvelopeError, type EnvelopeErrorKind } from "./EnvelopeError.ts"
