export {
  HeaderStreamMachine,
  type HeaderStreamInput,
  type HeaderStreamOutput,
  type ServingFault
} from "./HeaderStreamMachine.ts"
export {
  type HeaderPlace,
  type HeaderRun,
  MAX_CHANGE_HEADERS,
  type TipChange,
  nextChange,
  placeOf
} from "./TipChange.ts"
