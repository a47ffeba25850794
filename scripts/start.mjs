// npm start: from a fresh clone to the page in one command. Only Node's own modules until the packages are there.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureNodePackages } from './lib/node-packages.mjs'
import { root, runMain, SetupError } from './lib/run.mjs'

const HELP = `npm start -- [options]

Sets up if needed, builds the page if it changed, serves it and prints its address.

  --port N     port to listen on (default: 4173, or the next free one)
  --host NAME  address to listen on (default: localhost; 0.0.0.0 opens it to the network)
  --dev        serve the sources with hot reload instead of the built page
  --help       this text`

const DEFAULT_PORT = 4173
const SOURCES = [
  'src',
  'assets',
  'index.html',
  'arena',
  'vite.config.ts',
  'package.json',
  'package-lock.json',
]

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
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

function newestChange(path) {
  if (!existsSync(path)) return 0
  const { mtimeMs } = statSync(path)
  if (!statSync(path).isDirectory()) return mtimeMs
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newestChange(join(path, name))))
}

function isStale() {
  const built = join(root, 'dist/index.html')
  if (!existsSync(built)) return true
  return Math.max(...SOURCES.map((path) => newestChange(join(root, path)))) > statSync(built).mtimeMs
}

await runMain(async () => {
  const options = readOptions()
  if (options.help) return console.log(HELP)
  await ensureNodePackages()
  const { build, createServer, preview } = await import('vite')
  if (!options.dev && isStale()) {
    console.log('Building the page ...')
    await build({ root, logLevel: 'silent' }).catch((error) => {
      throw new SetupError(`The page could not be built. ${error.message}`)
    })
  }
  const listen = {
    port: options.port ?? DEFAULT_PORT,
    strictPort: options.port !== undefined,
    host: options.host ?? 'localhost',
  }
  try {
    const server = options.dev
      ? await (await createServer({ root, server: listen })).listen()
      : await preview({ root, preview: listen })
    const { local, network } = server.resolvedUrls
    console.log(`\n  Oneiro is at ${[...local, ...network].join(' and ')}\n  Press Ctrl+C to stop.\n`)
  } catch (error) {
    if (!/already in use|EADDRINUSE/.test(String(error))) throw error
    throw new SetupError(
      `Port ${listen.port} is taken. Choose another: npm start -- --port ${listen.port + 1}`,
    )
  }
})
