/**
 * A certificate for loopback that vouches for itself, made when it is needed and kept nowhere: for suites that speak TLS. `openssl` makes
 * it; where there is none a suite is skipped, and one line says so.
 */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import process from "node:process"
import type { Describe } from "./RealData.ts"

/** In PEM. */
export interface SelfSigned {
  readonly key: string
  readonly certificate: string
}

/** For 127.0.0.1, ::1 and `localhost`, valid for a day; `undefined` where there is no `openssl`. */
export const selfSigned = (): SelfSigned | undefined => {
  const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "satwire-certificate-"))
  const [keyFile, certificateFile] = [Path.join(folder, "key.pem"), Path.join(folder, "certificate.pem")]
  try {
    execFileSync("openssl", [...REQUEST, "-keyout", keyFile, "-out", certificateFile], { stdio: "ignore" })
    return { key: Fs.readFileSync(keyFile, "utf8"), certificate: Fs.readFileSync(certificateFile, "utf8") }
  } catch {
    return undefined
  } finally {
    Fs.rmSync(folder, { recursive: true, force: true })
  }
}

const REQUEST: ReadonlyArray<string> = [
  ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost".split(" "),
  "-addext",
  "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
]

const toStderr = (line: string): void => void process.stderr.write(line)

/** A suite that needs a certificate, which it is given. */
export const describeWithCertificate = (
  describe: Describe,
  name: string,
  suite: (certificate: SelfSigned) => void,
  report: (line: string) => void = toStderr
): void => {
  const made = selfSigned()
  if (made === undefined) report(`skipped "${name}": no openssl on the PATH\n`)
  describe.skipIf(made === undefined)(name, () => {
    if (made !== undefined) suite(made)
  })
}
