import { cp, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { defineConfig, type Plugin } from 'vite'

// Cross-origin isolation gives WASM threads and fine timers.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

/** Worlds keep their names: `assets/` is served at `/assets/`, by the dev server as it lies and in a build as a copy. */
function worldAssets(): Plugin {
  let from = ''
  let to = ''
  return {
    name: 'oneiro-world-assets',
    apply: 'build',
    configResolved(config) {
      from = resolve(config.root, 'assets')
      to = resolve(config.root, config.build.outDir, 'assets')
    },
    async writeBundle() {
      await rm(to, { recursive: true, force: true })
      await cp(from, to, { recursive: true })
    },
  }
}

export default defineConfig({
  // No fallback to index.html: a missing asset is a 404 that the page can name.
  appType: 'mpa',
  publicDir: false,
  plugins: [worldAssets()],
  // Vite's own hashed bundles; `/assets/` belongs to the worlds.
  build: { target: 'es2022', outDir: 'dist', assetsDir: 'app', chunkSizeWarningLimit: 1200 },
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  server: {
    headers,
    watch: { ignored: ['data', 'runs', '.venv', 'dist'].map((folder) => `**/${folder}/**`) },
  },
  preview: { headers },
})
