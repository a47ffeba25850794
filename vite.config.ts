import { existsSync } from 'node:fs'
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'
import { laterParts } from './scripts/lib/parts.mjs'

// Cross-origin isolation gives WASM threads and fine timers.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

// Errors tell their class by name, which the minifier would shorten.
const output = { keepNames: true }

// A part that loads later brings its library with it, and shares only what is there from the start (scripts/lib/parts.mjs).
const codeSplitting = {
  groups: [
    {
      name: 'three',
      test: /node_modules[\\/]three[\\/]|src[\\/]scene[\\/](stage[\\/]stage|drive[\\/]world)\.ts/,
      priority: 1,
    },
    { name: 'hud', test: /node_modules[\\/]pixi\.js[\\/]|src[\\/]scene[\\/]hud[\\/]/, priority: 1 },
    { name: 'shared', test: /[\\/]src[\\/]/, minShareCount: 2, priority: 2 },
  ],
}

/** What the page may choose between: the folders of `assets/` that hold a world. */
async function worldList(assets: string): Promise<string> {
  const list = []
  for (const name of (await readdir(assets)).sort()) {
    const manifest = join(assets, name, 'world.json')
    if (!existsSync(manifest)) continue
    const { title } = JSON.parse(await readFile(manifest, 'utf8'))
    const picture = existsSync(join(assets, name, 'picture.png')) ? { picture: 'picture.png' } : {}
    const opponents = await opponentsIn(join(assets, name), name)
    list.push({ name, title, ...picture, ...(opponents.length > 0 ? { opponents } : {}) })
  }
  return JSON.stringify(list)
}

/** Other manifests in a world's folder: students that the arena puts beside it. Of their files only the student is their own. */
async function opponentsIn(folder: string, name: string) {
  const opponents = []
  for (const file of (await readdir(folder)).sort()) {
    if (!file.endsWith('.json') || file === 'world.json') continue
    const { format, title, files } = JSON.parse(await readFile(join(folder, file), 'utf8'))
    if (format === 'oneiro-world')
      opponents.push({ address: `assets/${name}/${file}`, title, bytes: files.student.bytes })
  }
  return opponents
}

const WORLD_LIST = 'assets/worlds.json'

/** Worlds keep their names: `assets/` is served at `/assets/`, by the dev server as it lies and in a build as a copy. */
function worldAssets(): Plugin {
  let from = ''
  let to = ''
  return {
    name: 'oneiro-world-assets',
    configResolved(config) {
      from = resolve(config.root, 'assets')
      to = resolve(config.root, config.build.outDir, 'assets')
    },
    configureServer(server) {
      server.middlewares.use(`/${WORLD_LIST}`, (_, response, next) => {
        worldList(from).then((list) => response.setHeader('Content-Type', 'application/json').end(list), next)
      })
    },
    async writeBundle() {
      await rm(to, { recursive: true, force: true })
      await cp(from, to, { recursive: true })
      await writeFile(join(to, '..', WORLD_LIST), await worldList(from))
    },
  }
}

// The same name as in src/app/offline/protocol.ts, which Vite's native loader could not import from here.
const FILE_LIST = 'app/files.json'

/** The page opens offline: its service worker lies at the root, beside a list of the files that a build consists of. */
function serviceWorker(): Plugin {
  return {
    name: 'oneiro-service-worker',
    apply: 'build',
    buildStart() {
      this.emitFile({
        type: 'chunk',
        id: resolve(import.meta.dirname, 'src/app/offline/service-worker.ts'),
        fileName: 'service-worker.js',
      })
    },
    generateBundle(_, bundle) {
      // The arena is for those who compare students, and not worth keeping on every device.
      const names = Object.keys(bundle).filter((name) => /^app\/(?!arena-)/.test(name))
      const files = names.map((name) => (name.endsWith('.wasm') ? `${name}.gz` : name))
      this.emitFile({ type: 'asset', fileName: FILE_LIST, source: JSON.stringify(files) })
    },
  }
}

/** The page unpacks ONNX Runtime's code by itself, in its workers. */
function pageRuntimes(): Plugin {
  const own = resolve(import.meta.dirname, 'src/model/backends/page-runtimes.ts')
  return {
    name: 'oneiro-page-runtimes',
    apply: 'build',
    enforce: 'pre',
    resolveId: (source) => (source.endsWith('/packed-runtimes') ? own : null),
  }
}

/** ONNX Runtime's code goes into a build gzipped; src/model/backends/page-runtimes.ts unpacks it. */
function packedRuntimes(): Plugin {
  return {
    name: 'oneiro-packed-runtimes',
    apply: 'build',
    async writeBundle({ dir }, bundle) {
      for (const file of Object.keys(bundle).filter((name) => name.endsWith('.wasm'))) {
        const path = resolve(dir!, file)
        await writeFile(`${path}.gz`, await promisify(gzip)(await readFile(path), { level: 9 }))
        await rm(path)
      }
    },
  }
}

export default defineConfig({
  // Relative, so that a build plays under any path of any host.
  base: './',
  // No fallback to index.html: a missing asset is a 404 that the page can name.
  appType: 'mpa',
  publicDir: false,
  plugins: [worldAssets(), serviceWorker(), pageRuntimes(), packedRuntimes(), laterParts()],
  // Vite's own hashed bundles; `/assets/` belongs to the worlds.
  build: {
    target: 'es2022',
    outDir: 'dist',
    assetsDir: 'app',
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: {
        index: resolve(import.meta.dirname, 'index.html'),
        arena: resolve(import.meta.dirname, 'arena/index.html'),
      },
      output: { ...output, codeSplitting },
    },
    // A script that is loaded ahead and fails is remembered, too.
    modulePreload: { resolveDependencies: (_, deps, { hostType }) => (hostType === 'html' ? deps : []) },
  },
  worker: { format: 'es', plugins: () => [pageRuntimes(), laterParts()], rolldownOptions: { output } },
  // What only a worker imports is found too late otherwise, and the page loads a second time.
  optimizeDeps: {
    exclude: ['onnxruntime-web'],
    include: ['@huggingface/tokenizers', 'zod/mini', 'zod/v4/locales/en.js'],
  },
  server: {
    headers,
    watch: { ignored: ['data', 'runs', '.venv', 'dist', 'dist-package'].map((folder) => `**/${folder}/**`) },
  },
  preview: { headers },
})
