import { ensureChromium, findChromium } from '../scripts/lib/chromium.mjs'

export { ensureChromium, findChromium }

const base = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Chromium's arguments by what a test plays on. */
export const chromiumFlags = {
  /** No WebGPU adapter: the page plays on WASM. WebGL works in software. */
  wasm: base,
  /** WebGPU on the machine's own GPU, for the bench. */
  webgpu: [
    ...base,
    '--enable-unsafe-webgpu',
    '--ignore-gpu-blocklist',
    '--enable-gpu',
    '--enable-features=Vulkan',
  ],
  /** WebGPU on SwiftShader, with canvases that present and screenshots that show them. Its speed says nothing. */
  'webgpu-software': [
    ...base,
    '--enable-unsafe-webgpu',
    // The compositor on Vulkan too, or the first canvas that presents takes every device and context down with it.
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
    '--ignore-gpu-blocklist',
    '--enable-gpu',
    '--use-vulkan=swiftshader',
    '--enable-features=Vulkan',
  ],
} as const satisfies Record<string, readonly string[]>
