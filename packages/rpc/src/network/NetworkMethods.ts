/** The table of these methods. */
import type { Method } from "@satwire/json-rpc"
import type { Rpc } from "../RpcNode.ts"
import { clearbanned, listbanned, setban } from "./Bans.ts"
import {
  addconnection,
  addnode,
  disconnectnode,
  getaddednodeinfo,
  getconnectioncount,
  ping,
  sendmsgtopeer,
  setnetworkactive
} from "./Connecting.ts"
import { addpeeraddress, getaddrmaninfo, getnodeaddresses, getrawaddrman } from "./KnownAddresses.ts"
import { getnettotals, getnetworkinfo } from "./NetworkInfo.ts"
import { getpeerinfo } from "./PeerInfo.ts"

/** Core's category "network", and what is hidden beside it. */
export const networkMethods: ReadonlyArray<Method<Rpc>> = [
  addconnection,
  addnode,
  addpeeraddress,
  clearbanned,
  disconnectnode,
  getaddednodeinfo,
  getaddrmaninfo,
  getconnectioncount,
  getnettotals,
  getnetworkinfo,
  getnodeaddresses,
  getpeerinfo,
  getrawaddrman,
  listbanned,
  ping,
  sendmsgtopeer,
  setban,
  setnetworkactive
]
