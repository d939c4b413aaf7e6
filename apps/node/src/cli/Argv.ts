/**
 * Command lines as Bitcoin Core's users write them, turned into what `effect/cli` reads: `-regtest` and `--regtest`, `-connect=1.2.3.4`,
 * `-nolisten`, `--no-listen`, `-?`. A pure function; what it does not know it leaves for the parser to refuse.
 *
 * ```
 *   -regtest           --regtest                 -h, -v       as they are
 *   -connect=a         --connect=a               -hv          as it is: two short flags
 *   -nolisten          --listen=0                -regtset     --regtset, which the parser then refuses by its name
 *   -nolisten=0        --listen=1                -1.5         as it is: a number
 *   -help, -?          --help                    -- -x        after -- nothing is touched
 *   -nopid             --pid=0                   -dbcache=9   --core-option=dbcache: Core's, and nothing here
 *   rpc a -1           rpc a -- -1                after its method nothing is touched either
 * ```
 */
import { CORE_OPTION, coreOnlyName } from "../config/CoreOnly.ts"
import { resolveName } from "../config/Options.ts"

/** The short flags that the parser has. */
const SHORT_FLAGS = /^[hv]+$/
const NUMBER = /^-(?:\d+\.?\d*|\.\d+)$/

/** The same command line with every option in its long form. Doing it twice changes nothing more. */
export const normaliseArgv = (given: ReadonlyArray<string>): ReadonlyArray<string> => {
  const argv = given.includes("--") ? given : withRpcArguments(given)
  const end = argv.indexOf("--")
  const options = end < 0 ? argv : argv.slice(0, end)
  return [...options.map(normalise), ...argv.slice(options.length)]
}

/** As with `bitcoin-cli`, what stands behind a method is its arguments, even where it begins with a dash. */
const withRpcArguments = (argv: ReadonlyArray<string>): ReadonlyArray<string> => {
  const words = argv.flatMap((arg, at) => (arg.startsWith("-") || isValueOf(argv[at - 1]) ? [] : [at]))
  const [command, method] = words
  if (command === undefined || argv[command] !== "rpc" || method === undefined) return argv
  return [...argv.slice(0, method + 1), "--", ...argv.slice(method + 1)]
}

/** Whether what follows this is its value: an option that has none yet and needs one. */
const isValueOf = (arg: string | undefined): boolean => {
  if (arg?.startsWith("-") !== true) return false
  const { name, value } = split(arg)
  const resolved = resolveName(name)
  return value === undefined && resolved?.negated === false && resolved.row.bare === undefined
}

const normalise = (arg: string): string => {
  if (!arg.startsWith("-") || arg === "-" || NUMBER.test(arg)) return arg
  if (arg === "-?") return "--help"
  const { name, value } = split(arg)
  if (!arg.startsWith("--") && SHORT_FLAGS.test(name)) return arg
  return longForm(name, value)
}

const split = (arg: string): { readonly name: string; readonly value: string | undefined } => {
  const body = arg.replace(/^--?/, "")
  const equals = body.indexOf("=")
  return equals < 0 ? { name: body, value: undefined } : { name: body.slice(0, equals), value: body.slice(equals + 1) }
}

const longForm = (name: string, value: string | undefined): string => {
  const resolved = resolveName(name)
  if (resolved === undefined) {
    const coreOnly = coreOnlyName(name)
    if (coreOnly !== undefined) return `--${CORE_OPTION}=${coreOnly}`
  }
  if (resolved?.negated !== true) return value === undefined ? `--${name}` : `--${name}=${value}`
  const { row } = resolved
  if (value === undefined || value === "1") return `--${row.name}=0`
  // Core turns a switch on by -nolisten=0. For anything else that is no value of ours, and the parser refuses the name.
  return value === "0" && row.kind === "switch" ? `--${row.name}=1` : `--${name}=${value}`
}
