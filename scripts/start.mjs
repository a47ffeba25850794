// npm start: from a fresh clone to the page in one command. Only Node's own modules until the packages are there.
import { parseArgs } from 'node:util'
import { isBuilt, markedBuild, sourceHash } from './lib/build-mark.mjs'
import { hostGuard, ownNames } from './lib/hosts.mjs'
import { ensureNodePackages } from './lib/node-packages.mjs'
import { root, runMain, SetupError } from './lib/run.mjs'

const HELP = `npm start -- [options]

Sets up if needed, builds the page if it changed, serves it and prints its address.

  --port N     port to listen on (default: 4173, or the next free one)
  --host NAME  address to listen on (default: localhost; 0.0.0.0 opens it to the network)
  --allow-host NAME
               a name that leads here and may be used to open the page, beside this machine's own; may be repeated
  --dev        serve the sources with hot reload instead of the built page
  --help       this text`

const DEFAULT_PORT = 4173

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
        'allow-host': { type: 'string', multiple: true, default: [] },
        dev: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    const port = values.port === undefined ? undefined : Number(values.port)
    if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
      throw new SetupError(`A port is a whole number from 1 to 65535, but "${values.port}" came.`)
    }
    return { ...values, port }
  } catch (error) {
    throw new SetupError(`${error.message}\n\n${HELP}`)
  }
}

await runMain(async () => {
  const options = readOptions()
  if (options.help) return console.log(HELP)
  await ensureNodePackages()
  // What is built is for use, whatever the shell says of other programs.
  process.env.NODE_ENV = options.dev ? 'development' : 'production'
  const { build, createServer, preview } = await import('vite')
  const hash = options.dev ? '' : sourceHash(root)
  if (!options.dev && !isBuilt(root, hash)) {
    console.log('Building the page ...')
    await markedBuild(root, hash, () => build({ root, logLevel: 'silent' })).catch((error) => {
      throw new SetupError(`The page could not be built. ${error.message}`)
    })
  }
  const named = options['allow-host'].map((name) => name.toLowerCase())
  const allowedHosts = options.host ? [...ownNames(), options.host.toLowerCase(), ...named] : named
  const listen = {
    port: options.port ?? DEFAULT_PORT,
    strictPort: options.port !== undefined,
    host: options.host ?? 'localhost',
    // The guard asks, with a sentence of ours.
    allowedHosts: true,
  }
  const plugins = [hostGuard(allowedHosts)]
  try {
    const server = options.dev
      ? await (await createServer({ root, server: listen, plugins })).listen()
      : await preview({ root, preview: listen, plugins })
    const { local, network } = server.resolvedUrls
    console.log(`\n  Oneiro is at ${[...local, ...network].join(' and ')}\n  Press Ctrl+C to stop.\n`)
  } catch (error) {
    if (!/already in use|EADDRINUSE/.test(String(error))) throw error
    throw new SetupError(
      `Port ${listen.port} is taken. Choose another: npm start -- --port ${listen.port + 1}`,
    )
  }
})
