/**
 * Two homes behind gateways and a public network between, as network namespaces of this machine without a way out:
 *
 * ```
 *   hostA 192.168.1.2 ── gateA 5.5.100.1 ─┐
 *                                         ├─ public 5.5.0.1, 11.0.0.1 … 18.0.0.1
 *   hostB 192.168.2.2 ── gateB 5.5.101.1 ─┘
 * ```
 *
 * Both gateways let out whatever asks, and nothing in that was not asked for. On the first one miniupnpd opens ports for who asks by NAT-PMP or UPnP.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export type Place = "public" | "gateA" | "hostA" | "gateB" | "hostB"
const PLACES: ReadonlyArray<Place> = ["public", "gateA", "hostA", "gateB", "hostB"]

/** Each of a network of its own: four of them have to reach an address before AutoNAT believes in it. */
export const PUBLIC_HOSTS: ReadonlyArray<string> = Array.from({ length: 8 }, (_, i) => `${11 + i}.0.0.1`)
export const GATE_A = "5.5.100.1"
export const GATE_B = "5.5.101.1"

const ran = (command: string, args: ReadonlyArray<string>, input = "") => {
  const { error, status, stderr } = spawnSync(command, args, { input, encoding: "utf8" })
  return { isFine: error === undefined && status === 0, stderr }
}

const must = (command: string, args: ReadonlyArray<string>, input?: string): void => {
  const { isFine, stderr } = ran(command, args, input)
  if (!isFine) throw new Error(`${command} ${args.join(" ")}: ${stderr}`)
}

/** Why there can be no such networks here; `undefined` where there can. */
export const whyNot = (): string | undefined => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "they want Linux and root"
  for (const tool of ["ip", "nft", "miniupnpd"]) {
    if (!ran("sh", ["-c", `command -v ${tool}`]).isFine) return `there is no ${tool}`
  }
  const probe = `satwire-${process.pid}-probe`
  if (!ran("ip", ["netns", "add", probe]).isFine) return "no namespace can be made"
  const table = "table ip probe { chain c { type nat hook postrouting priority 100; } }"
  const canTranslate = ran(
    "ip",
    ["netns", "exec", probe, "nft", "-f", "-"],
    `${table.replaceAll(" }", "\n }")}\n`
  ).isFine
  ran("ip", ["netns", "delete", probe])
  return canTranslate ? undefined : "the kernel translates no addresses"
}

const GATE_RULES = `
table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    jump miniupnpd
    iifname "inside" accept
    ct state established,related accept
  }
  chain input {
    type filter hook input priority 0; policy accept;
    iifname "outside" ct state new drop
  }
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    jump prerouting_miniupnpd
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    jump postrouting_miniupnpd
    oifname "outside" masquerade
  }
  chain miniupnpd {
  }
  chain prerouting_miniupnpd {
  }
  chain postrouting_miniupnpd {
  }
}
`

const MINIUPNPD = `
ext_ifname=outside
listening_ip=inside
port=0
enable_natpmp=yes
enable_upnp=yes
secure_mode=yes
uuid=00000000-0000-0000-0000-000000000001
upnp_table_name=filter
upnp_nat_table_name=filter
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
allow 1024-65535 192.168.1.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`

export class Networks {
  readonly #prefix = `satwire-${process.pid}-`
  readonly #folder = mkdtempSync(join(tmpdir(), "satwire-networks-"))
  readonly #children = new Set<ChildProcess>()

  #name(place: Place): string {
    return this.#prefix + place
  }

  /** Runs a program somewhere as long as these networks. */
  start(place: Place, command: string, args: ReadonlyArray<string>): ChildProcess {
    const child = spawn("ip", ["netns", "exec", this.#name(place), command, ...args], {
      stdio: ["pipe", "pipe", "inherit"]
    })
    this.#children.add(child)
    return child
  }

  build(): void {
    for (const place of PLACES) {
      must("ip", ["netns", "add", this.#name(place)])
      this.#ip(place, "link set lo up")
    }
    this.#ip("public", "link add net type bridge")
    this.#ip("public", "address add 5.5.0.1/16 dev net")
    for (const host of PUBLIC_HOSTS) this.#ip("public", `address add ${host}/32 dev net`)
    this.#ip("public", "link set net up")
    this.#home("gateA", "hostA", GATE_A, "192.168.1")
    this.#home("gateB", "hostB", GATE_B, "192.168.2")
  }

  #ip(place: Place, words: string): void {
    must("ip", ["-n", this.#name(place), ...words.split(" ")])
  }

  #home(gate: Place, host: Place, outside: string, inside: string): void {
    this.#ip("public", `link add ${gate} type veth peer name outside netns ${this.#name(gate)}`)
    this.#ip("public", `link set ${gate} master net up`)
    this.#ip(gate, `address add ${outside}/16 dev outside`)
    this.#ip(gate, "link set outside up")
    this.#ip(gate, "route add default via 5.5.0.1")
    this.#ip(gate, `link add inside type veth peer name home netns ${this.#name(host)}`)
    this.#ip(gate, `address add ${inside}.1/24 dev inside`)
    this.#ip(gate, "link set inside up")
    this.#ip(host, `address add ${inside}.2/24 dev home`)
    this.#ip(host, "link set home up")
    this.#ip(host, `route add default via ${inside}.1`)
    const within = ["netns", "exec", this.#name(gate)]
    must("ip", [...within, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])
    must("ip", [...within, "nft", "-f", "-"], GATE_RULES)
  }

  /** The first home's gateway opens ports to who asks, once it says so. */
  async startGateway(): Promise<void> {
    const [configuration, pid] = [join(this.#folder, "miniupnpd.conf"), join(this.#folder, "miniupnpd.pid")]
    writeFileSync(configuration, MINIUPNPD)
    const child = this.start("gateA", "sh", ["-c", `exec miniupnpd -d -f ${configuration} -P ${pid} 2>&1`])
    let said = ""
    child.stdout?.on("data", (chunk) => (said += String(chunk)))
    while (!said.includes("Listening for NAT-PMP")) await once(child.stdout as NonNullable<typeof child.stdout>, "data")
  }

  /** What the first home's gateway lets in from outside. */
  get openedPorts(): ReadonlyArray<number> {
    const args = [
      "netns",
      "exec",
      this.#name("gateA"),
      "nft",
      "list",
      "chain",
      "inet",
      "filter",
      "prerouting_miniupnpd"
    ]
    const { stdout } = spawnSync("ip", args, { encoding: "utf8" })
    return [...stdout.matchAll(/dport (\d+) dnat/g)].map(([, port]) => Number(port)).sort((a, b) => a - b)
  }

  async destroy(): Promise<void> {
    const running = [...this.#children].filter((child) => child.exitCode === null)
    const gone = running.map((child) => once(child, "close"))
    for (const child of running) child.kill("SIGKILL")
    await Promise.all(gone)
    for (const place of PLACES) ran("ip", ["netns", "delete", this.#name(place)])
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** They stand as long as the scope. */
export const makeNetworks: Effect.Effect<Networks, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => new Networks()),
  (networks) => Effect.promise(() => networks.destroy())
).pipe(Effect.tap((networks) => Effect.sync(() => networks.build())))
