import { defineConfig } from 'vite'

// Cross-origin isolation gives WASM threads and fine timers.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

export default defineConfig({
  publicDir: false,
  build: { target: 'es2022', outDir: 'dist', chunkSizeWarningLimit: 1200 },
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  server: { headers },
  preview: { headers },
})
