import { defineConfig } from 'playwright/test'
import { chromiumFlags, ensureChromium } from './e2e/chromium'

const port = Number(process.env.ONEIRO_E2E_PORT ?? 4179)
const executablePath = await ensureChromium()
const launch = (flags: keyof typeof chromiumFlags) => ({
  launchOptions: { executablePath, args: [...chromiumFlags[flags]] },
})

export default defineConfig({
  testDir: 'e2e',
  testMatch: '**/*.spec.ts',
  // One at a time: software WebGPU and WASM share the cores with what they are measured against.
  workers: 1,
  fullyParallel: false,
  forbidOnly: !!process.env.CI,
  timeout: 180_000,
  // A test that passes only now and then has found something.
  retries: 0,
  expect: { timeout: 30_000 },
  outputDir: 'test-results',
  // One stored picture for every platform; the tests say how far another rasteriser may be off.
  snapshotPathTemplate: '{testDir}/{testFilePath}-snapshots/{arg}{ext}',
  use: { baseURL: `http://localhost:${port}`, viewport: { width: 1280, height: 720 } },
  projects: [
    { name: 'wasm', grepInvert: /@webgpu/, use: launch('wasm') },
    // A test with the tag @webgpu runs here alone, one with @both in each.
    { name: 'webgpu', grep: /@webgpu|@both/, use: launch('webgpu-software') },
  ],
  webServer: {
    command: `node scripts/start.mjs --port ${port}`,
    url: `http://localhost:${port}/`,
    reuseExistingServer: false,
    timeout: 180_000,
  },
})
