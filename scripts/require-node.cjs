// Says in one sentence what is missing when neither the Node 24 that npm installs nor a recent system Node is found.
const [major, minor] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `Satwire needs Node 22.19 or newer and found ${process.version}. On Linux (x64, arm64) "npm install" brings Node 24 ` +
      `with it; if it did not, run it again without --omit=optional. Elsewhere, install Node 24.`
  )
  process.exit(1)
}
